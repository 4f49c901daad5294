//! An event on its way in: its names, and its body as it will be stored.

use crate::attribute::{self, AttributeError};
use crate::json;
use crate::names::{self, Names};
use crate::stream;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use thiserror::Error;

/// Longest id, in bytes.
pub const MAX_ID_BYTES: usize = 256;
/// Longest type, in bytes.
pub const MAX_TYPE_BYTES: usize = 256;
/// Longest source and longest stream name, in bytes.
pub const MAX_NAME_BYTES: usize = 1024;
/// Most attributes beside the names and the payload.
pub const MAX_ATTRIBUTES: usize = 64;
/// Largest event unless configured otherwise, in bytes of its stored form.
pub const MAX_EVENT_BYTES: usize = 1024 * 1024;
/// Most handlers that an event may have passed through.
pub const MAX_HOPS: u64 = 32;

/// An event that was checked and may be appended. Its body is minified JSON of every attribute but the
/// four names; the payload stands last, so that a reader of attributes never walks through it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    bytes: Box<[u8]>,
    names: Names,
    sameness: Sameness,
}

/// What makes a second event with the same `(source, id)` the same event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sameness {
    /// The producer sent the same content: a digest of it after redaction, before anything was added.
    Content([u8; 32]),
    /// The id was derived from the event's cause, so the first one wins whatever the content.
    FirstWins,
}

/// Why something is not an event.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum EventError {
    #[error("`{0}` is missing: every event needs one")]
    Missing(&'static str),
    #[error("`{name}` is longer than {limit} bytes")]
    TooLong { name: &'static str, limit: usize },
    #[error("`{0}` contains a control character")]
    Control(&'static str),
    #[error("more than {MAX_ATTRIBUTES} attributes: put the rest into `data`")]
    TooManyAttributes,
    #[error(transparent)]
    Attribute(#[from] AttributeError),
    #[error("the event has passed through more than {MAX_HOPS} handlers: they answer each other in a loop")]
    Loop,
    #[error(
        "{0:?} is reserved: only Tachograph itself writes types `tacho.*` and streams handler/, lease/, registry/, dead-letter/, tacho/"
    )]
    Reserved(String),
    #[error("the event is {actual} bytes, the limit is {limit}")]
    TooLarge { actual: usize, limit: usize },
}

impl Event {
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

    /// The stored bytes: a minified JSON object of every attribute but the names.
    pub fn body(&self) -> &[u8] {
        &self.bytes[self.names.length()..]
    }

    /// `LP(stream) ‖ LP(source) ‖ LP(id) ‖ LP(type)`.
    pub fn name_bytes(&self) -> &[u8] {
        &self.bytes[..self.names.length()]
    }

    /// The names and the body behind them.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub fn sameness(&self) -> &Sameness {
        &self.sameness
    }

    /// Whether only the engine may write it.
    pub fn is_reserved(&self) -> bool {
        self.kind().starts_with("tacho.") || stream::is_reserved(self.stream())
    }
}

/// An event being put together: what the producer sent, then what Tachograph adds.
#[derive(Debug, Clone, Default)]
pub struct Draft<'a> {
    pub id: Cow<'a, str>,
    pub source: Cow<'a, str>,
    pub kind: Cow<'a, str>,
    /// The stream; derived by the door when the producer named none.
    pub subject: Option<Cow<'a, str>>,
    /// Name and minified JSON of every other attribute but the payload, in the order in which they came.
    attributes: Vec<(Cow<'a, str>, Cow<'a, [u8]>)>,
    /// The payload's attribute (`data` or `data_base64`) and its minified JSON.
    data: Option<(&'static str, Cow<'a, [u8]>)>,
}

impl<'a> Draft<'a> {
    pub fn new(
        kind: impl Into<Cow<'a, str>>,
        source: impl Into<Cow<'a, str>>,
        id: impl Into<Cow<'a, str>>,
    ) -> Self {
        Self { kind: kind.into(), source: source.into(), id: id.into(), ..Self::default() }
    }

