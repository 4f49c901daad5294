//! `GET /api/streams/{category}/{id}/timeline`: a stream's history, a line an event.

use crate::doors::{Answer, SharedDoors, json};
use crate::parameters::ListParameters;
use crate::problem::quoted;
use crate::summary;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use tacho_engine::QueryError;
use tacho_event::{Pattern, Position, Recorded};

pub(crate) async fn timeline(
    State(doors): State<SharedDoors>,
    Path((category, id)): Path<(String, String)>,
    uri: Uri,
) -> Answer {
    let stream = format!("{category}/{id}");
    let page_events = doors.config.limits.page_events;
    let mut list = ListParameters::read(&uri, doors.engine.now(), page_events)?;
    list.query.filter.stream = Some(Pattern::new(stream.as_str()));
    let from_start = list.query.cursor.is_none() && list.query.after.is_none();
    let page = doors.engine.query(list.query).await?;
    // The name of a stream may hold a star, which a pattern takes for any run of characters.
    let entries: Vec<String> =
        page.events.iter().filter(|event| event.stream() == stream).map(entry_json).collect();
    if entries.is_empty() && from_start && page.next.is_none() && page.position > Position::ZERO {
        doors.engine.stream(&stream, tacho_engine::Wait::No).await?;
    } else if page.position == Position::ZERO {
        return Err(QueryError::StreamNotFound(stream).into());
    }
    let next = page.next.map_or("null".to_owned(), |cursor| format!("\"{}\"", cursor.to_text()));
    let body = format!(
        "{{\"stream\":{},\"entries\":[{}],\"next\":{next},\"position\":{}}}",
        quoted(&stream),
        entries.join(","),
        page.position
    );
    Ok(json(StatusCode::OK, body.into_bytes()))
}

fn entry_json(event: &Recorded) -> String {
    let text = |name: &str| event.text(name).map_or("null".to_owned(), |text| quoted(&text));
    format!(
        "{{\"position\":{},\"sequence\":{},\"id\":{},\"time\":\"{}\",\"type\":{},\"actortype\":{},\"actorid\":{},\
         \"severity\":{},\"summary\":{}}}",
        event.position,
        event.sequence,
        quoted(event.id()),
        event.time(),
        quoted(event.kind()),
        text("actortype"),
        text("actorid"),
        text("severity"),
        quoted(&summary::summary(event))
    )
}
