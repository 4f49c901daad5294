//! The shapes in which an event comes in and goes out. Each is a file with both directions; the canonical
//! one is CloudEvents 1.0, and it alone loses nothing.

mod audit;
mod cloudevent;
mod fields;
mod mcp;
mod object;
mod otel;
mod simple;

pub(crate) use fields::{Fields, identifier, key_text, moment};
pub(crate) use otel::annotation;

use crate::Refusal;
use crate::redact::Redactor;
use std::borrow::Cow;
use tacho_event::{Draft, Recorded};

/// A shape that an answer may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// CloudEvents 1.0 structured JSON.
    #[default]
    CloudEvents,
    /// The record of an audit trail: `event_id`, `event_type`, `actor`, `metadata`, …
    Base,
    /// `event_type`, `timestamp` in seconds, `payload`.
    Simple,
    /// A span event of OpenTelemetry: `name`, `trace_id`, `span_id`, `attributes`, …
    Otel,
    /// An event of a bus for tool servers: `event`, `serverId`, `conversationId`, `payload`.
    Mcp,
}

impl Format {
    pub const ALL: [Self; 5] = [Self::CloudEvents, Self::Base, Self::Simple, Self::Otel, Self::Mcp];

    /// The name in `?format=` and `--format`.
    pub fn name(self) -> &'static str {
        match self {
            Self::CloudEvents => "cloudevents",
            Self::Base => "base",
            Self::Simple => "simple",
            Self::Otel => "otel",
            Self::Mcp => "mcp",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }
}

/// Appends the event as minified JSON of that shape.
pub fn render(event: &Recorded, format: Format, out: &mut Vec<u8>) {
    match format {
        Format::CloudEvents => event.write_cloudevent(out),
        Format::Base => audit::render(event, out),
        Format::Simple => simple::render(event, out),
        Format::Otel => otel::render(event, out),
        Format::Mcp => mcp::render(event, out),
    }
}

/// What an incoming object was read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Format(Format),
    Hook,
}

/// An event as its producer sent it. What is absent stays absent until the digest was taken.
pub(crate) struct Shaped<'a> {
    pub draft: Draft<'a>,
    pub id: Option<Cow<'a, str>>,
    pub source: Option<Cow<'a, str>>,
    /// The stream that the shape knows when the producer named none; else it is the source's.
    pub stream: Option<String>,
}

/// Recognises the shape by its fields.
pub(crate) fn recognise(fields: &Fields<'_>) -> Result<Shape, Refusal> {
    let has = |key: &str| fields.get(key).is_some();
    if has("specversion") {
        return Ok(Shape::Format(Format::CloudEvents));
    }
    if has("hook_event_name") {
        return Ok(Shape::Hook);
    }
    if has("event_type") {
        let base = ["event_id", "event_version", "metadata", "actor", "issue_key", "event_sequence"];
        let is_base = !has("payload") && base.into_iter().any(has);
        return Ok(Shape::Format(if is_base { Format::Base } else { Format::Simple }));
    }
    if has("event") && ["serverId", "payload", "conversationId", "context_id"].into_iter().any(has) {
        return Ok(Shape::Format(Format::Mcp));
    }
    if has("name") && ["attributes", "trace_id", "span_id", "kind", "timestamp"].into_iter().any(has) {
        return Ok(Shape::Format(Format::Otel));
    }
    if has("type") {
        return Ok(Shape::Format(Format::CloudEvents));
    }
    Err(Refusal::event(
        "the object is no event that is known: send a CloudEvent (`specversion`, `id`, `source`, `type`, `data`), \
         or one of the shapes with `event_type`, `event` and `serverId`, `name` and `attributes`, or `hook_event_name`",
    ))
}

/// Reads an object of a known shape.
pub(crate) fn parse<'a>(
    fields: &Fields<'a>,
    format: Format,
    redactor: &Redactor,
) -> Result<Shaped<'a>, Refusal> {
    match format {
        Format::CloudEvents => cloudevent::parse(fields, redactor),
        Format::Base => audit::parse(fields),
        Format::Simple => simple::parse(fields),
        Format::Otel => otel::parse(fields),
        Format::Mcp => mcp::parse(fields),
    }
}
