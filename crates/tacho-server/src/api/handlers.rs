//! `GET /api/handlers…`: how handlers and sinks are doing.

use crate::doors::{Answer, SharedDoors, json};
use crate::parameters;
use crate::problem::Problem;
use crate::reactions::{deed_json, pending_json, status_json, throughput_json};
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use serde_json::Value;
use tacho_engine::Engine;
use tacho_event::Code;

/// Events or deliveries of an answer unless asked otherwise.
const LIMIT: usize = 100;

pub(crate) async fn list(State(doors): State<SharedDoors>, uri: Uri) -> Answer {
    parameters::none(&uri)?;
    let handlers = on_a_thread(&doors.engine, |engine| Ok(engine.handlers())).await?;
    let handlers: Vec<Value> = handlers.iter().map(status_json).collect();
    answer(&serde_json::json!({"handlers": handlers}))
}

pub(crate) async fn one(State(doors): State<SharedDoors>, Path(name): Path<String>, uri: Uri) -> Answer {
    parameters::none(&uri)?;
    answer(&show(&doors.engine, name).await?)
}

pub(crate) async fn pending(doors: State<SharedDoors>, Path(name): Path<String>, uri: Uri) -> Answer {
    let limit = limit(&uri)?;
    let found = on_a_thread(&doors.engine, move |engine| Ok(engine.pending_of(&name, limit)?));
    let (pending, total) = found.await?;
    let pending: Vec<Value> = pending.iter().map(pending_json).collect();
    answer(&serde_json::json!({"pending": pending, "total": total}))
}

pub(crate) async fn deliveries(doors: State<SharedDoors>, Path(name): Path<String>, uri: Uri) -> Answer {
    let limit = limit(&uri)?;
    let deeds = on_a_thread(&doors.engine, move |engine| Ok(engine.deliveries_of(&name, limit)?)).await?;
    answer(&serde_json::json!({"deliveries": deeds.iter().map(deed_json).collect::<Vec<_>>()}))
}

pub(crate) async fn map(State(doors): State<SharedDoors>, uri: Uri) -> Answer {
    let mut minutes = 60;
    for (key, value) in parameters::pairs(&uri)? {
        match key.as_str() {
            "window" => minutes = window_minutes(&value)?,
            _ => return Err(parameters::unknown(&key)),
        }
    }
    let throughput = on_a_thread(&doors.engine, move |engine| Ok(engine.throughput(minutes))).await?;
    let handlers: Vec<Value> = throughput.iter().map(throughput_json).collect();
    answer(&serde_json::json!({"window_seconds": minutes * 60, "handlers": handlers}))
}

/// One handler or sink, as the list tells it.
pub(crate) async fn show(engine: &Engine, name: String) -> Result<Value, Problem> {
    on_a_thread(engine, move |engine| {
        let status = engine.handler(&name).ok_or_else(|| {
            Problem::new(Code::NotFound, format!("no handler is named {name:?}: see `tacho handler list`"))
        })?;
        Ok(status_json(&status))
    })
    .await
}

/// Asks handlers on a thread that may block.
pub(crate) async fn on_a_thread<T: Send + 'static>(
    engine: &Engine,
    work: impl FnOnce(&Engine) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let engine = engine.clone();
    let done = tokio::task::spawn_blocking(move || work(&engine)).await;
    done.unwrap_or_else(|error| Err(Problem::new(Code::Internal, error.to_string())))
}

pub(crate) fn answer(body: &Value) -> Answer {
    Ok(json(StatusCode::OK, body.to_string().into_bytes()))
}

fn limit(uri: &Uri) -> Result<usize, Problem> {
    let mut limit = LIMIT;
    for (key, value) in parameters::pairs(uri)? {
        match key.as_str() {
            "limit" => limit = parameters::limit(&value)?,
            _ => return Err(parameters::unknown(&key)),
        }
    }
    Ok(limit)
}

/// `5m` or `1h`.
fn window_minutes(text: &str) -> Result<usize, Problem> {
    let number = |unit| text.strip_suffix(unit).and_then(|number: &str| number.parse::<usize>().ok());
    let minutes = number("m").or_else(|| number("h").map(|hours| hours.saturating_mul(60)));
    minutes.filter(|minutes| (1..=60).contains(minutes)).ok_or_else(|| {
        Problem::new(Code::InvalidFilter, format!("`window` is {text:?}: write 1m to 60m, or 1h"))
            .with("parameter", crate::problem::quoted("window"))
    })
}
