//! The server itself.

use super::{Answers, Route, WAIT, openapi};
use crate::api::{admin, health, prometheus, websocket};
use axum::routing::{get, post};

pub(super) const ROUTES: &[Route] = &[
    Route {
        method: "post",
        path: "/api/admin/rebuild",
        summary: "Throw the read side away and fold the log anew",
        parameters: &[WAIT],
        request: None,
        response: Answers::Json(202, "Rebuilt", "How far the read side is"),
        handler: || post(admin::rebuild),
    },
    Route {
        method: "get",
        path: "/",
        summary: "The page for people",
        parameters: &[],
        request: None,
        response: Answers::Plain(200, "text/html", "The page"),
        handler: || get(websocket::root),
    },
    Route {
        method: "get",
        path: "/healthz",
        summary: "Whether the process answers",
        parameters: &[],
        request: None,
        response: Answers::Json(200, "Health", "It does"),
        handler: || get(health::healthz),
    },
    Route {
        method: "get",
        path: "/readyz",
        summary: "Whether queries answer with all that was there at start, and appends are accepted",
        parameters: &[],
        request: None,
        response: Answers::Json(200, "Readiness", "They are"),
        handler: || get(health::readyz),
    },
    Route {
        method: "get",
        path: "/metrics",
        summary: "Numbers for Prometheus",
        parameters: &[],
        request: None,
        response: Answers::Plain(200, "text/plain", "Prometheus text"),
        handler: || get(prometheus::metrics),
    },
    Route {
        method: "get",
        path: "/openapi.json",
        summary: "This document",
        parameters: &[],
        request: None,
        response: Answers::Plain(200, "application/json", "OpenAPI 3.1"),
        handler: || get(openapi),
    },
];
