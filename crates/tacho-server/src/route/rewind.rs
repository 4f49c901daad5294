//! Streams as they were.

use super::{AFTER, Answers, CATEGORY, CURSOR, LIMIT, Parameter, REVERSE, Route, STREAM_ID, WAIT};
use crate::api::timeline;
use axum::routing::get;

pub(super) const ROUTES: &[Route] = &[Route {
    method: "get",
    path: "/api/state/{category}/{id}/timeline",
    summary: "The same, beside the stream's state",
    parameters: &[CATEGORY, STREAM_ID, Parameter::Filters, LIMIT, CURSOR, AFTER, REVERSE, WAIT],
    request: None,
    response: Answers::Json(200, "Timeline", "A page"),
    handler: || get(timeline::timeline),
}];
