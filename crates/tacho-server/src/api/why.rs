//! `GET /api/why/{category}/{id}`: why a stream failed.

use crate::doors::{Answer, SharedDoors, json};
use crate::parameters;
use crate::why::why_json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use tacho_engine::{Wait, WhyUntil};
use tacho_event::Position;

pub(crate) async fn why(
    State(doors): State<SharedDoors>,
    Path((category, id)): Path<(String, String)>,
    uri: Uri,
) -> Answer {
    let (mut until, mut wait) = (WhyUntil::End, Wait::Head);
    for (key, value) in parameters::pairs(&uri)? {
        match key.as_str() {
            "at" => {
                until = match value.parse() {
                    Ok(position) => WhyUntil::Position(Position(position)),
                    Err(_) => WhyUntil::Time(parameters::moment(&key, &value, doors.engine.now())?),
                }
            }
            "wait" => wait = parameters::wait(&value)?,
            _ => return Err(parameters::unknown(&key)),
        }
    }
    let why = doors.engine.why(&format!("{category}/{id}"), until, wait).await?;
    Ok(json(StatusCode::OK, why_json(&why).into_bytes()))
}
