//! How a browser comes to control what runs.

use super::{Answers, CONTROL, Carries, Kind, Parameter, Route};
use crate::api::control;
use axum::routing::{get, post};

pub(super) const ROUTES: &[Route] = &[
    Route {
        method: "post",
        path: "/api/control/tickets",
        summary: "Make a ticket for a browser, with the control token",
        parameters: &[CONTROL],
        request: Some(Carries::Page),
        response: Answers::Json(201, "Ticket", "Good once, for a minute"),
        handler: || post(control::ticket),
    },
    Route {
        method: "get",
        path: "/open",
        summary: "Turn a ticket into the cookie `tacho_control`, and go on to its page",
        parameters: &[Parameter::Query("ticket", Kind::Text, "The ticket")],
        request: None,
        response: Answers::Empty(303, "To the page"),
        handler: || get(control::open),
    },
];
