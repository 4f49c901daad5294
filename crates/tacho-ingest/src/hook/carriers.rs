//! The texts of a hook's payload in which markers count.

use super::payload::Payload;
use crate::marker::{Carried, Policy, Scope};
use std::borrow::Cow;
use tacho_event::json::{self, Kind};

pub(super) fn texts<'a>(
    payload: &'a Payload<'_>,
    object: &'a [u8],
    id: &str,
    policy: &Policy,
) -> Vec<Carried<'a>> {
    let assistant = |text: &'a Option<Cow<'_, str>>| -> Vec<Carried<'a>> {
        let text = text.as_deref().filter(|_| policy.assistant_text);
        let carried = |text: &'a str| Carried::new(assistant_scope(payload, id), Cow::Borrowed(text));
        text.map(carried).into_iter().collect()
    };
    match payload.hook_event_name.as_deref() {
        // Compaction's summary quotes what was said before; nobody says it now.
        Some("SubagentStop") if payload.agent_type.as_deref() == Some("") => Vec::new(),
        Some("Stop" | "SubagentStop") => assistant(&payload.last_assistant_message),
        // A part of a message: what is not closed here is whole in the message.
        Some("MessageDisplay") => assistant(&payload.delta)
            .into_iter()
            .map(|carried| Carried { is_part: true, ..carried })
            .collect(),
        Some("PostToolUse") => call(object, id, policy).into_iter().collect(),
        Some("PostToolUseFailure") => failure(payload, object, id, policy).into_iter().collect(),
        Some("PostToolBatch") => json::member(object, "tool_calls")
            .map(|calls| json::elements(calls).filter_map(|each| call(each, id, policy)).collect())
            .unwrap_or_default(),
        _ => Vec::new(),
    }
}

fn assistant_scope(payload: &Payload<'_>, id: &str) -> Scope {
    match (&payload.agent_id, payload.turn()) {
        (Some(agent), _) => Scope::Agent(agent.to_string()),
        (None, Some(turn)) => Scope::Turn(turn.to_owned()),
        (None, None) => Scope::Event(id.to_owned()),
    }
}

/// A tool call with its response, alone or in a batch.
fn call<'a>(call: &'a [u8], id: &str, policy: &Policy) -> Option<Carried<'a>> {
    let tool = json::text(json::member(call, "tool_name")?);
    let response = json::member(call, "tool_response")?;
    if policy.is_agent(&tool) {
        let text = content(response);
        let agent = json::member(response, "agentId").map(json::text).or_else(|| named_agent(&text));
        let scope = agent.map_or_else(|| tool_scope(call, id), |agent| Scope::Agent(agent.into_owned()));
        return Some(Carried::new(scope, text));
    }
    policy.is_output(&tool).then(|| Carried::new(tool_scope(call, id), output(response)))
}

/// A failed command's output is in its error.
fn failure<'a>(payload: &'a Payload<'_>, call: &'a [u8], id: &str, policy: &Policy) -> Option<Carried<'a>> {
    let tool = payload.tool_name.as_deref()?;
    let text = payload.error.as_deref().filter(|_| policy.is_output(tool))?;
    Some(Carried::new(tool_scope(call, id), Cow::Borrowed(text)))
}

fn tool_scope(call: &[u8], id: &str) -> Scope {
    match json::member(call, "tool_use_id").filter(|tool| json::kind(tool) == Kind::String) {
        Some(tool) => Scope::Tool(json::text(tool).into_owned()),
        None => Scope::Event(id.to_owned()),
    }
}

/// The text of a string, of content blocks, or of an object that holds them.
fn content(response: &[u8]) -> Cow<'_, str> {
    match json::kind(response) {
        Kind::String => json::text(response),
        Kind::Array => blocks(response),
        Kind::Object => json::member(response, "content").map_or(Cow::Borrowed(""), content),
        _ => Cow::Borrowed(""),
    }
}

/// The text blocks of a message's content, one a line.
pub(crate) fn blocks(content: &[u8]) -> Cow<'_, str> {
    let mut text = String::new();
    for block in json::elements(content) {
        if let Some(written) = json::member(block, "text").filter(|text| json::kind(text) == Kind::String) {
            text.push_str(&json::text(written));
            text.push('\n');
        }
    }
    Cow::Owned(text)
}

/// What a command printed: Codex and batches give a string, Claude Code an object.
pub(super) fn output(response: &[u8]) -> Cow<'_, str> {
    if json::kind(response) != Kind::Object {
        return content(response);
    }
    let part = |name| json::member(response, name).map(content).unwrap_or_default();
    let (printed, errors) = (part("stdout"), part("stderr"));
    if printed.is_empty() && errors.is_empty() {
        return content(response);
    }
    if errors.is_empty() { printed } else { Cow::Owned(format!("{printed}\n{errors}")) }
}

/// A batch gives an agent's result as text alone, in which the agent is named in a trailing line.
fn named_agent<'a>(text: &str) -> Option<Cow<'a, str>> {
    let line = text.lines().rev().find_map(|line| line.trim().strip_prefix("agentId: "))?;
    let id: String =
        line.chars().take_while(|character| character.is_ascii_alphanumeric()).take(64).collect();
    (!id.is_empty()).then_some(Cow::Owned(id))
}
