//! One line that says what an event was about.

use tacho_event::json::{self, Kind};
use tacho_event::{Recorded, json as text};
use tacho_ingest::otlp;

/// Longest line, in characters.
const MAX_CHARACTERS: usize = 120;
/// Keys whose value says most, in this order.
const TELLING: [&str; 14] = [
    "summary",
    "message",
    "description",
    "title",
    "prompt",
    "error_message",
    "error",
    "reason",
    "command",
    "file_path",
    "url",
    "status",
    "feature",
    "phase",
];
/// How many members are shown where none of those is there.
const SHOWN_MEMBERS: usize = 3;

/// What telemetry tells, the tool and its input for a tool call, else the member that says most, else the first few.
pub fn summary(event: &Recorded) -> String {
    let Some(data) = event.data() else { return String::new() };
    let said = match json::kind(data) {
        Kind::Object => otlp::summary(event.kind(), data).unwrap_or_else(|| of_object(data)),
        Kind::Null => String::new(),
        _ => text::text(data).into_owned(),
    };
    one_line(&said)
}

fn of_object(data: &[u8]) -> String {
    if let Some(tool) = member_text(data, "tool_name") {
        let input = json::member(data, "tool_input").map(telling).unwrap_or_default();
        return if input.is_empty() { tool } else { format!("{tool}: {input}") };
    }
    telling(data)
}

fn telling(object: &[u8]) -> String {
    if let Some(said) = TELLING.iter().find_map(|key| member_text(object, key)) {
        return said;
    }
    let scalars = json::members(object)
        .filter(|(_, value)| !matches!(json::kind(value), Kind::Object | Kind::Array | Kind::Null));
    let shown: Vec<String> = scalars
        .take(SHOWN_MEMBERS)
        .map(|(name, value)| format!("{}={}", String::from_utf8_lossy(name), text::text(value)))
        .collect();
    shown.join(" ")
}

fn member_text(object: &[u8], key: &str) -> Option<String> {
    let value = json::member(object, key)?;
    let said = text::text(value);
    (json::kind(value) == Kind::String && !said.trim().is_empty()).then(|| said.into_owned())
}

fn one_line(said: &str) -> String {
    let mut line = String::new();
    for (count, character) in said.trim().chars().enumerate() {
        if count >= MAX_CHARACTERS {
            line.push('…');
            break;
        }
        line.push(if character.is_control() { ' ' } else { character });
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use tacho_event::{Draft, Position, Sameness, Sequence, Timestamp};

    #[test]
    fn says_what_matters() {
        let told = |data: &str| {
            let mut draft = Draft::new("demo.a", "/t", "1");
            draft.subject = Some("task/x".into());
            draft.set_data(data.as_bytes());
            let event = draft.finish(Sameness::FirstWins).unwrap();
            let bytes = bytes::Bytes::copy_from_slice(event.bytes());
            summary(&Recorded::new(Position(1), Sequence(1), Timestamp(0), bytes).unwrap())
        };
        let call = r#"{"tool_name":"Bash","tool_input":{"command":"ls\n-l"}}"#;
        assert_eq!(told(call), "Bash: ls -l");
        assert_eq!(told(r#"{"n":1,"message":"it works"}"#), "it works");
        assert_eq!(told(r#"{"a":1,"b":{"c":2},"d":"x"}"#), "a=1 d=x");
        assert_eq!(told("\"plain\""), "plain");
        assert_eq!(told(&format!("\"{}\"", "y".repeat(500))).chars().count(), MAX_CHARACTERS + 1);
    }
}
