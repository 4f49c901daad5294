//! A call of a tool server's tool, whoever saw it: a hook of the agent that called, or the proxy between the two.

use super::carriers::blocks;
use super::payload::Payload;
use std::borrow::Cow;
use tacho_event::head;
use tacho_event::json::{self, Kind};

/// Longest name of a tool in an event's type, in characters.
const NAME_CHARACTERS: usize = 128;
/// Longest message that is made of a tool's answer, in bytes; the whole answer stands beside it.
const MESSAGE_BYTES: usize = 2_000;

/// A call that ended. Values are minified JSON, redacted.
pub(super) struct ToolCall<'a> {
    tool: Cow<'a, str>,
    server: Cow<'a, str>,
    arguments: Option<&'a [u8]>,
    result: Option<&'a [u8]>,
    /// Why it failed, if it did.
    error: Option<Cow<'a, [u8]>>,
    duration_ms: Option<&'a [u8]>,
    /// The call's id between client and server.
    request_id: Option<&'a [u8]>,
    pub context: Option<Cow<'a, str>>,
    correlation: Option<Cow<'a, str>>,
}

impl<'a> ToolCall<'a> {
    /// From a hook behind a call of `mcp__<server>__<tool>`; `None` for any other.
    pub(super) fn of_hook(payload: &'a Payload<'_>, object: &'a [u8]) -> Option<Self> {
        let hook = payload.hook_event_name.as_deref()?;
        let (server, tool) = payload.tool_name.as_deref()?.strip_prefix("mcp__")?.split_once("__")?;
        if !matches!(hook, "PostToolUse" | "PostToolUseFailure") || server.is_empty() || tool.is_empty() {
            return None;
        }
        let mut call = Self::read(Cow::Borrowed(server), Cow::Borrowed(tool), object);
        if hook == "PostToolUseFailure" && call.error.is_none() {
            call.error = Some(Cow::Owned(message(payload.error.as_deref().unwrap_or_default())));
        }
        call.correlation = payload.turn().map(Cow::Borrowed);
        Some(call)
    }

    /// From what the proxy tells.
    pub(super) fn of_proxy(server: Cow<'a, str>, object: &'a [u8]) -> Option<Self> {
        let tool = text(object, "tool_name")?;
        let mut call = Self::read(server, tool, object);
        call.request_id = json::member(object, "request_id");
        call.context = text(object, "context_id").or(call.context);
        call.correlation = text(object, "correlation_id");
        Some(call)
    }

    fn read(server: Cow<'a, str>, tool: Cow<'a, str>, object: &'a [u8]) -> Self {
        let of_kind = |name, kind| json::member(object, name).filter(|value| json::kind(value) == kind);
        let arguments = of_kind("tool_input", Kind::Object);
        let context = arguments.and_then(|arguments| {
            text(arguments, "context_id").or_else(|| text(arguments, "conversationId"))
        });
        let result = json::member(object, "tool_response");
        let error = match json::member(object, "error").map(|error| (error, json::kind(error))) {
            Some((error, Kind::Object)) => Some(Cow::Borrowed(error)),
            Some((error, Kind::String)) => Some(Cow::Owned(message(&json::text(error)))),
            _ => result.and_then(failure).map(Cow::Owned),
        };
        let duration_ms = of_kind("duration_ms", Kind::Number);
        let (request_id, correlation) = (None, None);
        Self { tool, server, arguments, result, error, duration_ms, request_id, context, correlation }
    }

    /// `tool.<tool>.completed` or `.failed`.
    pub(super) fn kind(&self) -> String {
        let is_plain = |character: char| character.is_ascii_alphanumeric() || "_-./".contains(character);
        let tool: String = self
            .tool
            .chars()
            .take(NAME_CHARACTERS)
            .map(|character| if is_plain(character) { character } else { '_' })
            .collect();
        format!("tool.{tool}.{}", if self.error.is_some() { "failed" } else { "completed" })
    }

    /// The payload, and what the caller adds to it.
    pub(super) fn data(&self, more: &[(&str, &[u8])]) -> Vec<u8> {
        let quoted = |text: &str| {
            let mut quoted = Vec::with_capacity(text.len() + 2);
            json::write_string(text, &mut quoted);
            quoted
        };
        let (tool, server) = (quoted(&self.tool), quoted(&self.server));
        let (context, correlation) =
            (self.context.as_deref().map(quoted), self.correlation.as_deref().map(quoted));
        let members = [
            ("tool", Some(&tool[..])),
            ("arguments", self.arguments),
            ("result", self.result),
            ("error", self.error.as_deref()),
            ("serverId", Some(&server[..])),
            ("request_id", self.request_id),
            ("duration_ms", self.duration_ms),
            ("context_id", context.as_deref()),
            ("correlationId", correlation.as_deref()),
        ];
        let told = members.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let mut data = vec![b'{'];
        for (name, value) in told.chain(more.iter().copied()) {
            if data.len() > 1 {
                data.push(b',');
            }
            json::write_string(name, &mut data);
            data.push(b':');
            data.extend_from_slice(value);
        }
        data.push(b'}');
        data
    }
}

/// The error of an answer that is one: `isError`, and the text that says why.
fn failure(result: &[u8]) -> Option<Vec<u8>> {
    if json::member(result, "isError") != Some(b"true") {
        return None;
    }
    let text = json::member(result, "content").map(blocks).unwrap_or_default();
    Some(message(text.trim_end()))
}

fn message(text: &str) -> Vec<u8> {
    let mut error = b"{\"message\":".to_vec();
    json::write_string(head(text, MESSAGE_BYTES), &mut error);
    error.push(b'}');
    error
}

/// A text that is not empty.
pub(super) fn text<'a>(object: &'a [u8], name: &str) -> Option<Cow<'a, str>> {
    let value = json::member(object, name).filter(|value| json::kind(value) == Kind::String)?;
    Some(json::text(value)).filter(|text| !text.is_empty())
}
