//! An event in its canonical form, as a server or a folder answered it.

use std::borrow::Cow;
use tacho_event::{Recorded, Timestamp, json};

/// CloudEvents 1.0 structured JSON, minified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudEvent {
    bytes: Vec<u8>,
}

impl CloudEvent {
    pub fn new(bytes: Vec<u8>) -> Self {
        Self { bytes }
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        json::member(&self.bytes, name).map(json::text)
    }

    pub fn kind(&self) -> Cow<'_, str> {
        self.text("type").unwrap_or_default()
    }

    pub fn stream(&self) -> Cow<'_, str> {
        self.text("subject").unwrap_or_default()
    }

    /// The payload's minified JSON, when it is JSON.
    pub fn data(&self) -> Option<&[u8]> {
        json::member(&self.bytes, "data")
    }

    /// When it happened, else when it was recorded.
    pub fn time(&self) -> Timestamp {
        let moment = |name| self.text(name).and_then(|text| Timestamp::from_rfc3339(&text));
        moment("time").or_else(|| moment("recordedtime")).unwrap_or_default()
    }

    /// Its place in the whole log; 0 where the answer names none.
    pub fn position(&self) -> u64 {
        self.text("position").and_then(|text| text.parse().ok()).unwrap_or(0)
    }
}

impl From<&Recorded> for CloudEvent {
    fn from(event: &Recorded) -> Self {
        Self::new(event.to_cloudevent())
    }
}