    /// Sets an attribute that a client sent: checks its name and value.
    pub fn accept(
        &mut self,
        name: impl Into<Cow<'a, str>>,
        value: impl Into<Cow<'a, [u8]>>,
    ) -> Result<(), EventError> {
        let (name, value) = (name.into(), value.into());
        attribute::check(&name, &value)?;
        if self.attributes.len() >= MAX_ATTRIBUTES {
            return Err(EventError::TooManyAttributes);
        }
        self.put(name, value);
        Ok(())
    }

    /// Sets an attribute to minified JSON that is known to be right. The last one wins.
    pub fn put(&mut self, name: impl Into<Cow<'a, str>>, value: impl Into<Cow<'a, [u8]>>) {
        let (name, value) = (name.into(), value.into());
        match self.attributes.iter_mut().find(|(known, _)| *known == name) {
            Some(known) => known.1 = value,
            None => self.attributes.push((name, value)),
        }
    }

    /// Sets an attribute to a string.
    pub fn put_text(&mut self, name: impl Into<Cow<'a, str>>, text: &str) {
        let mut value = Vec::with_capacity(text.len() + 2);
        json::write_string(text, &mut value);
        self.put(name, value);
    }

    /// Sets an attribute to a string unless it is there.
    pub fn put_text_if_absent(&mut self, name: &'static str, text: &str) {
        if self.attribute(name).is_none() {
            self.put_text(name, text);
        }
    }

    pub fn set_data(&mut self, json: impl Into<Cow<'a, [u8]>>) {
        self.data = Some(("data", json.into()));
    }

    pub fn set_data_base64(&mut self, json: impl Into<Cow<'a, [u8]>>) {
        self.data = Some(("data_base64", json.into()));
    }

    /// The minified JSON of `data`.
    pub fn data(&self) -> Option<&[u8]> {
        self.data.as_ref().filter(|(name, _)| *name == "data").map(|(_, json)| json.as_ref())
    }

    /// The minified JSON of an attribute.
    pub fn attribute(&self, name: &str) -> Option<&[u8]> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_ref())
    }

    /// The text of an attribute.
    pub fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        self.attribute(name).map(json::text)
    }

    /// A digest of what was set so far, whatever its order: SHA-256 over `LP(name) ‖ LP(value)` of the
    /// type, the subject (when there is one), the attributes by name, and the payload.
    pub fn content(&self) -> Sameness {
        let mut parts: Vec<(&[u8], &[u8])> = Vec::with_capacity(self.attributes.len() + 3);
        parts.extend(self.attributes.iter().map(|(name, value)| (name.as_bytes(), value.as_ref())));
        parts.extend(self.data.iter().map(|(name, value)| (name.as_bytes(), value.as_ref())));
        parts.extend(self.subject.iter().map(|subject| (&b"subject"[..], subject.as_bytes())));
        parts.push((b"type", self.kind.as_bytes()));
        parts.sort_unstable_by_key(|(name, _)| *name);
        let mut bytes =
            Vec::with_capacity(parts.iter().map(|(name, value)| 8 + name.len() + value.len()).sum());
        for part in parts.iter().flat_map(|(name, value)| [name, value]) {
            bytes.extend_from_slice(&(part.len() as u32).to_be_bytes());
            bytes.extend_from_slice(part);
        }
        Sameness::Content(Sha256::digest(&bytes).into())
    }

    /// Checks the names and writes the body.
    pub fn finish(&self, sameness: Sameness) -> Result<Event, EventError> {
        check_name("id", &self.id, MAX_ID_BYTES)?;
        check_name("source", &self.source, MAX_NAME_BYTES)?;
        check_name("type", &self.kind, MAX_TYPE_BYTES)?;
        let subject = self.subject.as_deref().unwrap_or_default();
        check_name("subject", subject, MAX_NAME_BYTES)?;
        if self
            .attribute("hops")
            .is_some_and(|hops| json::text(hops).parse().is_ok_and(|hops: u64| hops > MAX_HOPS))
        {
            return Err(EventError::Loop);
        }
        let names = [subject, &self.source, &self.id, &self.kind];
        let mut bytes = Vec::with_capacity(self.size_hint(&names));
        let names = Names::write(names, &mut bytes);
        bytes.extend_from_slice(b"{\"specversion\":\"1.0\"");
        let data = self.data.iter().map(|(name, value)| (*name, value.as_ref()));
        for (name, value) in
            self.attributes.iter().map(|(name, value)| (name.as_ref(), value.as_ref())).chain(data)
        {
            bytes.extend_from_slice(b",\"");
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(b"\":");
            bytes.extend_from_slice(value);
        }
        bytes.push(b'}');
        Ok(Event { bytes: bytes.into_boxed_slice(), names, sameness })
    }

    fn size_hint(&self, names: &[&str; 4]) -> usize {
        let attributes: usize =
            self.attributes.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
        let data = self.data.as_ref().map_or(0, |(_, value)| value.len() + 16);
        names.iter().map(|name| name.len() + 4).sum::<usize>() + attributes + data + 24
    }
}

