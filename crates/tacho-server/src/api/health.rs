//! `GET /healthz`, `/readyz`, `/metrics`.

use crate::doors::{Answer, SharedDoors, json};
use crate::problem::Problem;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use std::fmt::Write;
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

/// Prometheus text, format 0.0.4.
pub(crate) async fn metrics(State(doors): State<SharedDoors>) -> Response {
    let numbers = doors.engine.statistics();
    let lines: [(&str, &str, &str, u64); 11] = [
        ("tacho_events_appended_total", "counter", "Events appended since the start.", numbers.appended),
        ("tacho_log_head", "gauge", "The last durable position.", numbers.head.0),
        ("tacho_log_bytes", "gauge", "Bytes of the log on the disk.", numbers.log_bytes),
        ("tacho_log_segments", "gauge", "Segments of the log.", numbers.segments),
        ("tacho_log_sealed_segments", "gauge", "Sealed segments of the log.", numbers.sealed_segments),
        ("tacho_view_position", "gauge", "The last position that queries see.", numbers.view.0),
        ("tacho_spool_bytes", "gauge", "Bytes that wait in the spool.", numbers.spool_bytes),
        ("tacho_spool_dropped_total", "counter", "Hooks that a full spool dropped.", numbers.spool_dropped),
        ("tacho_hook_refused_total", "counter", "Hooks that were read but refused.", numbers.hook_refused),
        ("tacho_subscribers", "gauge", "Live subscribers.", numbers.subscribers as u64),
        ("tacho_subscriber_gaps_total", "counter", "Gaps told to slow subscribers.", numbers.gaps),
    ];
    let mut text = String::with_capacity(2048);
    for (name, kind, help, value) in lines {
        let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n");
    }
    doors.intake.write_metrics(&mut text);
    let mut response = Response::new(Body::from(text));
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}
