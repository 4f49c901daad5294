//! `GET /api/heal`: what heals dead letters.

use super::handlers::answer;
use crate::doors::{Answer, SharedDoors};
use crate::parameters;
use crate::reactions::{heal_json, heal_rule_json};
use axum::extract::State;
use axum::http::Uri;
use serde_json::{Value, json};

pub(crate) async fn show(State(doors): State<SharedDoors>, uri: Uri) -> Answer {
    parameters::none(&uri)?;
    let rules: Vec<Value> = doors.engine.heal_rules().iter().map(heal_rule_json).collect();
    let attempts: Vec<Value> = doors.engine.heals().await?.iter().map(heal_json).collect();
    answer(&json!({"rules": rules, "attempts": attempts}))
}
