//! Why things happened, and where time and money went.

use super::{Answers, CATEGORY, Kind, Parameter, Route, STREAM_ID, WAIT};
use crate::api::{causes, profile, why};
use axum::routing::get;

pub(super) const ROUTES: &[Route] = &[
    Route {
        method: "get",
        path: "/api/causes/{id}",
        summary: "What led to an event, and what it led to",
        parameters: &[
            Parameter::Path("id", "The event's id"),
            Parameter::Query("depth", Kind::Number, "Most steps either way, at most 100; 50 by default"),
            Parameter::Query("source", Kind::Text, "Tells events of several sources apart"),
            Parameter::Query("correlated", Kind::Switch, "Events that only share its correlation too"),
            WAIT,
        ],
        request: None,
        response: Answers::Json(200, "Causes", "A graph of at most 1,000 events, in the order of the log"),
        handler: || get(causes::causes),
    },
    Route {
        method: "get",
        path: "/api/why/{category}/{id}",
        summary: "Why a stream failed: its first cause, what was tried, what to do next",
        parameters: &[
            CATEGORY,
            STREAM_ID,
            Parameter::Query("at", Kind::Text, "As it stood at this moment or position; both include it"),
            WAIT,
        ],
        request: None,
        response: Answers::Json(200, "Why", "One sentence, and what it rests on"),
        handler: || get(why::why),
    },
    Route {
        method: "get",
        path: "/api/profile/{category}/{id}",
        summary: "Where the time and the money of a stream went",
        parameters: &[CATEGORY, STREAM_ID, WAIT],
        request: None,
        response: Answers::Json(200, "Profile", "Sums, the critical path, and the spans behind them"),
        handler: || get(profile::profile),
    },
    Route {
        method: "get",
        path: "/api/profile/{category}/{id}/flamegraph",
        summary: "The same as a flame graph",
        parameters: &[
            CATEGORY,
            STREAM_ID,
            Parameter::Query("format", Kind::Text, "svg (the default), or folded: a stack a line, as text"),
            WAIT,
        ],
        request: None,
        response: Answers::Plain(200, "image/svg+xml", "A picture that needs no script"),
        handler: || get(profile::flamegraph),
    },
];