fn check_name(name: &'static str, value: &str, limit: usize) -> Result<(), EventError> {
    if value.is_empty() {
        return Err(EventError::Missing(name));
    }
    if value.len() > limit {
        return Err(EventError::TooLong { name, limit });
    }
    if value.chars().any(char::is_control) {
        return Err(EventError::Control(name));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft() -> Draft<'static> {
        let mut draft = Draft::new("demo.a", "/t", "1");
        draft.subject = Some("task/x".into());
        draft.accept("actorid", &br#""scribe""#[..]).unwrap();
        draft.set_data(&br#"{"n":1.50}"#[..]);
        draft
    }

    #[test]
    fn the_body_is_every_attribute_but_the_names_with_the_payload_last() {
        let mut draft = draft();
        draft.put_text("time", "2026-01-01T00:00:00Z");
        let event = draft.finish(Sameness::FirstWins).unwrap();
        assert_eq!(
            (event.stream(), event.source(), event.id(), event.kind()),
            ("task/x", "/t", "1", "demo.a")
        );
        assert_eq!(
            String::from_utf8_lossy(event.body()),
            r#"{"specversion":"1.0","actorid":"scribe","time":"2026-01-01T00:00:00Z","data":{"n":1.50}}"#
        );
    }

    #[test]
    fn the_content_does_not_depend_on_order_and_tells_absent_from_present() {
        let mut other = Draft::new("demo.a", "/other", "2");
        other.set_data(&br#"{"n":1.50}"#[..]);
        other.put("actorid", &br#""scribe""#[..]);
        other.subject = Some("task/x".into());
        assert_eq!(draft().content(), other.content());
        other.put_text("priority", "low");
        assert_ne!(draft().content(), other.content());
    }

    #[test]
    fn refuses_bad_names() {
        let with = |change: &dyn Fn(&mut Draft<'static>)| {
            let mut draft = draft();
            change(&mut draft);
            draft.finish(Sameness::FirstWins).unwrap_err()
        };
        assert_eq!(with(&|draft| draft.id = "".into()), EventError::Missing("id"));
        assert_eq!(
            with(&|draft| draft.id = "x".repeat(257).into()),
            EventError::TooLong { name: "id", limit: 256 }
        );
        assert_eq!(with(&|draft| draft.source = "a\u{7}".into()), EventError::Control("source"));
        assert_eq!(with(&|draft| draft.subject = None), EventError::Missing("subject"));
        assert_eq!(with(&|draft| draft.put("hops", &b"33"[..])), EventError::Loop);
    }
}
