//! What happened, in a few words: the part of a payload that a reader looks for first.

use crate::cloud_event::CloudEvent;
use serde_json::Value;
use tacho_event::json;
use tacho_ingest::otlp;

/// Fields that say what an event is about, the most telling first.
const TELLING: &[&str] = &[
    "prompt",
    "error",
    "message",
    "last_assistant_message",
    "summary",
    "issue_summary",
    "title",
    "url",
    "command",
    "file_path",
    "agent",
    "status",
    "task_id",
    "feature",
    "test_suite",
    "description",
    "resolution",
    "final_state",
    "agent_id",
    "reason",
    "name",
    "path",
    "sha",
    "source",
    "trigger",
    "phase",
];
/// Inputs of tools that say what the tool was asked for.
const INPUTS: &[&str] =
    &["command", "file_path", "description", "pattern", "url", "query", "subject", "taskId"];
/// Fields that are shown when nothing more telling is there.
const FIELDS_MAX: usize = 4;
/// Longest summary, in characters.
const SUMMARY_CHARACTERS: usize = 400;

/// One line without colour; control characters are still in it.
pub fn summary(event: &CloudEvent) -> String {
    let Some(data) = event.data() else { return String::new() };
    let telemetry = otlp::summary(&event.kind(), data);
    let data = json::to_value(data);
    let told = telemetry.or_else(|| tool(&data)).or_else(|| telling(&data)).unwrap_or_else(|| fields(&data));
    told.chars().take(SUMMARY_CHARACTERS).collect()
}

/// `Bash: cargo test`, for the tool events of an agent's hooks.
fn tool(data: &Value) -> Option<String> {
    let name = data.get("tool_name")?.as_str()?;
    let input = data.get("tool_input");
    let asked = INPUTS.iter().find_map(|key| input?.get(key)?.as_str());
    let told = match asked {
        Some(asked) => format!("{name}: {asked}"),
        None => name.to_owned(),
    };
    match data.get("error").and_then(Value::as_str) {
        Some(error) => Some(format!("{told} — {error}")),
        None => Some(told),
    }
}

fn telling(data: &Value) -> Option<String> {
    let found: Vec<String> =
        TELLING.iter().filter_map(|key| Some((key, data.get(key)?))).filter_map(scalar).take(2).collect();
    (!found.is_empty()).then(|| found.join("  "))
}

fn scalar((key, value): (&&str, &Value)) -> Option<String> {
    match (*key, value) {
        (
            "prompt"
            | "last_assistant_message"
            | "message"
            | "error"
            | "title"
            | "url"
            | "command"
            | "issue_summary"
            | "description",
            Value::String(text),
        ) => Some(text.clone()),
        (key, Value::String(text)) if !text.is_empty() => Some(format!("{key}={text}")),
        (key, Value::Number(_) | Value::Bool(_)) => Some(format!("{key}={value}")),
        _ => None,
    }
}

fn fields(data: &Value) -> String {
    let Value::Object(members) = data else { return data.to_string() };
    let shown =
        members.iter().filter(|(_, value)| !value.is_array() && !value.is_object() && !value.is_null());
    let shown: Vec<String> = shown
        .take(FIELDS_MAX)
        .map(|(key, value)| match value {
            Value::String(text) => format!("{key}={text}"),
            other => format!("{key}={other}"),
        })
        .collect();
    shown.join(" ")
}
