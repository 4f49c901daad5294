//! `GET /api/events` and `GET /api/events/{id}`.

use super::append::write_number;
use crate::doors::{Answer, SharedDoors, json};
use crate::intake::{self, Format};
use crate::parameters::{self, ListParameters};
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use tacho_engine::{Page, Wait};

pub(crate) async fn list(State(doors): State<SharedDoors>, uri: Uri) -> Answer {
    let page_events = doors.config.limits.page_events;
    let list = ListParameters::read(&uri, doors.engine.now(), page_events)?;
    let page = doors.engine.query(list.query).await?;
    Ok(json(StatusCode::OK, page_json(&page, list.format)))
}

pub(crate) async fn one(State(doors): State<SharedDoors>, Path(id): Path<String>, uri: Uri) -> Answer {
    let (mut source, mut format, mut wait, mut raw) = (None, Format::default(), Wait::Head, false);
    for (key, value) in parameters::pairs(&uri)? {
        match key.as_str() {
            "source" => source = Some(value),
            "format" => format = parameters::format(&value)?,
            "wait" => wait = parameters::wait(&value)?,
            "raw" => raw = parameters::switch(&key, &value)?,
            _ => return Err(parameters::unknown(&key)),
        }
    }
    let event = if raw {
        doors.engine.stored_event(&id, source.as_deref(), wait).await?
    } else {
        doors.engine.event(&id, source.as_deref(), wait).await?
    };
    let mut body = Vec::new();
    intake::render(&event, format, &mut body);
    Ok(json(StatusCode::OK, body))
}

fn page_json(page: &Page, format: Format) -> Vec<u8> {
    let bytes: usize = page.events.iter().map(|event| event.bytes().len() + 200).sum();
    let mut out = Vec::with_capacity(bytes + 200);
    out.extend_from_slice(b"{\"events\":[");
    for (index, event) in page.events.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        intake::render(event, format, &mut out);
    }
    out.extend_from_slice(b"],\"next\":");
    match page.next {
        Some(cursor) => out.extend_from_slice(format!("\"{}\"", cursor.to_text()).as_bytes()),
        None => out.extend_from_slice(b"null"),
    }
    out.extend_from_slice(b",\"position\":");
    write_number(page.position.0, &mut out);
    out.extend_from_slice(b",\"scanned_to\":");
    write_number(page.scanned_to.0, &mut out);
    out.push(b'}');
    out
}
