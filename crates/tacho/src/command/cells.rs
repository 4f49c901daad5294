//! What tables show of a server's answers; what is missing is shown as `–`.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

const NOTHING: &str = "–";

/// Text, or a number as it is written.
pub fn text(value: &Value) -> String {
    match value {
        Value::Null => NOTHING.to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// A moment in the reader's time zone.
pub fn moment(value: &Value) -> String {
    let parsed = value.as_str().and_then(|text| text.parse::<Timestamp>().ok());
    let local = |at: Timestamp| at.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string();
    parsed.map_or_else(|| text(value), local)
}

pub fn milliseconds(value: &Value) -> String {
    value.as_f64().map_or_else(|| NOTHING.to_owned(), |ms| format!("{ms:.1} ms"))
}

/// A part of 1.
pub fn percent(value: &Value) -> String {
    value.as_f64().map_or_else(|| NOTHING.to_owned(), |part| format!("{:.1} %", part * 100.0))
}

/// `code: message`, or nothing.
pub fn error(value: &Value) -> String {
    match value {
        Value::Object(error) => {
            let member = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default();
            format!("{}: {}", member("code"), member("message"))
        }
        Value::String(error) => error.clone(),
        _ => String::new(),
    }
}
