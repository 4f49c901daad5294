//! `GET /healthz` and `/readyz`.

use crate::doors::{Answer, SharedDoors, json};
use crate::problem::Problem;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use tacho_engine::Health;
use tacho_event::Code;

/// The process answers.
pub(crate) async fn healthz() -> Response {
    json(StatusCode::OK, b"{\"status\":\"ok\"}".to_vec())
}

/// Queries answer with all that was there at start, and the log accepts appends.
pub(crate) async fn readyz(State(doors): State<SharedDoors>) -> Answer {
    let readiness = doors.engine.readiness();
    if let Some(reason) = readiness.reason {
        let code = if readiness.log == Health::Good { Code::ViewBehind } else { Code::ReadOnly };
        let problem = Problem::new(code, reason).with("head", readiness.head);
        return Err(problem.with("position", readiness.view));
    }
    let log = doors.engine.log_name();
    let body = format!(
        "{{\"status\":\"ready\",\"log\":\"{log}\",\"head\":{},\"position\":{}}}",
        readiness.head, readiness.view
    );
    Ok(json(StatusCode::OK, body.into_bytes()))
}
