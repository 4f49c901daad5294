//! The log: append, read, follow.

use super::{
    AFTER, Answers, CATEGORY, CURSOR, Carries, Kind, LIMIT, Parameter, REVERSE, Route, STREAM_ID, WAIT,
};
use crate::api::{append, events, sse, streams, timeline, websocket};
use axum::routing::{get, post};

const FORMAT: Parameter = Parameter::Query("format", Kind::Format, "The shape of each event");
const FROM: Parameter =
    Parameter::Query("from", Kind::Text, "start, end, or the position behind which to begin; end by default");
const LOG: Parameter = Parameter::Query(
    "log",
    Kind::Text,
    "The id of the log that the position is of; another one gets a reset",
);

pub(super) const ROUTES: &[Route] = &[
    Route {
        method: "post",
        path: "/api/events",
        summary: "Append one event or a batch, all or nothing",
        parameters: &[
            Parameter::Header(
                "Expected-Sequence",
                "N, none or any for the one stream of the request, or a list such as lease/x=3, task/y=none",
            ),
            Parameter::Query(
                "validate",
                Kind::Text,
                "strict refuses payloads that do not fit their schema, lenient takes them; else `schemas.strict` decides by shape",
            ),
        ],
        request: Some(Carries::Events),
        response: Answers::Json(201, "Appended", "Durable: where each event stands"),
        handler: || post(append::append),
    },
    Route {
        method: "get",
        path: "/api/events",
        summary: "List events that match, oldest first",
        parameters: &[Parameter::Filters, LIMIT, CURSOR, AFTER, REVERSE, WAIT, FORMAT],
        request: None,
        response: Answers::Json(200, "EventPage", "A page; it ends early, with a cursor, after 20 ms"),
        handler: || get(events::list),
    },
    Route {
        method: "get",
        path: "/api/events/stream",
        summary: "Live events as server-sent events",
        parameters: &[
            Parameter::Filters,
            FROM,
            LOG,
            FORMAT,
            Parameter::Header("Last-Event-ID", "The position behind which to resume; wins over `from`"),
        ],
        request: None,
        response: Answers::Plain(
            200,
            "text/event-stream",
            "`event`, whose id is its position; `caught_up` where history ends; `gap` for a slow reader; `reset` for a \
             position of another log; `heartbeat`; `error` with problem details before an end for good",
        ),
        handler: || get(sse::stream),
    },
    Route {
        method: "get",
        path: "/api/events/{id}",
        summary: "One event by its id",
        parameters: &[
            Parameter::Path("id", "The event's id"),
            Parameter::Query("source", Kind::Text, "Tells events of several sources apart"),
            Parameter::Query(
                "raw",
                Kind::Switch,
                "As it was stored, not in the form of its type's latest release",
            ),
            WAIT,
            FORMAT,
        ],
        request: None,
        response: Answers::Json(200, "Event", "The event"),
        handler: || get(events::one),
    },
    Route {
        method: "get",
        path: "/api/streams",
        summary: "List streams by name",
        parameters: &[
            Parameter::Query("category", Kind::Text, "Only streams of this category"),
            Parameter::Query("prefix", Kind::Text, "Only streams whose name begins so"),
            Parameter::Query("after", Kind::Text, "`next` of the page before"),
            Parameter::Query("system", Kind::Switch, "Streams of nothing but bookkeeping too"),
            LIMIT,
            WAIT,
        ],
        request: None,
        response: Answers::Json(200, "StreamPage", "A page"),
        handler: || get(streams::list),
    },
    Route {
        method: "get",
        path: "/api/streams/{category}/{id}",
        summary: "One stream: its head, its phase",
        parameters: &[CATEGORY, STREAM_ID, WAIT],
        request: None,
        response: Answers::Json(200, "Stream", "The stream"),
        handler: || get(streams::one),
    },
    Route {
        method: "get",
        path: "/api/streams/{category}/{id}/timeline",
        summary: "A stream's history, readable",
        parameters: &[CATEGORY, STREAM_ID, Parameter::Filters, LIMIT, CURSOR, AFTER, REVERSE, WAIT],
        request: None,
        response: Answers::Json(200, "Timeline", "A page"),
        handler: || get(timeline::timeline),
    },
    Route {
        method: "get",
        path: "/ws",
        summary: "Live events over a WebSocket, one a text message; `/` does the same",
        parameters: &[Parameter::Filters, FROM, LOG, FORMAT],
        request: None,
        response: Answers::Empty(101, "The socket is open; the shape is `simple` unless asked otherwise"),
        handler: || get(websocket::live),
    },
    Route {
        method: "get",
        path: "/agent-events",
        summary: "As `/ws`: where clients of a project's `observability.yaml` look for the live stream",
        parameters: &[Parameter::Filters, FROM, LOG, FORMAT],
        request: None,
        response: Answers::Empty(101, "The socket is open; the shape is `simple` unless asked otherwise"),
        handler: || get(websocket::live),
    },
];
