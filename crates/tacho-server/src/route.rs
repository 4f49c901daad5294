//! Every route, in one table: the router and the OpenAPI document are made from it.

mod causes;
mod control;
mod events;
mod figures;
mod reactions;
mod registry;
mod rewind;
mod schemas;
mod service;
mod telemetry;
mod vocabulary;

pub(crate) use vocabulary::{Answers, Carries, Kind, Parameter};

use crate::api::page;
use crate::doors::{SharedDoors, json};
use crate::problem::Problem;
use crate::{body, openapi};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::MethodRouter;
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
const LIMIT: Parameter =
    Parameter::Query("limit", Kind::Number, "Most entries, at most 1,000; 100 by default");
const CATEGORY: Parameter = Parameter::Path("category", "What stands before the first slash of the stream");
const STREAM_ID: Parameter = Parameter::Path("id", "What stands behind it; slashes in it are written %2F");
const CURSOR: Parameter = Parameter::Query("cursor", Kind::Text, "`next` of the page before");
const AFTER: Parameter =
    Parameter::Query("after", Kind::Number, "Only events behind this position; before it in reverse");
const CONTROL: Parameter = Parameter::Header(
    "X-Tacho-Control",
    "The control token, which is in the data folder; or as `Authorization: Bearer`, or the cookie `tacho_control`",
);
const REVERSE: Parameter = Parameter::Query("reverse", Kind::Switch, "Newest first");

/// Group by group, in the order of the document.
pub(crate) fn all() -> impl Iterator<Item = &'static Route> {
    const GROUPS: [&[Route]; 10] = [
        events::ROUTES,
        rewind::ROUTES,
        causes::ROUTES,
        figures::ROUTES,
        schemas::ROUTES,
        reactions::ROUTES,
        registry::ROUTES,
        control::ROUTES,
        telemetry::ROUTES,
        service::ROUTES,
    ];
    GROUPS.into_iter().flatten()
}

pub(crate) fn router(doors: SharedDoors) -> Router {
    let mut router = page::add_to(Router::new());
    for route in all() {
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
