//! What a fold sees of an event.

use serde_json::{Map, Value};
use std::borrow::Cow;
use std::cell::OnceCell;
use tacho_event::Recorded;
use tacho_event::json::{self, Kind};

/// Longest text that a state takes over from an event, in bytes; the event has the whole.
const MAX_TEXT_BYTES: usize = 2_000;

/// One event on its way through a fold. What no fold asks for is not read.
pub struct Step<'e> {
    pub event: &'e Recorded,
    data: OnceCell<&'e [u8]>,
}

impl<'e> Step<'e> {
    pub fn new(event: &'e Recorded) -> Self {
        Self { event, data: OnceCell::new() }
    }

    pub fn kind(&self) -> &'e str {
        self.event.kind()
    }

    /// When it happened, as RFC 3339.
    pub fn time(&self) -> Value {
        self.event.time().to_rfc3339().into()
    }

    /// An attribute of the envelope; null where it is absent.
    pub fn attribute(&self, name: &str) -> Value {
        self.event.text(name).map_or(Value::Null, |text| text.into_owned().into())
    }

    pub fn data(&self) -> &'e [u8] {
        self.data.get_or_init(|| self.event.data().unwrap_or_default())
    }

    /// The minified JSON of a member of the payload.
    pub fn raw(&self, name: &str) -> Option<&'e [u8]> {
        json::member(self.data(), name)
    }

    /// A text of the payload; `None` where it is absent, empty or no text.
    pub fn text(&self, name: &str) -> Option<Cow<'e, str>> {
        let value = self.raw(name).filter(|value| json::kind(value) == Kind::String)?;
        Some(json::text(value)).filter(|text| !text.is_empty())
    }

    /// A member of the payload; null where it is absent. Long text is cut.
    pub fn value(&self, name: &str) -> Value {
        self.raw(name).map_or(Value::Null, read)
    }

    pub fn number(&self, name: &str) -> Option<f64> {
        let value = self.raw(name).filter(|value| json::kind(value) == Kind::Number)?;
        json::text(value).parse().ok()
    }

    pub fn flag(&self, name: &str) -> Option<bool> {
        match self.raw(name)? {
            b"true" => Some(true),
            b"false" => Some(false),
            _ => None,
        }
    }

    /// The payload as an object; an empty one where it is none.
    pub fn object(&self) -> Map<String, Value> {
        match read(self.data()) {
            Value::Object(members) => members,
            _ => Map::new(),
        }
    }
}

fn read(value: &[u8]) -> Value {
    if json::kind(value) == Kind::String {
        return cut(json::text(value)).into();
    }
    json::to_value(value)
}

/// The beginning of a text.
pub(super) fn cut(text: Cow<'_, str>) -> String {
    match text {
        Cow::Owned(text) if text.len() <= MAX_TEXT_BYTES => text,
        text => tacho_event::head(&text, MAX_TEXT_BYTES).to_owned(),
    }
}
