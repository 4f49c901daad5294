//! The attributes beside the names: which a client may send, and what they must look like.
//!
//! CloudEvents 1.0 allows extensions with names of `[a-z0-9]` and scalar values; a value that is neither
//! string, number nor boolean belongs into `data`.

use crate::json::{self, Kind};
use crate::{Timestamp, TraceContext};
use thiserror::Error;

/// Longest attribute name, in bytes.
pub const MAX_ATTRIBUTE_NAME_BYTES: usize = 20;
/// Longest attribute value, in bytes of its JSON.
pub const MAX_ATTRIBUTE_BYTES: usize = 4096;

/// What the journal gives and no client may send.
pub const ASSIGNED: [&str; 3] = ["sequence", "position", "recordedtime"];

pub const PRIORITIES: [&str; 4] = ["critical", "high", "normal", "low"];
pub const SEVERITIES: [&str; 3] = ["info", "warning", "error"];

#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum AttributeError {
    #[error("`{0}` is given by the log: leave it out")]
    Assigned(String),
    #[error(
        "attribute name {0:?} is not made of 1 to {MAX_ATTRIBUTE_NAME_BYTES} characters a-z and 0-9: put it into `data`"
    )]
    Name(String),
    #[error("attribute `{0}` is no string, number or boolean: put it into `data`")]
    NotScalar(String),
    #[error("attribute `{name}` is longer than {MAX_ATTRIBUTE_BYTES} bytes: put it into `data`")]
    TooLong { name: String },
    #[error("`{name}` is {value}, but must be {expected}")]
    Value { name: String, value: String, expected: &'static str },
}

/// Checks an attribute that a client sent; `value` is minified JSON.
pub fn check(name: &str, value: &[u8]) -> Result<(), AttributeError> {
    if ASSIGNED.contains(&name) {
        return Err(AttributeError::Assigned(name.to_owned()));
    }
    let named = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    if name.is_empty() || name.len() > MAX_ATTRIBUTE_NAME_BYTES || !name.bytes().all(named) {
        return Err(AttributeError::Name(name.to_owned()));
    }
    let kind = json::kind(value);
    if matches!(kind, Kind::Object | Kind::Array | Kind::Null) {
        return Err(AttributeError::NotScalar(name.to_owned()));
    }
    if value.len() > MAX_ATTRIBUTE_BYTES {
        return Err(AttributeError::TooLong { name: name.to_owned() });
    }
    match expected(name, value, kind) {
        None => Ok(()),
        Some(expected) => {
            let shown = String::from_utf8_lossy(value).chars().take(80).collect();
            Err(AttributeError::Value { name: name.to_owned(), value: shown, expected })
        }
    }
}

/// What the value should have been, when it is not.
fn expected(name: &str, value: &[u8], kind: Kind) -> Option<&'static str> {
    let is_text = kind == Kind::String;
    let text = json::text(value);
    let (right, expected) = match name {
        "time" => (
            is_text && Timestamp::from_rfc3339(&text).is_some(),
            "a moment of RFC 3339, such as 2026-01-31T14:00:00Z",
        ),
        "traceparent" | "origintraceparent" => (
            is_text && TraceContext::parse(&text).is_some(),
            "a W3C traceparent, such as 00-<32 hex>-<16 hex>-01",
        ),
        "priority" => (is_text && PRIORITIES.contains(&text.as_ref()), "critical, high, normal or low"),
        "severity" => (is_text && SEVERITIES.contains(&text.as_ref()), "info, warning or error"),
        "hops" => (kind == Kind::Number && text.parse::<u64>().is_ok(), "a whole number"),
        "sessionid" | "actortype" | "actorid" | "actormodel" | "gitsha" | "branch" | "contextid"
        | "correlationid" | "causationid" | "dataschema" | "datacontenttype" | "tracestate" => {
            (is_text && !text.chars().any(char::is_control), "a string without control characters")
        }
        _ => (true, ""),
    };
    (!right).then_some(expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_with_a_reason() {
        let told = |name: &str, value: &str| check(name, value.as_bytes()).map_err(|error| error.to_string());
        assert_eq!(told("demo1", "7"), Ok(()));
        assert_eq!(told("time", "\"2026-01-01T00:00:00Z\""), Ok(()));
        assert_eq!(told("sequence", "\"1\"").unwrap_err(), "`sequence` is given by the log: leave it out");
        assert!(told("Bad-Name", "1").unwrap_err().contains("put it into `data`"));
        assert!(told("nested", "{}").unwrap_err().contains("no string, number or boolean"));
        assert_eq!(
            told("time", "\"yesterday\"").unwrap_err(),
            "`time` is \"yesterday\", but must be a moment of RFC 3339, such as 2026-01-31T14:00:00Z"
        );
        assert!(told("priority", "\"urgent\"").unwrap_err().ends_with("critical, high, normal or low"));
        assert!(
            told("sessionid", "7").is_err()
                && told("hops", "-1").is_err()
                && told("traceparent", "\"00-zz\"").is_err()
        );
    }
}
