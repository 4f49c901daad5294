//! An event as the journal keeps it.

use crate::json;
use crate::names::{self, Names};
use crate::{Position, Sequence, Timestamp};
use bytes::Bytes;
use std::borrow::Cow;

/// An event on the log. Cloning shares its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    pub position: Position,
    pub sequence: Sequence,
    /// When the journal accepted it; never before that of the event before it.
    pub recorded: Timestamp,
    bytes: Bytes,
    names: Names,
}

impl Recorded {
    /// `bytes` are the names and the body behind them, as [`crate::Event::bytes`] gives them;
    /// `None` where the names are not whole.
    pub fn new(position: Position, sequence: Sequence, recorded: Timestamp, bytes: Bytes) -> Option<Self> {
        let names = Names::find(&bytes)?;
        Some(Self { position, sequence, recorded, bytes, names })
    }

    pub fn stream(&self) -> &str {
        self.names.get(&self.bytes, names::STREAM)
    }

    pub fn source(&self) -> &str {
        self.names.get(&self.bytes, names::SOURCE)
    }

    pub fn id(&self) -> &str {
        self.names.get(&self.bytes, names::ID)
    }

    pub fn kind(&self) -> &str {
        self.names.get(&self.bytes, names::TYPE)
    }

    /// `LP(stream) ‖ LP(source) ‖ LP(id) ‖ LP(type)`.
    pub fn name_bytes(&self) -> &[u8] {
        &self.bytes[..self.names.length()]
    }

    /// The stored body: a minified JSON object of every attribute but the names.
    pub fn body(&self) -> &[u8] {
        &self.bytes[self.names.length()..]
    }

    /// Names and body together.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Name and minified JSON of every attribute but the names, the payload last.
    pub fn attributes(&self) -> json::Members<'_> {
        json::members(self.body())
    }

    /// The minified JSON of one attribute.
    pub fn attribute(&self, name: &str) -> Option<&[u8]> {
        json::member(self.body(), name)
    }

    /// The text of one attribute.
    pub fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        self.attribute(name).map(json::text)
    }

    /// The payload's minified JSON, when it is JSON.
    pub fn data(&self) -> Option<&[u8]> {
        self.attribute("data")
    }

    /// When it happened: `time`, else when it was recorded.
    pub fn time(&self) -> Timestamp {
        self.text("time").and_then(|time| Timestamp::from_rfc3339(&time)).unwrap_or(self.recorded)
    }

    /// Whether it is bookkeeping of Tachograph itself, which lists leave out.
    pub fn is_bookkeeping(&self) -> bool {
        self.kind().starts_with("tacho.sys.")
    }

    /// Appends the canonical form: CloudEvents 1.0 structured JSON, minified.
    pub fn write_cloudevent(&self, out: &mut Vec<u8>) {
        out.reserve(self.bytes.len() + 200);
        out.extend_from_slice(b"{\"specversion\":\"1.0\"");
        for (name, value) in
            [("id", self.id()), ("source", self.source()), ("type", self.kind()), ("subject", self.stream())]
        {
            out.extend_from_slice(b",\"");
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b"\":");
            json::write_string(value, out);
        }
        out.extend_from_slice(b",\"sequence\":\"");
        out.extend_from_slice(&self.sequence.padded());
        out.extend_from_slice(b"\",\"position\":");
        out.extend_from_slice(self.position.0.to_string().as_bytes());
        out.extend_from_slice(b",\"recordedtime\":\"");
        out.extend_from_slice(self.recorded.to_rfc3339().as_bytes());
        out.push(b'"');
        let rest = self.body().strip_prefix(b"{\"specversion\":\"1.0\"").unwrap_or(b"}");
        out.extend_from_slice(rest);
    }

    /// The canonical form as text.
    pub fn to_cloudevent(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write_cloudevent(&mut out);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Draft, Sameness};

    #[test]
    fn the_canonical_form_holds_everything() {
        let mut draft = Draft::new("demo.a", "/t", "i\"d");
        draft.subject = Some("task/x".into());
        draft.put_text("time", "2026-01-01T00:00:00Z");
        draft.set_data(&b"{\"n\":1.50}"[..]);
        let event = draft.finish(Sameness::FirstWins).unwrap();
        let recorded = Recorded::new(
            Position(42),
            Sequence(7),
            Timestamp(1_500_000_000),
            Bytes::copy_from_slice(event.bytes()),
        )
        .unwrap();
        assert_eq!(
            String::from_utf8(recorded.to_cloudevent()).unwrap(),
            r#"{"specversion":"1.0","id":"i\"d","source":"/t","type":"demo.a","subject":"task/x","sequence":"00000000000000000007","position":42,"recordedtime":"1970-01-01T00:00:01.500Z","time":"2026-01-01T00:00:00Z","data":{"n":1.50}}"#
        );
        assert_eq!(recorded.time(), Timestamp::from_rfc3339("2026-01-01T00:00:00Z").unwrap());
        assert_eq!(recorded.data(), Some(&b"{\"n\":1.50}"[..]));
    }
}
