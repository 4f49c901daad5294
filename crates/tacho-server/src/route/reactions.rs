//! Handlers, sinks, and what they gave up on.

use super::{Answers, CONTROL, CURSOR, Carries, Kind, LIMIT, Parameter, Route};
use crate::api::{dead_letters, handler_control, handlers, heal};
use axum::routing::{get, post};

const NAME: Parameter = Parameter::Path("name", "Its name");
const ID: Parameter = Parameter::Path("id", "The letter's id");
const HANDLER: Parameter = Parameter::Query("handler", Kind::Text, "Only those of this handler");
const FORMAT: Parameter = Parameter::Query(
    "format",
    Kind::Text,
    "cloudevents, or mcp: as a bus of tool servers tells its dead letters",
);
const CODE: Parameter = Parameter::Query("code", Kind::Text, "Only those with this error code");

const fn read(
    path: &'static str,
    summary: &'static str,
    parameters: &'static [Parameter],
    response: Answers,
    handler: fn() -> axum::routing::MethodRouter<crate::doors::SharedDoors>,
) -> Route {
    Route { method: "get", path, summary, parameters, request: None, response, handler }
}

const fn control(
    path: &'static str,
    summary: &'static str,
    parameters: &'static [Parameter],
    response: Answers,
    handler: fn() -> axum::routing::MethodRouter<crate::doors::SharedDoors>,
) -> Route {
    Route { method: "post", path, summary, parameters, request: Some(Carries::Order), response, handler }
}

pub(super) const ROUTES: &[Route] = &[
    read(
        "/api/handlers",
        "Every handler and sink, and how far it is",
        &[],
        Answers::Json(200, "HandlerList", "In the order of the configuration"),
        || get(handlers::list),
    ),
    read(
        "/api/handlers/map",
        "What went into each handler and what came out, by type",
        &[Parameter::Query("window", Kind::Text, "1m to 60m; 60m by default")],
        Answers::Json(200, "HandlerMap", "Since this process began"),
        || get(handlers::map),
    ),
    read(
        "/api/handlers/{name}",
        "One handler or sink",
        &[NAME],
        Answers::Json(
            200,
            "Handler",
            "How far it is; done + pending + dead + skipped = what it is meant to get",
        ),
        || get(handlers::one),
    ),
    read(
        "/api/handlers/{name}/pending",
        "What a handler has not settled, in the order of the log",
        &[NAME, LIMIT],
        Answers::Json(200, "PendingList", "With attempts, the last error, and when the next one is due"),
        || get(handlers::pending),
    ),
    read(
        "/api/handlers/{name}/deliveries",
        "The last deliveries of a handler, newest first",
        &[NAME, LIMIT],
        Answers::Json(200, "DeliveryList", "Of this process, 200 at most"),
        || get(handlers::deliveries),
    ),
    control(
        "/api/handlers/{name}/pause",
        "Have a handler begin nothing new",
        &[NAME, CONTROL],
        Answers::Json(200, "Handler", "It is on the log"),
        || post(handler_control::pause),
    ),
    control(
        "/api/handlers/{name}/resume",
        "Have a handler go on",
        &[NAME, CONTROL],
        Answers::Json(200, "Handler", "It is on the log"),
        || post(handler_control::resume),
    ),
    control(
        "/api/handlers/{name}/retry",
        "Have what waits for its next attempt tried now: the event at `position`, or all",
        &[NAME, CONTROL],
        Answers::Json(200, "Handler", "As it is then"),
        || post(handler_control::retry),
    ),
    control(
        "/api/handlers/{name}/test",
        "Deliver `event`, or the one at `position`, to a worker of its own, and append nothing",
        &[NAME, CONTROL],
        Answers::Json(200, "HandlerTest", "What it answered"),
        || post(handler_control::test),
    ),
    read(
        "/api/dead-letters",
        "What handlers and sinks gave up on, oldest first",
        &[HANDLER, CODE, LIMIT, CURSOR, FORMAT],
        Answers::Json(200, "DeadLetterPage", "A page of those that are open"),
        || get(dead_letters::list),
    ),
    read(
        "/api/dead-letters/causes",
        "Why dead letters are open, the most frequent reason first",
        &[],
        Answers::Json(200, "DeadLetterCauses", "By handler and error code"),
        || get(dead_letters::causes),
    ),
    read(
        "/api/dead-letters/{id}",
        "One dead letter, whatever became of it",
        &[ID],
        Answers::Json(200, "DeadLetter", "The letter"),
        || get(dead_letters::one),
    ),
    control(
        "/api/dead-letters/{id}/retry",
        "Give a letter's event to its handler again, with another payload where `data` is sent",
        &[ID, CONTROL],
        Answers::Json(200, "DeadLetterSettled", "It is on the log"),
        || post(dead_letters::retry),
    ),
    control(
        "/api/dead-letters/{id}/discard",
        "Give a letter up, with a reason",
        &[ID, CONTROL],
        Answers::Json(200, "DeadLetterSettled", "It is on the log"),
        || post(dead_letters::discard),
    ),
    control(
        "/api/dead-letters/retry",
        "Try open letters again, the oldest first: of one handler, with one error code, or all",
        &[CONTROL],
        Answers::Json(200, "DeadLettersSettled", "5,000 at most; call again while some are left"),
        || post(dead_letters::retry_many),
    ),
    control(
        "/api/dead-letters/discard",
        "Give open letters up, with a reason",
        &[CONTROL],
        Answers::Json(200, "DeadLettersSettled", "5,000 at most; call again while some are left"),
        || post(dead_letters::discard_many),
    ),
    read(
        "/api/heal",
        "What heals dead letters: the rules, and the last attempts, newest first",
        &[],
        Answers::Json(200, "Healing", "At most 200 attempts"),
        || get(heal::show),
    ),
];
