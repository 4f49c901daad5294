//! What a file holds, by its first lines.

use clap::ValueEnum;
use serde_json::Value;

/// Lines that are looked at, and how much of each, in bytes.
const LINES: usize = 20;
const LINE_BYTES_MAX: usize = 1 << 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// A session's or subagent's transcript of Claude Code
    ClaudeTranscript,
    /// A session's transcript of Codex
    Codex,
    /// Events of any accepted shape, one a line, or a JSON array
    Jsonl,
    /// CloudEvents, one a line, or a JSON array
    Cloudevents,
    /// Exports of OpenTelemetry as JSON, one a line, or one document
    Otlp,
    /// One export of logs in protobuf
    OtlpLogs,
    /// One export of traces in protobuf
    OtlpTraces,
    /// One export of metrics in protobuf
    OtlpMetrics,
}

impl Form {
    /// As a sentence names it.
    pub fn words(self) -> &'static str {
        match self {
            Self::ClaudeTranscript => "a transcript of Claude Code",
            Self::Codex => "a transcript of Codex",
            Self::Jsonl => "events or something else",
            Self::Cloudevents => "CloudEvents",
            Self::Otlp | Self::OtlpLogs | Self::OtlpTraces | Self::OtlpMetrics => "OTLP",
        }
    }
}

/// The first line that says what it is decides.
pub fn recognise(file: &[u8]) -> Form {
    let lines = file.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    let objects = lines.take(LINES).filter(|line| line.len() <= LINE_BYTES_MAX);
    let found =
        objects.filter_map(|line| serde_json::from_slice::<Value>(line).ok()).find_map(|line| of_line(&line));
    found.unwrap_or(Form::Jsonl)
}

fn of_line(line: &Value) -> Option<Form> {
    let has = |key: &str| line.get(key).is_some();
    let kind = line.get("type").and_then(Value::as_str).unwrap_or_default();
    if has("specversion") {
        return Some(Form::Cloudevents);
    }
    if ["resourceLogs", "resourceSpans", "resourceMetrics"].into_iter().any(has) {
        return Some(Form::Otlp);
    }
    if has("payload")
        && has("timestamp")
        && matches!(kind, "session_meta" | "response_item" | "event_msg" | "turn_context")
    {
        return Some(Form::Codex);
    }
    let is_transcript = (has("sessionId") || has("parentUuid") || has("leafUuid")) && !kind.is_empty();
    is_transcript.then_some(Form::ClaudeTranscript)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_by_their_lines() {
        let form = |line: &str| recognise(line.as_bytes());
        assert_eq!(
            form(r#"{"type":"queue-operation","operation":"enqueue","sessionId":"s"}"#),
            Form::ClaudeTranscript
        );
        assert_eq!(form("\n{\"specversion\":\"1.0\"}\n"), Form::Cloudevents);
        assert_eq!(form(r#"{"timestamp":"x","type":"session_meta","payload":{}}"#), Form::Codex);
        assert_eq!(form(r#"{"resourceLogs":[]}"#), Form::Otlp);
        assert_eq!(form(r#"{"event_type":"task_queued","timestamp":1,"payload":{}}"#), Form::Jsonl);
        assert_eq!(form("nonsense"), Form::Jsonl);
    }
}
