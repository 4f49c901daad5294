//! Requests to models, in the body that Claude Code's exporter posts.

use super::Request;
use crate::identity;
use serde_json::{Value, json};

/// An OTLP export of one log record; `number` tells requests of a story apart.
pub fn export(request: &Request, session: &str, number: u32) -> Value {
    let now = identity::now();
    let [input, output, cache_read, cache_write] = request.tokens;
    let mut attributes = vec![
        text("session.id", session),
        text("event.name", "api_request"),
        text("event.timestamp", &now.to_rfc3339_millis()),
        text("model", &request.request),
        text("request_id", &format!("req_demo_{session}_{number}")),
        text("query_source", if request.agent.is_some() { "agent:custom" } else { "repl_main_thread" }),
        count("event.sequence", number),
        count("input_tokens", input),
        count("output_tokens", output),
        count("cache_read_tokens", cache_read),
        count("cache_creation_tokens", cache_write),
        count("cost_usd_micros", request.micros),
        json!({"key": "cost_usd", "value": {"doubleValue": f64::from(request.micros) / 1e6}}),
        count("duration_ms", 900 + output * 4),
    ];
    attributes.extend(request.agent.as_deref().map(|agent| text("agent_id", agent)));
    attributes.extend(request.agent_name.as_deref().map(|name| text("agent.name", name)));
    let record = json!({
        "timeUnixNano": now.0.to_string(),
        "body": {"stringValue": "claude_code.api_request"},
        "attributes": attributes
    });
    let scope = json!({"name": "com.anthropic.claude_code.events"});
    json!({"resourceLogs": [{
        "resource": {"attributes": [text("service.name", "claude-code"), text("feature", "voucher-expiry")]},
        "scopeLogs": [{"scope": scope, "logRecords": [record]}]
    }]})
}

fn text(key: &str, value: &str) -> Value {
    json!({"key": key, "value": {"stringValue": value}})
}

fn count(key: &str, value: u32) -> Value {
    json!({"key": key, "value": {"intValue": value}})
}
