//! `POST /api/admin/rebuild`.

use crate::doors::{Answer, SharedDoors, json};
use crate::{body, parameters};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use tacho_engine::Wait;

/// Throws the read side away and folds the log anew. With `wait=0` it answers at once, else when everything
/// is folded that was on the log, or 503 `view_behind` while that goes on.
pub(crate) async fn rebuild(State(doors): State<SharedDoors>, request: Request) -> Answer {
    let (parts, content) = request.into_parts();
    body::read(content, 0, &doors).await?;
    let mut wait = Wait::Head;
    for (key, value) in parameters::pairs(&parts.uri)? {
        match key.as_str() {
            "wait" => wait = parameters::wait(&value)?,
            _ => return Err(parameters::unknown(&key)),
        }
    }
    let head = doors.engine.head();
    doors.engine.rebuild();
    let position = doors.engine.wait(wait).await?;
    let body = format!("{{\"head\":{head},\"position\":{position}}}");
    Ok(json(StatusCode::ACCEPTED, body.into_bytes()))
}
