//! Refusals as RFC 9457 problem details, from the one table of codes.

use axum::body::Body;
use axum::http::header::{CONNECTION, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use tacho_engine::{AppendError, ConditionError, QueryError, SchemaError, SubscribeError, WatchError};
use tacho_event::schema::RegistrationError;
use tacho_event::{Code, FilterError, json};
use tacho_ingest::Refusal;

/// What every problem's `type` begins with; the code follows.
pub const TYPE_PREFIX: &str = "urn:tacho:problem:";

/// A refusal on its way to a client.
#[derive(Debug, Clone)]
pub struct Problem {
    pub code: Code,
    pub detail: String,
    /// Names and JSON of further members.
    members: Vec<(&'static str, String)>,
    close: bool,
}

impl Problem {
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), members: Vec::new(), close: false }
    }

    #[must_use]
    pub fn with(mut self, name: &'static str, json: impl ToString) -> Self {
        self.members.push((name, json.to_string()));
        self
    }

    /// The connection cannot be used again: a part of the request was not read.
    #[must_use]
    pub fn closing(mut self) -> Self {
        self.close = true;
        self
    }

    /// Names the parameter, where the condition is at fault.
    fn about_condition(self, error: &ConditionError) -> Self {
        if error.code() == Code::InvalidFilter { self.with("parameter", quoted("where")) } else { self }
    }

    /// The document, without line breaks.
    pub(crate) fn to_json(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(160 + self.detail.len());
        out.extend_from_slice(b"{\"type\":\"");
        out.extend_from_slice(TYPE_PREFIX.as_bytes());
        out.extend_from_slice(self.code.as_str().as_bytes());
        out.extend_from_slice(b"\",\"title\":");
        json::write_string(self.code.title(), &mut out);
        out.extend_from_slice(format!(",\"status\":{},\"code\":\"", self.code.status()).as_bytes());
        out.extend_from_slice(self.code.as_str().as_bytes());
        out.extend_from_slice(b"\",\"detail\":");
        json::write_string(&self.detail, &mut out);
        for (name, value) in &self.members {
            out.extend_from_slice(format!(",\"{name}\":{value}").as_bytes());
        }
        out.push(b'}');
        out
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.to_json()));
        *response.status_mut() =
            StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.code.status() == 503 {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if self.close {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let problem = Self::new(refusal.code, refusal.detail);
        match refusal.index {
            Some(index) => problem.with("index", index),
            None => problem,
        }
    }
}

impl From<FilterError> for Problem {
    fn from(error: FilterError) -> Self {
        Self::new(Code::InvalidFilter, error.to_string()).with("parameter", quoted(&error.key))
    }
}

impl From<QueryError> for Problem {
    fn from(error: QueryError) -> Self {
        let problem = Self::new(error.code(), error.to_string());
        match &error {
            QueryError::ViewBehind { position, wanted } => {
                problem.with("position", position).with("wanted", wanted)
            }
            QueryError::AmbiguousId { sources, .. } => {
                let sources: Vec<String> = sources.iter().map(|source| quoted(source)).collect();
                problem.with("sources", format!("[{}]", sources.join(",")))
            }
            QueryError::Condition(error) => problem.about_condition(error),
            _ => problem,
        }
    }
}

impl From<WatchError> for Problem {
    fn from(error: WatchError) -> Self {
        match error {
            WatchError::Query(error) => error.into(),
            WatchError::Append(error) => error.into(),
            WatchError::Event(error) => Self::new(Code::Internal, error.to_string()),
        }
    }
}

impl From<SubscribeError> for Problem {
    fn from(error: SubscribeError) -> Self {
        let code = match &error {
            SubscribeError::Condition(error) => {
                return Self::new(error.code(), error.to_string()).about_condition(error);
            }
            SubscribeError::TooMany(_) => Code::TooManySubscribers,
            SubscribeError::Journal(_) => Code::Internal,
            SubscribeError::Stopped => Code::ShuttingDown,
        };
        Self::new(code, error.to_string())
    }
}

impl From<AppendError> for Problem {
    fn from(error: AppendError) -> Self {
        let code = match &error {
            AppendError::SequenceConflict { .. } => Code::SequenceConflict,
            AppendError::IdConflict { .. } => Code::IdConflict,
            AppendError::TooLarge { .. } => Code::BatchTooLarge,
            AppendError::QueueFull => Code::Overloaded,
            AppendError::Closed => Code::ShuttingDown,
            AppendError::DiskFull | AppendError::Poisoned(_) => Code::ReadOnly,
            AppendError::Read(_) => Code::Internal,
        };
        let problem = Self::new(code, error.to_string());
        match &error {
            AppendError::SequenceConflict { stream, expected, actual } => {
                problem.with("stream", quoted(stream)).with("expected", expected).with("actual", actual)
            }
            AppendError::IdConflict { source_name, id, position } => {
                problem.with("source", quoted(source_name)).with("id", quoted(id)).with("position", position)
            }
            AppendError::TooLarge { actual, limit } => problem.with("actual", actual).with("expected", limit),
            _ => problem,
        }
    }
}

impl From<SchemaError> for Problem {
    fn from(error: SchemaError) -> Self {
        match error {
            SchemaError::Registration(RegistrationError::Reserved(_)) => {
                Self::new(Code::ReservedType, error.to_string())
            }
            SchemaError::Registration(_) => Self::new(Code::SchemaViolation, error.to_string()),
            SchemaError::Query(error) => error.into(),
            SchemaError::Append(error) => error.into(),
            SchemaError::Event(error) => Self::new(Code::InvalidEvent, error.to_string()),
        }
    }
}

/// The text as a JSON string.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len() + 2);
    json::write_string(text, &mut out);
    String::from_utf8(out).unwrap_or_default()
}
