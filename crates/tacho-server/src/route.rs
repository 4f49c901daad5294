//! Every route, in one table: the router and the OpenAPI document are made from it.

mod vocabulary;

pub(crate) use vocabulary::{Answers, Carries, Kind, Parameter};

use crate::api::{
    admin, alerts, append, events, figures, handlers, health, hook, page, prometheus, schemas, sse, streams,
    telemetry, timeline, waits, websocket,
};
use crate::doors::{SharedDoors, json};
use crate::problem::Problem;
use crate::{body, openapi};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{MethodRouter, get, post};
use tacho_event::Code;

/// One method of one path.
pub(crate) struct Route {
    /// In lower case, as OpenAPI writes it.
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) parameters: &'static [Parameter],
    pub(crate) request: Option<Carries>,
    pub(crate) response: Answers,
    handler: fn() -> MethodRouter<SharedDoors>,
}

const WAIT: Parameter = Parameter::Query(
    "wait",
    Kind::Number,
    "0 answers at once; a position waits for it; without it the answer includes everything durable at arrival",
);
const FORMAT: Parameter = Parameter::Query("format", Kind::Format, "The shape of each event");
const LIMIT: Parameter =
    Parameter::Query("limit", Kind::Number, "Most entries, at most 1,000; 100 by default");
const CATEGORY: Parameter = Parameter::Path("category", "What stands before the first slash of the stream");
const STREAM_ID: Parameter = Parameter::Path("id", "What stands behind it; slashes in it are written %2F");
const WAIT_ID: Parameter = Parameter::Path("id", "The id of the wait, which is that of the event that asks");
const CURSOR: Parameter = Parameter::Query("cursor", Kind::Text, "`next` of the page before");
const AFTER: Parameter =
    Parameter::Query("after", Kind::Number, "Only events behind this position; before it in reverse");
const REVERSE: Parameter = Parameter::Query("reverse", Kind::Switch, "Newest first");
const FROM: Parameter =
    Parameter::Query("from", Kind::Text, "start, end, or the position behind which to begin; end by default");
const LOG: Parameter = Parameter::Query(
    "log",
    Kind::Text,
    "The id of the log that the position is of; another one gets a reset",
);

const CONTENT_ENCODING: Parameter =
    Parameter::Header("Content-Encoding", "gzip, or identity; the limit is for the expanded body");
const EXPORTED: Answers = Answers::Json(
    200,
    "Exported",
    "Durable; `partialSuccess` tells of records that are no events. In the encoding of the request",
);

pub(crate) const ROUTES: &[Route] = &[
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
                "strict refuses payloads that do not fit their schema; lenient",
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
        path: "/api/state/{category}/{id}/timeline",
        summary: "The same, beside the stream's state",
        parameters: &[CATEGORY, STREAM_ID, Parameter::Filters, LIMIT, CURSOR, AFTER, REVERSE, WAIT],
        request: None,
        response: Answers::Json(200, "Timeline", "A page"),
        handler: || get(timeline::timeline),
    },
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
    Route {
        method: "post",
        path: "/v1/logs",
        summary: "OTLP: append log records; Claude Code's as claude_code.<event>, others as otel.log",
        parameters: &[CONTENT_ENCODING],
        request: Some(Carries::Telemetry("ExportLogsServiceRequest")),
        response: EXPORTED,
        handler: || post(telemetry::logs),
    },
    Route {
        method: "post",
        path: "/v1/traces",
        summary: "OTLP: append spans as otel.span",
        parameters: &[CONTENT_ENCODING],
        request: Some(Carries::Telemetry("ExportTraceServiceRequest")),
        response: EXPORTED,
        handler: || post(telemetry::traces),
    },
    Route {
        method: "post",
        path: "/v1/metrics",
        summary: "OTLP: append data points as otel.metric",
        parameters: &[CONTENT_ENCODING],
        request: Some(Carries::Telemetry("ExportMetricsServiceRequest")),
        response: EXPORTED,
        handler: || post(telemetry::metrics),
    },
    Route {
        method: "post",
        path: "/hooks/claude-code",
        summary: "Claude Code's http hooks; the answer is always empty",
        parameters: &[],
        request: Some(Carries::HookPayload),
        response: Answers::Empty(200, "Taken, or left out if it cannot be; never a decision"),
        handler: || post(hook::claude_code),
    },
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

pub(crate) fn router(doors: SharedDoors) -> Router {
    let mut router = page::add_to(Router::new());
    for route in ROUTES {
        router = router.route(route.path, (route.handler)());
    }
    router.fallback(not_found).method_not_allowed_fallback(method_not_allowed).with_state(doors)
}

async fn openapi() -> Response {
    json(StatusCode::OK, openapi::document().into_bytes())
}

async fn not_found(State(doors): State<SharedDoors>, request: Request) -> Problem {
    let detail = format!("nothing is at {}: see /openapi.json", request.uri().path());
    let problem = Problem::new(Code::NotFound, detail);
    body::refuse(request.into_body(), problem, &doors.config.limits).await
}

async fn method_not_allowed(State(doors): State<SharedDoors>, request: Request) -> Problem {
    let detail = format!("{} does not answer {}", request.uri().path(), request.method());
    let problem = Problem::new(Code::MethodNotAllowed, detail);
    body::refuse(request.into_body(), problem, &doors.config.limits).await
}
