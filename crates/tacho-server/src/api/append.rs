//! `POST /api/events`.

use super::schemas;
use crate::doors::{Answer, SharedDoors, json};
use crate::problem::Problem;
use crate::{body, parameters};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use tacho_engine::{Appended, Precondition};
use tacho_event::{Code, Event, Sequence, json as text};

const EXPECTED_SEQUENCE: HeaderName = HeaderName::from_static("expected-sequence");
/// Streams that one header may name.
const MAX_PRECONDITIONS: usize = 100;

pub(crate) async fn append(State(doors): State<SharedDoors>, request: Request) -> Answer {
    let (parts, body) = request.into_parts();
    let body = body::read(body, doors.config.intake.limits.batch_bytes, &doors).await?;
    let asked = parameters::validate(&parts.uri)?;
    let engine = &doors.engine;
    let incoming =
        doors.intake.parse_request(&parts.headers, &body, engine.now(), &mut || engine.new_id())?;
    drop(body);
    if incoming.iter().any(|one| doors.intake.is_strict(one, asked)) {
        let registry = engine.schemas().await?;
        doors.intake.validity.learn(&registry);
        let strict = incoming.iter().enumerate().filter(|(_, one)| doors.intake.is_strict(one, asked));
        schemas::validate(&registry, strict.map(|(index, one)| (index, &one.event)))?;
    }
    let events = doors.intake.apply_rules(incoming.into_iter().map(|one| one.event).collect());
    let preconditions = preconditions(&parts.headers, &events)?;
    let answer = AppendAnswer::new(&events);
    let appended = engine.append(events, preconditions).await?;
    Ok(json(StatusCode::CREATED, answer.finish(&appended)))
}

/// The answer, whose names are written before the events are given away.
struct AppendAnswer {
    /// `{"id":…,"subject":…` of each event, one behind the other.
    names: Vec<u8>,
    ends: Vec<u32>,
}

impl AppendAnswer {
    fn new(events: &[Event]) -> Self {
        let mut answer =
            Self { names: Vec::with_capacity(events.len() * 80), ends: Vec::with_capacity(events.len()) };
        for event in events {
            answer.names.extend_from_slice(b"{\"id\":");
            text::write_string(event.id(), &mut answer.names);
            answer.names.extend_from_slice(b",\"subject\":");
            text::write_string(event.stream(), &mut answer.names);
            answer.ends.push(answer.names.len() as u32);
        }
        answer
    }

    fn finish(self, appended: &Appended) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.names.len() + appended.events.len() * 72 + 16);
        out.extend_from_slice(b"{\"appended\":[");
        let mut start = 0;
        for (index, (end, receipt)) in self.ends.iter().zip(&appended.events).enumerate() {
            if index > 0 {
                out.push(b',');
            }
            out.extend_from_slice(&self.names[start..*end as usize]);
            start = *end as usize;
            out.extend_from_slice(b",\"sequence\":");
            write_number(receipt.sequence.0, &mut out);
            out.extend_from_slice(b",\"position\":");
            write_number(receipt.position.0, &mut out);
            let duplicate: &[u8] =
                if receipt.duplicate { b",\"duplicate\":true}" } else { b",\"duplicate\":false}" };
            out.extend_from_slice(duplicate);
        }
        out.extend_from_slice(b"]}");
        out
    }
}

pub(crate) fn write_number(mut number: u64, out: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// `Expected-Sequence: N|none|any` for the one stream of the request, or `stream=N|none, …` for any streams.
fn preconditions(headers: &HeaderMap, events: &[Event]) -> Result<Vec<Precondition>, Problem> {
    let Some(header) = headers.get(EXPECTED_SEQUENCE) else { return Ok(Vec::new()) };
    let refuse = |what: &str| {
        let detail = format!(
            "`Expected-Sequence` {what}: send a sequence, none, any, or a list such as task/x=3, lease/y=none"
        );
        Problem::new(Code::InvalidHeader, detail)
    };
    let value = std::str::from_utf8(header.as_bytes()).map_err(|_| refuse("is not UTF-8"))?.trim();
    if value == "any" {
        return Ok(Vec::new());
    }
    if !value.contains('=') {
        let expected = sequence(value).ok_or_else(|| refuse("cannot be read"))?;
        let stream = events.first().map_or("", Event::stream);
        if events.iter().any(|event| event.stream() != stream) {
            return Err(refuse("names no stream, but the events are of several"));
        }
        return Ok(vec![Precondition { stream: stream.to_owned(), expected }]);
    }
    let mut preconditions = Vec::new();
    for part in value.split(',') {
        let (stream, expected) = part.trim().rsplit_once('=').ok_or_else(|| refuse("cannot be read"))?;
        if expected == "any" {
            continue;
        }
        let expected = sequence(expected).ok_or_else(|| refuse("cannot be read"))?;
        preconditions.push(Precondition { stream: stream.to_owned(), expected });
    }
    if preconditions.len() > MAX_PRECONDITIONS {
        return Err(refuse("names more than 100 streams"));
    }
    Ok(preconditions)
}

fn sequence(text: &str) -> Option<Sequence> {
    if text == "none" { Some(Sequence::ZERO) } else { text.parse().ok().map(Sequence) }
}
