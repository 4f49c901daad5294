//! Log records → `claude_code.<event>` for Claude Code's, `otel.log` for others.

use super::Signal;
use super::node::Node;
use super::record::{Record, moment, trace_context};
use super::resource::Resource;
use super::usage;
use super::value::{self, text, whole};
use crate::Refusal;
use crate::redact::Redactor;
use std::borrow::Cow;
use tacho_event::Timestamp;
use tacho_event::json::{self, Kind};

const CLAUDE_CODE: &str = "claude_code.";
/// What the names of severity numbers begin with, where a sender writes names against the standard.
const NUMBER_NAME: &str = "SEVERITY_NUMBER_";

pub(super) fn read<'r>(
    node: Node<'_>,
    resource: &'r Resource,
    redactor: &Redactor,
) -> Result<Record<'r>, Refusal> {
    let record = node.json();
    if json::kind(&record) != Kind::Object {
        return Err(Refusal::event("a log record is no JSON object"));
    }
    let member = |name: &str| json::member(&record, name);
    let mut data = resource.attributes(member("attributes"));
    data.add_string("event.name", member("eventName"));
    let mut body = Vec::new();
    value::write_plain(member("body").unwrap_or(b"null"), &mut body);
    let so_far = data.to_json();
    let name = text(json::member(&so_far, "event.name")).unwrap_or_default();
    let told = text(Some(&body)).unwrap_or_default();
    let is_name = !name.is_empty() && told.strip_prefix(CLAUDE_CODE).unwrap_or(&told) == name;
    if body != b"null" && !is_name {
        data.add("body", &body);
    }
    data.add_string("severity_text", member("severityText"));
    if let Some(usage) = usage::of_attributes(&so_far, false) {
        data.add("usage", &usage);
    }
    resource.add_to(&mut data);
    let data = redactor.redact_json(&data.to_json()).into_owned();
    let named = text(json::member(&data, "event.name"));
    let named =
        named.or_else(|| text(json::member(&data, "body")).filter(|body| body.starts_with(CLAUDE_CODE)));
    let kind = kind(&named.unwrap_or_default(), resource.is_claude_code || told.starts_with(CLAUDE_CODE));
    let stamped = || Timestamp::from_rfc3339(&text(json::member(&data, "event.timestamp"))?);
    let time = moment(&record, "timeUnixNano").or_else(stamped);
    Ok(Record {
        signal: Signal::Logs,
        kind,
        resource,
        time: time.or_else(|| moment(&record, "observedTimeUnixNano")),
        trace: trace_context(&record),
        severity: severity(member("severityNumber"), member("severityText")),
        more: Vec::new(),
        data,
    })
}

fn kind(name: &str, of_claude_code: bool) -> Cow<'static, str> {
    const LONGEST_BYTES: usize = 128;
    let bare = name.strip_prefix(CLAUDE_CODE);
    let event = bare.unwrap_or(name);
    let named = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    let is_event = (1..=LONGEST_BYTES).contains(&event.len()) && event.bytes().all(named);
    if is_event && (of_claude_code || bare.is_some()) {
        return Cow::Owned(format!("{CLAUDE_CODE}{event}"));
    }
    Cow::Borrowed("otel.log")
}

/// By the ranges of the log data model's `SeverityNumber`, 1 to 24 by fours; by its name, or the sender's own
/// word, where there is no number.
fn severity(number: Option<&[u8]>, word: Option<&[u8]>) -> Option<&'static str> {
    match whole(number).filter(|number| *number > 0) {
        Some(1..=12) => return Some("info"),
        Some(13..=16) => return Some("warning"),
        Some(17..=24) => return Some("error"),
        _ => {}
    }
    let word = text(number).filter(|name| name.starts_with(NUMBER_NAME)).or_else(|| text(word))?;
    let word = word.strip_prefix(NUMBER_NAME).unwrap_or(&word).to_ascii_uppercase();
    let is_any = |beginnings: &[&str]| beginnings.iter().any(|beginning| word.starts_with(beginning));
    if is_any(&["ERR", "FATAL", "CRIT"]) {
        Some("error")
    } else if is_any(&["WARN"]) {
        Some("warning")
    } else {
        is_any(&["TRACE", "DEBUG", "INFO"]).then_some("info")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severities() {
        for (number, word, expected) in [
            ("9", "\"ERROR\"", Some("info")),
            ("\"17\"", "\"\"", Some("error")),
            ("\"SEVERITY_NUMBER_WARN2\"", "\"x\"", Some("warning")),
            ("0", "\"warning\"", Some("warning")),
            ("0", "\"Critical\"", Some("error")),
            ("99", "\"custom\"", None),
        ] {
            assert_eq!(severity(Some(number.as_bytes()), Some(word.as_bytes())), expected, "{number} {word}");
        }
        assert_eq!(severity(None, None), None);
    }

    #[test]
    fn types() {
        assert_eq!(kind("api_request", true), "claude_code.api_request");
        assert_eq!(kind("claude_code.api_request", false), "claude_code.api_request");
        for (name, of_claude_code) in [("api_request", false), ("", true), ("two words", true)] {
            assert_eq!(kind(name, of_claude_code), "otel.log", "{name}");
        }
        assert_eq!(kind(&"x".repeat(129), true), "otel.log");
    }
}
