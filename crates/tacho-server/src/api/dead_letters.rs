//! `/api/dead-letters…`: what handlers and sinks gave up on, tried again or given up for good.

use super::handler_control::Order;
use super::handlers::answer;
use crate::doors::{Answer, SharedDoors};
use crate::parameters;
use crate::problem::Problem;
use crate::reactions::{letter_json, letter_on_the_bus};
use axum::extract::{Path, Request, State};
use axum::http::Uri;
use serde_json::{Value, json};
use tacho_engine::LetterQuery;
use tacho_engine::delivery::{LetterDeed, LetterError};
use tacho_event::Code;
use tacho_ingest::shape::Format;

pub(crate) async fn list(State(doors): State<SharedDoors>, uri: Uri) -> Answer {
    let mut query = LetterQuery { limit: doors.config.limits.page_events, ..LetterQuery::default() };
    let (mut cursor, mut is_bus) = (None, false);
    for (key, value) in parameters::pairs(&uri)? {
        match key.as_str() {
            "format" => {
                is_bus = match parameters::format(&value)? {
                    Format::Mcp => true,
                    Format::CloudEvents => false,
                    _ => {
                        let detail = "dead letters have the formats cloudevents and mcp";
                        return Err(Problem::new(Code::InvalidFilter, detail));
                    }
                }
            }
            "handler" => query.handler = Some(value),
            "code" => query.code = Some(value),
            "cursor" => cursor = Some(parameters::cursor(&value)?),
            "limit" => query.limit = parameters::limit(&value)?,
            _ => return Err(parameters::unknown(&key)),
        }
    }
    let page = doors.engine.dead_letters(query, cursor).await?;
    let render = if is_bus { letter_on_the_bus } else { letter_json };
    answer(&json!({
        "dead_letters": page.letters.iter().map(render).collect::<Vec<_>>(),
        "total": page.total,
        "next": page.next.map(tacho_engine::Cursor::to_text),
        "position": page.position.0,
    }))
}

pub(crate) async fn causes(State(doors): State<SharedDoors>, uri: Uri) -> Answer {
    parameters::none(&uri)?;
    let causes = doors.engine.dead_letter_causes().await?;
    let total: u64 = causes.iter().map(|cause| cause.count).sum();
    let causes: Vec<Value> = causes
        .iter()
        .map(|cause| {
            json!({
                "handler": cause.handler, "code": cause.code, "count": cause.count,
                "first": cause.first.to_rfc3339_millis(), "last": cause.last.to_rfc3339_millis(),
                "message": cause.message,
            })
        })
        .collect();
    answer(&json!({"causes": causes, "total": total}))
}

pub(crate) async fn one(State(doors): State<SharedDoors>, Path(id): Path<String>, uri: Uri) -> Answer {
    parameters::none(&uri)?;
    let letter = doors.engine.dead_letter(&id).await?.ok_or(LetterError::Unknown(id))?;
    answer(&letter_json(&letter))
}

pub(crate) async fn retry(
    State(doors): State<SharedDoors>,
    Path(id): Path<String>,
    request: Request,
) -> Answer {
    let order = Order::read(&doors, request).await?;
    order.only(&["data", "reason"])?;
    // Null is a payload too.
    let data = tacho_event::json::member(&order.body, "data").map(<[u8]>::to_vec);
    doors.engine.settle_letter(&id, LetterDeed::Retry { data }, order.asker).await?;
    answer(&json!({"id": id, "state": "retried"}))
}

pub(crate) async fn discard(
    State(doors): State<SharedDoors>,
    Path(id): Path<String>,
    request: Request,
) -> Answer {
    let order = Order::read(&doors, request).await?;
    order.only(&["reason"])?;
    with_reason(&order)?;
    doors.engine.settle_letter(&id, LetterDeed::Discard, order.asker).await?;
    answer(&json!({"id": id, "state": "discarded"}))
}

pub(crate) async fn retry_many(State(doors): State<SharedDoors>, request: Request) -> Answer {
    let order = Order::read(&doors, request).await?;
    settle_many(&doors, order, LetterDeed::Retry { data: None }).await
}

pub(crate) async fn discard_many(State(doors): State<SharedDoors>, request: Request) -> Answer {
    let order = Order::read(&doors, request).await?;
    with_reason(&order)?;
    settle_many(&doors, order, LetterDeed::Discard).await
}

async fn settle_many(doors: &SharedDoors, order: Order, deed: LetterDeed) -> Answer {
    order.only(&["handler", "code", "reason"])?;
    let query =
        LetterQuery { handler: order.text("handler"), code: order.text("code"), ..LetterQuery::default() };
    let (count, left) = doors.engine.settle_letters(query, deed, order.asker).await?;
    answer(&json!({"count": count, "left": left}))
}

fn with_reason(order: &Order) -> Result<(), Problem> {
    if order.asker.reason.is_empty() {
        return Err(Problem::new(Code::InvalidEvent, "`reason` is missing: say why it is given up"));
    }
    Ok(())
}

impl From<LetterError> for Problem {
    fn from(error: LetterError) -> Self {
        let code = match error {
            LetterError::Unknown(_) => Code::NotFound,
            LetterError::Settled { .. } => Code::AlreadySettled,
            LetterError::NoHandler(_) => Code::NotRunning,
            LetterError::Event(_) => Code::InvalidEvent,
            LetterError::Append(error) => return error.into(),
            LetterError::Query(error) => return error.into(),
        };
        Self::new(code, error.to_string())
    }
}
