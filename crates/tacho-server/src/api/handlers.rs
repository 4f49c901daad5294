//! `GET /api/handlers`, `GET /api/handlers/{name}` and `GET /api/dead-letters`: how deliveries go.

use crate::doors::{Answer, SharedDoors, json};
use crate::parameters;
use crate::problem::{Problem, quoted};
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use tacho_engine::delivery::{DeadLetter, HandlerStatus};
use tacho_event::Code;

pub(crate) async fn list(State(doors): State<SharedDoors>, uri: Uri) -> Answer {
    parameters::none(&uri)?;
    let handlers: Vec<String> = doors.engine.handlers().iter().map(status_json).collect();
    Ok(json(StatusCode::OK, format!("{{\"handlers\":[{}]}}", handlers.join(",")).into_bytes()))
}

pub(crate) async fn one(State(doors): State<SharedDoors>, Path(name): Path<String>, uri: Uri) -> Answer {
    parameters::none(&uri)?;
    let status = doors.engine.handler(&name).ok_or_else(|| {
        Problem::new(Code::NotFound, format!("no handler is named {name:?}: see /api/handlers"))
    })?;
    Ok(json(StatusCode::OK, status_json(&status).into_bytes()))
}

pub(crate) async fn dead_letters(State(doors): State<SharedDoors>, uri: Uri) -> Answer {
    let (mut handler, mut cursor, mut limit) = (None, None, doors.config.limits.page_events);
    for (key, value) in parameters::pairs(&uri)? {
        match key.as_str() {
            "handler" => handler = Some(value),
            "cursor" => cursor = Some(parameters::cursor(&value)?),
            "limit" => limit = parameters::limit(&value)?,
            _ => return Err(parameters::unknown(&key)),
        }
    }
    let page = doors.engine.dead_letters(handler.as_deref(), cursor, limit).await?;
    let mut body = b"{\"dead_letters\":[".to_vec();
    for (index, letter) in page.letters.iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        write_letter(letter, &mut body);
    }
    let next = page.next.map_or("null".to_owned(), |cursor| format!("\"{}\"", cursor.to_text()));
    body.extend_from_slice(format!("],\"next\":{next},\"position\":{}}}", page.position).as_bytes());
    Ok(json(StatusCode::OK, body))
}

fn status_json(status: &HandlerStatus) -> String {
    let maybe = |text: Option<String>| text.map_or("null".to_owned(), |text| quoted(&text));
    format!(
        "{{\"name\":{},\"kind\":{},\"state\":\"{}\",\"position\":{},\"head\":{},\"pending\":{},\"done\":{},\"dead\":{},\
         \"skipped\":{},\"rate_per_second\":{:.3},\"attempt\":{},\"last_error\":{},\"next_attempt\":{},\
         \"breaker\":\"closed\"}}",
        quoted(&status.name),
        quoted(status.kind),
        status.state.as_str(),
        status.position,
        status.head,
        status.pending,
        status.done,
        status.dead,
        status.skipped,
        status.rate_per_second,
        status.attempt,
        maybe(status.last_error.clone()),
        maybe(status.next_attempt.map(|moment| moment.to_rfc3339_millis())),
    )
}

fn write_letter(letter: &DeadLetter, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("{{\"id\":{}", quoted(letter.letter.id())).as_bytes());
    for name in ["handler", "attempts", "error", "failedAt"] {
        out.extend_from_slice(format!(",\"{name}\":").as_bytes());
        out.extend_from_slice(letter.field(name).unwrap_or(b"null"));
    }
    out.extend_from_slice(b",\"event\":");
    match &letter.event {
        Some(event) => event.write_cloudevent(out),
        None => out.extend_from_slice(b"null"),
    }
    out.push(b'}');
}
