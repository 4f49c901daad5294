//! Why a request was refused: a stable code, and words that say what to do.

use tacho_event::attribute::AttributeError;
use tacho_event::json::JsonError;
use tacho_event::{Code, EventError};
use thiserror::Error;

/// Nothing of the request is stored.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{detail}")]
pub struct Refusal {
    pub code: Code,
    pub detail: String,
    /// Which event of a batch it was, counted from 0.
    pub index: Option<usize>,
}

impl Refusal {
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), index: None }
    }

    pub(crate) fn event(detail: impl Into<String>) -> Self {
        Self::new(Code::InvalidEvent, detail)
    }

    #[must_use]
    pub(crate) fn at(mut self, index: usize) -> Self {
        self.index.get_or_insert(index);
        self
    }
}

impl From<JsonError> for Refusal {
    fn from(error: JsonError) -> Self {
        let code = match error {
            JsonError::Utf8(_) => Code::InvalidUtf8,
            JsonError::Depth(..) => Code::TooDeep,
            _ => Code::InvalidJson,
        };
        let remedy = match code {
            Code::InvalidUtf8 => "send the body as UTF-8",
            Code::TooDeep => "flatten the payload, or send the deep part as a string",
            _ => "send one JSON object, an array of objects, or one object a line",
        };
        Self::new(code, format!("{error}: {remedy}"))
    }
}

impl From<EventError> for Refusal {
    fn from(error: EventError) -> Self {
        let code = match &error {
            EventError::Missing("id")
            | EventError::TooLong { name: "id", .. }
            | EventError::Control("id") => Code::InvalidId,
            EventError::Attribute(AttributeError::Assigned(_)) => Code::ReservedAttribute,
            EventError::Attribute(AttributeError::Value { name, .. }) if name.ends_with("traceparent") => {
                Code::InvalidTraceparent
            }
            EventError::Attribute(AttributeError::Value { .. }) => Code::InvalidAttribute,
            EventError::Loop => Code::LoopDetected,
            EventError::Reserved(_) => Code::ReservedType,
            EventError::TooLarge { .. } => Code::EventTooLarge,
            _ => Code::InvalidEvent,
        };
        Self::new(code, error.to_string())
    }
}
