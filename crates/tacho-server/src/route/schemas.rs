//! The registry of event types.

use super::{Answers, Carries, Parameter, Route};
use crate::api::schemas;
use axum::routing::{get, post};

pub(super) const ROUTES: &[Route] = &[
    Route {
        method: "get",
        path: "/api/schemas",
        summary: "The latest schema of every event type",
        parameters: &[],
        request: None,
        response: Answers::Json(200, "SchemaList", "The catalogue, and what was registered"),
        handler: || get(schemas::list),
    },
    Route {
        method: "post",
        path: "/api/schemas",
        summary: "Register a version of an event type's schema",
        parameters: &[],
        request: Some(Carries::Registration),
        response: Answers::Json(201, "SchemaReceipt", "It is in force"),
        handler: || post(schemas::register),
    },
    Route {
        method: "get",
        path: "/api/schemas/{type}",
        summary: "All versions of an event type's schema",
        parameters: &[Parameter::Path("type", "The event type, or the pattern that was registered")],
        request: None,
        response: Answers::Json(200, "SchemaVersions", "The versions, the lowest first"),
        handler: || get(schemas::one),
    },
];
