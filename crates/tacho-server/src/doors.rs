//! What every handler of a request reaches.

use crate::body::Room;
use crate::config::Config;
use crate::control::Control;
use crate::gate::Gate;
use crate::intake::IntakeDoor;
use crate::problem::Problem;
use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use std::sync::Arc;
use tacho_engine::{Engine, HookService};

/// Shared by all connections.
pub(crate) struct Doors {
    pub(crate) engine: Engine,
    pub(crate) hooks: HookService,
    pub(crate) intake: Arc<IntakeDoor>,
    pub(crate) config: Config,
    pub(crate) gate: Gate,
    pub(crate) control: Control,
    pub(crate) room: Room,
    /// Held by everything that a stop waits for.
    pub(crate) alive: tokio::sync::mpsc::Sender<()>,
}

pub(crate) type SharedDoors = Arc<Doors>;

/// What a handler answers.
pub(crate) type Answer = Result<Response, Problem>;

/// A JSON answer.
pub(crate) fn json(status: StatusCode, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
