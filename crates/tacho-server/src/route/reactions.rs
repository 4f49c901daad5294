//! Handlers, sinks, and what they gave up on.

use super::{Answers, CURSOR, Kind, LIMIT, Parameter, Route};
use crate::api::handlers;
use axum::routing::get;

pub(super) const ROUTES: &[Route] = &[
    Route {
        method: "get",
        path: "/api/handlers",
        summary: "Every handler and sink, and how far it is",
        parameters: &[],
        request: None,
        response: Answers::Json(200, "HandlerList", "In the order of the configuration"),
        handler: || get(handlers::list),
    },
    Route {
        method: "get",
        path: "/api/handlers/{name}",
        summary: "One handler or sink",
        parameters: &[Parameter::Path("name", "Its name")],
        request: None,
        response: Answers::Json(
            200,
            "Handler",
            "How far it is; done + pending + dead + skipped = what it is meant to get",
        ),
        handler: || get(handlers::one),
    },
    Route {
        method: "get",
        path: "/api/dead-letters",
        summary: "What handlers and sinks gave up on, oldest first",
        parameters: &[Parameter::Query("handler", Kind::Text, "Only those of this handler"), LIMIT, CURSOR],
        request: None,
        response: Answers::Json(200, "DeadLetterPage", "A page"),
        handler: || get(handlers::dead_letters),
    },
];
