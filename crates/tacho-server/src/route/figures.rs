//! Figures, money, alerts, and what waits for a person.

use super::{AFTER, Answers, CURSOR, Carries, Kind, LIMIT, Parameter, Route, WAIT};
use crate::api::{alerts, figures, waits};
use axum::routing::{get, post};

const WAIT_ID: Parameter = Parameter::Path("id", "The id of the wait, which is that of the event that asks");

pub(super) const ROUTES: &[Route] = &[
    Route {
        method: "get",
        path: "/api/metrics",
        summary: "The key figures of a window that ends now; null is no data",
        parameters: &[
            Parameter::Query(
                "window",
                Kind::Text,
                "A length such as 90m or 24h; a bare number is hours; 1h by default",
            ),
            Parameter::Query(
                "trend",
                Kind::Text,
                "Also the figures of each of the last days, such as 7d; at most 366d",
            ),
            WAIT,
        ],
        request: None,
        response: Answers::Json(200, "Metrics", "The figures"),
        handler: || get(figures::metrics),
    },
    Route {
        method: "get",
        path: "/api/cost",
        summary: "What was spent in all time, or in a span of it",
        parameters: &[
            Parameter::Query(
                "by",
                Kind::Text,
                "session, agent, subagent, model (the default), feature or day",
            ),
            Parameter::Query("since", Kind::Text, "Behind this moment"),
            Parameter::Query("until", Kind::Text, "Up to this moment"),
            WAIT,
        ],
        request: None,
        response: Answers::Json(200, "Costs", "The dearest first; days, the last first"),
        handler: || get(figures::cost),
    },
    Route {
        method: "get",
        path: "/api/alerts",
        summary: "The rules of alerts, and how each stands now",
        parameters: &[],
        request: None,
        response: Answers::Json(200, "AlertRules", "The rules"),
        handler: || get(alerts::rules),
    },
    Route {
        method: "get",
        path: "/api/alerts/history",
        summary: "Alerts that were told, newest first",
        parameters: &[Parameter::Filters, LIMIT, CURSOR, AFTER, WAIT],
        request: None,
        response: Answers::Json(200, "AlertPage", "A page"),
        handler: || get(alerts::history),
    },
    Route {
        method: "post",
        path: "/api/alerts/test",
        summary: "Tell an alert as a test, to see whether it arrives",
        parameters: &[],
        request: None,
        response: Answers::Json(202, "AlertTest", "It is on the log"),
        handler: || post(alerts::test),
    },
    Route {
        method: "get",
        path: "/api/waits",
        summary: "What waits for a person: escalations, and calls and questions of agents, the oldest first",
        parameters: &[],
        request: None,
        response: Answers::Json(200, "Waits", "All that is open"),
        handler: || get(waits::list),
    },
    Route {
        method: "post",
        path: "/api/waits/{id}/acknowledge",
        summary: "Say that somebody has seen it",
        parameters: &[WAIT_ID],
        request: Some(Carries::Deed),
        response: Answers::Json(
            201,
            "Deed",
            "It is on the log; 200 where it was done already and nothing changed",
        ),
        handler: || post(waits::acknowledge),
    },
    Route {
        method: "post",
        path: "/api/waits/{id}/answer",
        summary: "Answer it; it waits no longer",
        parameters: &[WAIT_ID],
        request: Some(Carries::Deed),
        response: Answers::Json(
            201,
            "Deed",
            "It is on the log; 200 where it was done already and nothing changed",
        ),
        handler: || post(waits::answer),
    },
    Route {
        method: "post",
        path: "/api/waits/{id}/resolve",
        summary: "Take it off the list",
        parameters: &[WAIT_ID],
        request: Some(Carries::Deed),
        response: Answers::Json(
            201,
            "Deed",
            "It is on the log; 200 where it was done already and nothing changed",
        ),
        handler: || post(waits::resolve),
    },
];
