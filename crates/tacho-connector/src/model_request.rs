//! Spans of requests to models. One event tells of a request when it is over, with how long it took.

use crate::span::{attribute, child_of, context, field, hex, lasted_since, session};
use serde_json::{Value, json};
use tacho_event::trace::{derived_span_id, derived_trace_id};
use tacho_event::{Recorded, TraceContext};

const ANSWERED: &str = "claude_code.api_request";
const FAILED: &str = "claude_code.api_error";

/// The span, as OTLP's JSON has it, of the request that an event tells of, if it tells of one.
pub(crate) fn span(event: &Recorded) -> Option<Value> {
    let is_failure = event.kind() == FAILED;
    if !is_failure && event.kind() != ANSWERED {
        return None;
    }
    let session = session(event);
    let text = |name: &str| field(event, name);
    let name = text("model").map_or_else(|| "chat".to_owned(), |model| format!("chat {model}"));
    let (code, message) = match is_failure {
        true => (2, text("error").unwrap_or_default()),
        false => (1, String::new()),
    };
    // The exporter has a trace of its own, and the session's hooks another, to which the request is moved.
    let told = context(event);
    let trace = derived_trace_id(&session);
    let links: Vec<Value> = (told.trace_id != trace).then(|| link(told)).into_iter().collect();
    let mut span = json!({
        "traceId": hex(&trace),
        "spanId": hex(&derived_span_id(&session, &format!("request:{}", event.id()))),
        "name": name,
        "kind": 3,
        "startTimeUnixNano": lasted_since(event).to_string(),
        "endTimeUnixNano": event.time().0.to_string(),
        "attributes": attributes(event, &session, is_failure),
        "status": {"code": code, "message": message},
        "links": links,
    });
    let turn = text("prompt.id").or_else(|| text("prompt_id"));
    if let Some(parent) = child_of(event, &session, text("agent_id").as_deref(), turn.as_deref()) {
        span["parentSpanId"] = hex(&parent).into();
    }
    Some(span)
}

fn attributes(event: &Recorded, session: &str, is_failure: bool) -> Vec<Value> {
    let text = |name: &str| field(event, name);
    let count = |name: &str| text(name).and_then(|text| text.parse::<u64>().ok());
    let told = [
        ("gen_ai.operation.name", Some("chat".to_owned())),
        ("gen_ai.provider.name", Some("anthropic".to_owned())),
        ("gen_ai.conversation.id", Some(session.to_owned())),
        ("session.id", Some(session.to_owned())),
        ("gen_ai.request.model", text("model")),
        ("gen_ai.response.model", text("model").filter(|_| !is_failure)),
        ("gen_ai.response.id", text("request_id")),
        ("gen_ai.agent.id", text("agent_id")),
        ("gen_ai.agent.name", text("agent.name")),
        ("error.type", is_failure.then(|| text("status_code").unwrap_or_else(|| event.kind().to_owned()))),
        ("tacho.event.id", Some(event.id().to_owned())),
        ("tacho.stream", Some(event.stream().to_owned())),
    ];
    let (read, written) = (count("cache_read_tokens"), count("cache_creation_tokens"));
    // The conventions count what came from a cache or went into it as input; this agent does not.
    let input = count("input_tokens")
        .map(|input| input.saturating_add(read.unwrap_or(0)).saturating_add(written.unwrap_or(0)));
    let counts = [
        ("gen_ai.usage.input_tokens", input),
        ("gen_ai.usage.output_tokens", count("output_tokens")),
        ("gen_ai.usage.cache_read.input_tokens", read),
        ("gen_ai.usage.cache_creation.input_tokens", written),
    ];
    let cost = text("cost_usd").and_then(|cost| cost.parse::<f64>().ok());
    let told = told.into_iter().filter_map(|(name, value)| Some(attribute(name, &value?)));
    let counts = counts
        .into_iter()
        .filter_map(|(name, value)| Some(json!({"key": name, "value": {"intValue": value?.to_string()}})));
    let cost = cost.map(|cost| json!({"key": "tacho.cost_usd", "value": {"doubleValue": cost}}));
    told.chain(counts).chain(cost).collect()
}

fn link(context: TraceContext) -> Value {
    let attributes = [attribute("tacho.link", "origin")];
    json!({"traceId": hex(&context.trace_id), "spanId": hex(&context.span_id), "attributes": attributes})
}
