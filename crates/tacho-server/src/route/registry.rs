//! Who is there to do something.

use super::{Answers, CONTROL, Carries, Kind, Parameter, Route};
use crate::api::registry;
use axum::routing::{get, post};

const ID: Parameter = Parameter::Path("id", "The entry's id");
const AT: Parameter =
    Parameter::Query("at", Kind::Text, "As it was at a position of the log, or at a moment");
const REASON: Parameter = Parameter::Query("reason", Kind::Text, "Why; it is on the log with who asked");
const ENTRY: Answers = Answers::Json(200, "RegistryEntry", "It is on the log");

pub(super) const ROUTES: &[Route] = &[
    Route {
        method: "get",
        path: "/api/registry",
        summary: "Who is there, and who was",
        parameters: &[AT],
        request: None,
        response: Answers::Json(200, "RegistryEntries", "By id"),
        handler: || get(registry::list),
    },
    Route {
        method: "post",
        path: "/api/registry",
        summary: "Register a web address or an MCP server at one; never a program",
        parameters: &[CONTROL],
        request: Some(Carries::RegistryRequest),
        response: Answers::Json(201, "RegistryEntry", "It is on the log, and there after a restart"),
        handler: || post(registry::register),
    },
    Route {
        method: "get",
        path: "/api/registry/{id}",
        summary: "One of them",
        parameters: &[ID, AT],
        request: None,
        response: Answers::Json(200, "RegistryEntry", "As it was last"),
        handler: || get(registry::one),
    },
    Route {
        method: "delete",
        path: "/api/registry/{id}",
        summary: "Remove one that registered itself; its place on the log stays",
        parameters: &[ID, REASON, CONTROL],
        request: None,
        response: ENTRY,
        handler: || axum::routing::delete(registry::remove),
    },
    Route {
        method: "post",
        path: "/api/registry/{id}/drain",
        summary: "Give one nothing new; what it is doing ends",
        parameters: &[ID, CONTROL],
        request: Some(Carries::Order),
        response: ENTRY,
        handler: || post(registry::drain),
    },
    Route {
        method: "post",
        path: "/api/registry/{id}/restore",
        summary: "Take a drain back",
        parameters: &[ID, CONTROL],
        request: Some(Carries::Order),
        response: ENTRY,
        handler: || post(registry::restore),
    },
    Route {
        method: "post",
        path: "/api/handlers/reload",
        summary: "Read handlers and tool servers of the configuration again",
        parameters: &[CONTROL],
        request: Some(Carries::Order),
        response: Answers::Json(200, "Reloaded", "The names of what changed; after a refusal nothing did"),
        handler: || post(registry::reload),
    },
];
