//! What coding agents tell their hooks → events: the hook's own event first, then the markers in it, then what
//! follows from a command or a call of a tool server that it tells of.
//!
//! Every hook event is taken, unknown ones too; what cannot be read is kept as `tacho.hook_unreadable`. So
//! there is always at least one event, and no error.

mod carriers;
mod commit;
pub(crate) mod derive;
mod payload;
mod tool_call;
mod tool_server;
mod unreadable;

use crate::door::{Door, within};
use crate::marker::{self, Origin};
use crate::strings::cut_to_fit;
pub(crate) use carriers::blocks;
pub(crate) use payload::{is_synthetic, project, push_path_part, source_of};

use payload::Payload;
use std::borrow::Cow;
use tacho_event::json::{self, Kind};
use tacho_event::{Draft, Event, EventError, Timestamp, TraceContext, stream};

/// Which program's hooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Agent {
    ClaudeCode,
    Codex,
    /// No agent, but a program with hooks all the same: each tells of a commit.
    Git,
    /// No agent either: the proxy between a client and a tool server, which tells of calls as hooks do.
    Mcp,
}

impl Agent {
    pub const ALL: [Self; 4] = [Self::ClaudeCode, Self::Codex, Self::Git, Self::Mcp];

    /// As on the command line, in sources and as an actor's id.
    pub fn name(self) -> &'static str {
        match self {
            Self::ClaudeCode => "claude-code",
            Self::Codex => "codex",
            Self::Git => "git",
            Self::Mcp => "mcp",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|agent| agent.name() == name)
    }

    /// What its event types begin with, the dot left out.
    pub fn namespace(self) -> &'static str {
        match self {
            Self::ClaudeCode => "claude",
            Self::Codex => "codex",
            Self::Git => "git",
            Self::Mcp => "mcp",
        }
    }

    /// Whose payload this is, for doors at which nobody says.
    pub fn of_payload(minified: &[u8]) -> Self {
        let transcript = json::member(minified, "transcript_path").map(json::text).unwrap_or_default();
        let is_codex = transcript.contains("/.codex/") || transcript.contains("/rollout-");
        if is_codex { Self::Codex } else { Self::ClaudeCode }
    }
}

/// What a hook process knows.
#[derive(Debug, Clone, Copy)]
pub struct HookInput<'a> {
    pub agent: Agent,
    /// Made by the hook process, so that a frame that was both acknowledged late and spooled is one event.
    pub id: &'a str,
    /// When the hook process started.
    pub time: Timestamp,
    pub git_sha: Option<&'a str>,
    pub branch: Option<&'a str>,
    /// `TRACEPARENT` of the environment.
    pub traceparent: Option<&'a str>,
    /// Its standard input.
    pub payload: &'a [u8],
}

/// Reads a hook's input; the first event is the hook's own.
pub fn parse(input: &HookInput<'_>, door: &Door<'_>) -> Vec<Event> {
    let mut minified = Vec::new();
    let read = json::minify(input.payload, door.limits.depth, &mut minified);
    if let Err(error) = read {
        return vec![unreadable::event(input, &error.to_string(), door)];
    }
    let redacted = door.redactor.redact_json(&minified);
    if json::kind(&redacted) != Kind::Object {
        return vec![unreadable::event(input, "the input is no JSON object", door)];
    }
    let payload = Payload::read(&redacted);
    let told = match input.agent {
        Agent::Git => Some(commit::event(input, &payload, &redacted, door)),
        Agent::Mcp => Some(tool_server::event(input, &payload, &redacted, door)),
        Agent::ClaudeCode | Agent::Codex => None,
    };
    if let Some(told) = told {
        return vec![told.unwrap_or_else(|reason| unreadable::event(input, &reason, door))];
    }
    let event = match event(input, &payload, &redacted, door) {
        Ok(event) => event,
        Err(reason) => return vec![unreadable::event(input, &reason, door)],
    };
    let origin = Origin::of(&event);
    let texts = carriers::texts(&payload, &redacted, input.id, &door.markers);
    let markers = marker::extract(&texts, &origin, door);
    let place = (input.git_sha, input.branch);
    let derived = derive::events(&event, &payload, &redacted, place, door);
    let mut events = Vec::with_capacity(1 + markers.len() + derived.len());
    events.push(event);
    events.extend(markers);
    events.extend(derived);
    events
}

