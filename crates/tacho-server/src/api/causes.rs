//! `GET /api/causes/{id}`: what led to an event, and what it led to.

use crate::causes::causes_json;
use crate::doors::{Answer, SharedDoors, json};
use crate::parameters;
use crate::problem::Problem;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use tacho_engine::{CausesQuery, MAX_CAUSES_DEPTH, Wait};
use tacho_event::Code;

/// Steps either way unless told.
const DEPTH: usize = 50;

pub(crate) async fn causes(State(doors): State<SharedDoors>, Path(id): Path<String>, uri: Uri) -> Answer {
    let mut query = CausesQuery { id, source: None, depth: DEPTH, correlated: false };
    let mut wait = Wait::Head;
    for (key, value) in parameters::pairs(&uri)? {
        match key.as_str() {
            "depth" => query.depth = depth(&value)?,
            "source" => query.source = Some(value),
            "correlated" => query.correlated = parameters::switch(&key, &value)?,
            "wait" => wait = parameters::wait(&value)?,
            _ => return Err(parameters::unknown(&key)),
        }
    }
    let causes = doors.engine.causes(query, wait).await?;
    Ok(json(StatusCode::OK, causes_json(&causes).into_bytes()))
}

fn depth(value: &str) -> Result<usize, Problem> {
    let depth = value.parse().ok().filter(|depth| (1..=MAX_CAUSES_DEPTH).contains(depth));
    depth.ok_or_else(|| {
        let detail = format!("`depth` is {value:?}, but must be a whole number from 1 to {MAX_CAUSES_DEPTH}");
        Problem::new(Code::InvalidFilter, detail)
    })
}
