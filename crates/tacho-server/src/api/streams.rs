//! `GET /api/streams` and `GET /api/streams/{category}/{id}`.

use crate::doors::{Answer, SharedDoors, json};
use crate::parameters;
use crate::problem::quoted;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use std::fmt::Write;
use tacho_engine::{StreamQuery, StreamState, Wait};
use tacho_event::stream;

/// Most streams of a page.
const MAX_LIMIT: usize = 1_000;

pub(crate) async fn list(State(doors): State<SharedDoors>, uri: Uri) -> Answer {
    let mut query = StreamQuery { limit: doors.config.limits.page_events, ..StreamQuery::default() };
    let mut wait = Wait::Head;
    for (key, value) in parameters::pairs(&uri)? {
        match key.as_str() {
            "category" => query.prefix = format!("{value}/"),
            "prefix" => query.prefix = value,
            "after" => query.after = Some(value),
            "limit" => query.limit = parameters::limit(&value)?.min(MAX_LIMIT),
            "system" => query.system = parameters::switch(&key, &value)?,
            "wait" => wait = parameters::wait(&value)?,
            _ => return Err(parameters::unknown(&key)),
        }
    }
    let limit = query.limit;
    // One more tells whether there is a next page.
    query.limit += 1;
    let (mut streams, position) = doors.engine.streams(query, wait).await?;
    let more = streams.len() > limit;
    streams.truncate(limit);
    let next = streams.last().filter(|_| more).map_or("null".to_owned(), |last| quoted(&last.name));
    let listed: Vec<String> = streams.iter().map(stream_json).collect();
    let body = format!("{{\"streams\":[{}],\"next\":{next},\"position\":{position}}}", listed.join(","));
    Ok(json(StatusCode::OK, body.into_bytes()))
}

pub(crate) async fn one(
    State(doors): State<SharedDoors>,
    Path((category, id)): Path<(String, String)>,
    uri: Uri,
) -> Answer {
    let mut wait = Wait::Head;
    for (key, value) in parameters::pairs(&uri)? {
        match key.as_str() {
            "wait" => wait = parameters::wait(&value)?,
            _ => return Err(parameters::unknown(&key)),
        }
    }
    let stream = doors.engine.stream(&format!("{category}/{id}"), wait).await?;
    Ok(json(StatusCode::OK, stream_json(&stream).into_bytes()))
}

fn stream_json(state: &StreamState) -> String {
    let category = stream::category(&state.name);
    let id = state.name.get(category.len() + 1..).unwrap_or_default();
    let mut out = format!(
        "{{\"stream\":{},\"category\":{},\"id\":{},\"sequence\":{}",
        quoted(&state.name),
        quoted(category),
        quoted(id),
        state.sequence
    );
    for (name, (position, time)) in [("first", state.first), ("last", state.last)] {
        let _ = write!(out, ",\"{name}\":{{\"position\":{position},\"time\":\"{time}\"}}");
    }
    let phase = state.phase.as_deref().map_or("null".to_owned(), quoted);
    let _ = write!(out, ",\"phase\":{phase}}}");
    out
}