/// The path of the transcript to read when `event` ends a turn, a subagent or a session: for more markers
/// ([`marker::from_transcript`]), and for what answers used ([`crate::transcript::usages`]).
pub fn transcript_path(event: &Event) -> Option<String> {
    let data = json::member(event.body(), "data")?;
    let key = match event.kind() {
        "claude.subagent_stop" if json::member(data, "agent_type") != Some(b"\"\"") => {
            "agent_transcript_path"
        }
        "claude.stop" | "claude.session_end" => "transcript_path",
        _ => return None,
    };
    json::member(data, key)
        .filter(|path| json::kind(path) == Kind::String)
        .map(|path| json::text(path).into_owned())
}

fn event(
    input: &HookInput<'_>,
    payload: &Payload<'_>,
    redacted: &[u8],
    door: &Door<'_>,
) -> Result<Event, String> {
    let hook = payload.hook_event_name.as_deref().filter(|name| !name.is_empty());
    let hook = hook.ok_or("`hook_event_name` is missing or no string")?;
    let source = payload.source(input.agent);
    let mut draft = Draft::new(format!("{}.{}", input.agent.namespace(), snake_case(hook)), source, input.id);
    draft.set_data(redacted);
    let sameness = draft.content();
    draft.put_text("time", &input.time.to_rfc3339());
    attributes(&mut draft, input, payload);
    draft.subject = Some(Cow::Owned(match &payload.session_id {
        Some(session) => stream::of_session(session),
        None => stream::of_source(&draft.source),
    }));
    let told = |error: EventError| error.to_string();
    let whole = draft.finish(sameness).map_err(told)?;
    let limit = door.limits.event_bytes;
    if whole.bytes().len() <= limit {
        return Ok(whole);
    }
    let beside = whole.bytes().len() - redacted.len();
    draft.set_data(cut_to_fit(redacted, limit.saturating_sub(beside)));
    let cut = draft.finish(sameness).map_err(told)?;
    within(&cut, &door.limits).map_err(told)?;
    Ok(cut)
}

fn attributes(draft: &mut Draft<'_>, input: &HookInput<'_>, payload: &Payload<'_>) {
    let (actor_type, actor) = payload.actor(input.agent);
    put(draft, "actortype", Some(actor_type));
    put(draft, "actorid", Some(actor));
    put(draft, "actormodel", payload.actor_model());
    if let Some(session) = payload.session_id.as_deref() {
        put(draft, "sessionid", Some(session));
        let part = payload.agent_id.as_deref().or(payload.tool_use_id.as_deref()).unwrap_or(input.id);
        draft.put_text("traceparent", &TraceContext::derived(session, part).to_traceparent());
    }
    let inherited = input.traceparent.and_then(TraceContext::parse);
    put(draft, "origintraceparent", inherited.map(TraceContext::to_traceparent).as_deref());
    put(draft, "correlationid", payload.turn());
    put(draft, "gitsha", input.git_sha);
    put(draft, "branch", input.branch);
}

/// Sets an attribute when it has a value that an attribute may have; the payload holds the others.
pub(crate) fn put(draft: &mut Draft<'_>, name: &'static str, text: Option<&str>) {
    const LONGEST_BYTES: usize = 1024;
    let Some(text) = text else { return };
    if !text.is_empty() && text.len() <= LONGEST_BYTES && !text.chars().any(char::is_control) {
        draft.put_text(name, text);
    }
}

/// `PreToolUse` → `pre_tool_use`. Bounded, and of characters that a type may have.
pub(crate) fn snake_case(name: &str) -> String {
    const LONGEST_CHARACTERS: usize = 128;
    let mut out = String::with_capacity(name.len() + 8);
    let mut previous = '_';
    let mut characters = name.chars().take(LONGEST_CHARACTERS).peekable();
    while let Some(character) = characters.next() {
        if !character.is_ascii_alphanumeric() {
            out.push(if character == '.' { '.' } else { '_' });
        } else if character.is_ascii_uppercase() {
            let starts_word = previous.is_ascii_lowercase()
                || previous.is_ascii_digit()
                || (previous.is_ascii_uppercase() && characters.peek().is_some_and(char::is_ascii_lowercase));
            if starts_word {
                out.push('_');
            }
            out.push(character.to_ascii_lowercase());
        } else {
            out.push(character);
        }
        previous = character;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_types() {
        for (hook, kind) in [
            ("PreToolUse", "pre_tool_use"),
            ("SubagentStop", "subagent_stop"),
            ("MCPServerStart", "mcp_server_start"),
            ("already_snake", "already_snake"),
            ("Odd Name\n", "odd_name_"),
        ] {
            assert_eq!(snake_case(hook), kind);
        }
    }
}
