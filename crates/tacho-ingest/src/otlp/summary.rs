//! What a record of telemetry tells, in a few words, for lists and consoles.

use super::value::text;
use tacho_event::json::{self, Kind};

/// What says most of the records of Claude Code that have no words of their own here.
const TELLING: [&str; 6] = ["prompt", "response", "error", "hook_name", "hook_event", "plugin.name"];

/// `None` for an event that is no telemetry, or one that tells nothing in particular. `data` is minified; the
/// words are as long as what they quote.
pub fn summary(kind: &str, data: &[u8]) -> Option<String> {
    let data = Data(data);
    match (kind, kind.strip_prefix("claude_code.")) {
        ("otel.log", _) => data.shown("body").or_else(|| data.shown("event.name")),
        ("otel.metric", _) => {
            let unit = data.shown("unit").map(|unit| format!(" {unit}")).unwrap_or_default();
            let value = data.shown("value").map(|value| format!(" = {value}{unit}")).unwrap_or_default();
            Some(format!("{}{value}", data.shown("name")?))
        }
        ("otel.span", _) => {
            let failure = json::member(data.0, "status").and_then(|status| Data(status).shown("message"));
            Some(joined(data.shown("name")?, [data.duration("duration_ms"), failure]))
        }
        (_, Some("api_request")) => {
            let tokens = |name, what| data.number(name).map(|count| format!("{count} {what}"));
            let cost = data.number("cost_usd").map(|cost| format!("${cost:.4}"));
            let counts = [
                tokens("input_tokens", "in"),
                tokens("output_tokens", "out"),
                tokens("cache_read_tokens", "cached"),
                cost,
            ];
            Some(joined(data.shown("model")?, counts))
        }
        (_, Some("tool_decision")) => Some(joined(data.shown("tool_name")?, [data.shown("decision")])),
        (_, Some("tool_result")) => {
            Some(joined(data.shown("tool_name")?, [data.duration("duration_ms"), data.shown("error")]))
        }
        (_, Some("subagent_completed")) => {
            let tokens = data.number("total_tokens").map(|tokens| format!("{tokens} tokens"));
            Some(joined(data.shown("agent_type")?, [data.duration("duration_ms"), tokens]))
        }
        (_, Some(_)) => TELLING.into_iter().find_map(|name| data.shown(name)),
        _ => None,
    }
}

struct Data<'a>(&'a [u8]);

impl Data<'_> {
    /// A string that is not empty, a number or a truth.
    fn shown(&self, name: &str) -> Option<String> {
        let value = json::member(self.0, name)?;
        match json::kind(value) {
            Kind::Number | Kind::Bool => Some(json::text(value).into_owned()),
            _ => text(Some(value)).map(|text| text.into_owned()),
        }
    }

    fn number(&self, name: &str) -> Option<f64> {
        let value = json::member(self.0, name).filter(|value| json::kind(value) == Kind::Number)?;
        json::text(value).parse().ok()
    }

    fn duration(&self, name: &str) -> Option<String> {
        self.number(name).map(|ms| format!("{ms:.0} ms"))
    }
}

fn joined<const N: usize>(name: String, parts: [Option<String>; N]) -> String {
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { name } else { format!("{name}: {}", parts.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_matters() {
        for (kind, data, words) in [
            (
                "claude_code.api_request",
                r#"{"feature":"greet","model":"m-1","input_tokens":1200,"output_tokens":42,"cache_read_tokens":5000,"cost_usd":0.006855}"#,
                "m-1: 1200 in, 42 out, 5000 cached, $0.0069",
            ),
            ("claude_code.tool_result", r#"{"tool_name":"Bash","duration_ms":41.6}"#, "Bash: 42 ms"),
            ("claude_code.tool_decision", r#"{"tool_name":"Bash","decision":"accept"}"#, "Bash: accept"),
            ("claude_code.hook_registered", r#"{"hook_event":"Stop"}"#, "Stop"),
            (
                "otel.span",
                r#"{"name":"chat","duration_ms":1.2,"status":{"code":"STATUS_CODE_ERROR","message":"slow"}}"#,
                "chat: 1 ms, slow",
            ),
            ("otel.metric", r#"{"name":"cost","unit":"USD","value":0.5}"#, "cost = 0.5 USD"),
            ("otel.metric", r#"{"name":"latency","value":{"count":1}}"#, "latency"),
            ("otel.log", r#"{"body":"hello"}"#, "hello"),
        ] {
            assert_eq!(summary(kind, data.as_bytes()).as_deref(), Some(words));
        }
        assert_eq!(summary("claude.stop", br#"{"name":"x"}"#), None);
        assert_eq!(summary("claude_code.new", b"{}"), None);
    }
}
