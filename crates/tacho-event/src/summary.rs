//! One line that says what an event was about.

use crate::Recorded;
use crate::json::{self, Kind};

/// Longest line, in characters.
const MAX_CHARACTERS: usize = 120;
/// Keys whose value says most, in this order.
const TELLING: [&str; 23] = [
    "summary",
    "message",
    "description",
    "title",
    "prompt",
    "error_message",
    "error",
    "failure_reason",
    "final_error",
    "reason",
    "commit_message",
    "agent_name",
    "command",
    "file_path",
    "url",
    "recovery_strategy",
    "gap_id",
    "test_suite",
    "check_type",
    "doc_title",
    "status",
    "feature",
    "phase",
];
/// How many members are shown where none of those is there.
const SHOWN_MEMBERS: usize = 3;

/// The tool and its input for a tool call, else the member that says most, else the first few.
pub fn summary(event: &Recorded) -> String {
    let data = event.data().unwrap_or_default();
    summary_line(&match json::kind(data) {
        Kind::Object => of_object(data),
        Kind::Null => String::new(),
        _ => json::text(data).into_owned(),
    })
}

fn of_object(data: &[u8]) -> String {
    if let Some(tool) = member_text(data, "tool_name") {
        let input = json::member(data, "tool_input").map(telling).unwrap_or_default();
        return if input.is_empty() { tool } else { format!("{tool}: {input}") };
    }
    telling(data)
}

fn telling(object: &[u8]) -> String {
    if let Some(said) = most_telling(object) {
        return said;
    }
    let scalars = json::members(object)
        .filter(|(_, value)| !matches!(json::kind(value), Kind::Object | Kind::Array | Kind::Null));
    let shown: Vec<String> = scalars
        .take(SHOWN_MEMBERS)
        .map(|(name, value)| format!("{}={}", String::from_utf8_lossy(name), json::text(value)))
        .collect();
    shown.join(" ")
}

/// The text of the member whose key says most; of members with the same key the first one counts.
fn most_telling(object: &[u8]) -> Option<String> {
    let (mut seen, mut best): (u32, Option<(usize, &[u8])>) = (0, None);
    for (name, value) in json::members(object) {
        let Some(rank) = TELLING.iter().position(|key| key.as_bytes() == name) else { continue };
        let is_first = seen & (1 << rank) == 0;
        seen |= 1 << rank;
        let is_better = best.is_none_or(|(known, _)| rank < known);
        let says = || json::kind(value) == Kind::String && !json::text(value).trim().is_empty();
        if is_first && is_better && says() {
            best = Some((rank, value));
        }
    }
    best.map(|(_, value)| json::text(value).into_owned())
}

fn member_text(object: &[u8], key: &str) -> Option<String> {
    let value = json::member(object, key)?;
    let said = json::text(value);
    (json::kind(value) == Kind::String && !said.trim().is_empty()).then(|| said.into_owned())
}

/// A text on one line, cut where it is long.
pub fn summary_line(said: &str) -> String {
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
    use crate::{Draft, Position, Sameness, Sequence, Timestamp};

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
