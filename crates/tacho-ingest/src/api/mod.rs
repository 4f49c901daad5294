//! The body of `POST /api/events` → events: one object, an array, JSON Lines, CloudEvents (structured, batch,
//! binary), each object in any shape that is recognised by its fields.
//!
//! The bytes are walked, never built into a tree: checked and minified once, redacted once, then read where
//! they are.

mod binary;

use crate::door::{Door, Moment, complete};
use crate::hook;
use crate::shape::{self, Fields, Format, Shape};
use crate::{Limits, Refusal};
use tacho_event::json::{self, Kind};
use tacho_event::{Code, Event, Timestamp};

/// A request as the server received it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Request<'a> {
    /// The Content-Type header.
    pub content_type: Option<&'a str>,
    /// Every header whose name begins with `ce-`: the attributes of binary mode.
    pub attributes: &'a [(&'a str, &'a [u8])],
    pub body: &'a [u8],
}

/// An event, and the shape in which it came; `None` where it came of a hook's payload.
#[derive(Debug)]
pub struct Incoming {
    pub event: Event,
    pub format: Option<Format>,
}

/// The events of [`read`] alone.
///
/// # Errors
/// As [`read`].
pub fn parse(
    request: &Request<'_>,
    door: &Door<'_>,
    now: Timestamp,
    new_id: &mut dyn FnMut() -> String,
) -> Result<Vec<Event>, Refusal> {
    let incoming = read(request, door, now, new_id)?;
    Ok(incoming.into_iter().map(|incoming| incoming.event).collect())
}

/// Reads a request. Ids that the client left out come from `new_id`, times that it left out are `now`.
///
/// # Errors
/// The first thing that is wrong, with a stable code; then nothing may be stored.
pub fn read(
    request: &Request<'_>,
    door: &Door<'_>,
    now: Timestamp,
    new_id: &mut dyn FnMut() -> String,
) -> Result<Vec<Incoming>, Refusal> {
    let Limits { batch_bytes, .. } = door.limits;
    if request.body.len() > batch_bytes {
        return Err(Refusal::new(
            Code::BatchTooLarge,
            format!(
                "the body is {} bytes, the limit is {batch_bytes}: send smaller batches",
                request.body.len()
            ),
        ));
    }
    let now_json = format!("\"{}\"", now.to_rfc3339());
    let mut moment = Moment { now: now_json.as_bytes(), new_id, first_wins: false, trace: None };
    let media_type = media_type(request.content_type);
    if !request.attributes.is_empty() && !media_type.starts_with("application/cloudevents") {
        let event = binary::parse(request, &media_type, door, &mut moment)?;
        return Ok(vec![Incoming { event, format: Some(Format::CloudEvents) }]);
    }
    if !is_json(&media_type) {
        return Err(Refusal::new(
            Code::UnsupportedMediaType,
            format!(
                "content type {media_type:?} is none that is accepted: send application/json, \
                 application/cloudevents+json, application/cloudevents-batch+json or application/x-ndjson"
            ),
        ));
    }
    structured(request.body, door, now, &mut moment)
}

fn structured(
    body: &[u8],
    door: &Door<'_>,
    now: Timestamp,
    moment: &mut Moment<'_, '_>,
) -> Result<Vec<Incoming>, Refusal> {
    // Several texts become one array: the bracket in front is skipped when there is one text only.
    let mut document = Vec::with_capacity(body.len() + 2);
    document.push(b'[');
    let texts = json::minify_sequence(body, door.limits.depth, &mut document)?;
    let start = if texts == 1 {
        1
    } else {
        document.push(b']');
        0
    };
    let document = door.redactor.redact_json(&document[start..]);
    let mut events = Vec::new();
    if texts == 1 && json::kind(&document) != Kind::Array {
        one(&document, door, now, moment, &mut events)?;
        return Ok(events);
    }
    for (index, object) in json::elements(&document).enumerate() {
        if index == door.limits.batch_events {
            return Err(Refusal::new(
                Code::BatchTooLarge,
                format!("the batch holds more than {index} events: send smaller batches"),
            ));
        }
        one(object, door, now, moment, &mut events).map_err(|refusal| refusal.at(index))?;
    }
    if events.is_empty() {
        return Err(Refusal::event("the body holds no event: send one object, an array or JSON lines"));
    }
    Ok(events)
}

fn one(
    object: &[u8],
    door: &Door<'_>,
    now: Timestamp,
    moment: &mut Moment<'_, '_>,
    events: &mut Vec<Incoming>,
) -> Result<(), Refusal> {
    let fields = Fields::read(object)?;
    match shape::recognise(&fields)? {
        Shape::Format(format) => {
            let shaped = shape::parse(&fields, format, door.redactor)?;
            let event = complete(shaped, &door.limits, moment)?;
            events.push(Incoming { event, format: Some(format) });
        }
        Shape::Hook => {
            let id = (moment.new_id)();
            let input = hook::HookInput {
                agent: hook::Agent::of_payload(object),
                id: &id,
                time: now,
                git_sha: None,
                branch: None,
                traceparent: None,
                payload: object,
            };
            let of_hook = hook::parse(&input, door).into_iter();
            events.extend(of_hook.map(|event| Incoming { event, format: None }));
        }
    }
    Ok(())
}

/// The media type in lower case, without parameters.
fn media_type(content_type: Option<&str>) -> String {
    let essence = content_type.unwrap_or_default().split(';').next().unwrap_or_default();
    essence.trim().to_ascii_lowercase()
}

fn is_json(media_type: &str) -> bool {
    const OTHERS: [&str; 4] =
        ["application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"];
    media_type == "application/json"
        || (media_type.starts_with("application/") && media_type.ends_with("+json"))
        || OTHERS.contains(&media_type)
}
