//! Markers in a transcript: what an agent said between its tool calls never reaches a hook's payload.

use super::{Carried, Origin, Scope, extract};
use crate::door::Door;
use crate::hook::blocks;
use std::borrow::Cow;
use tacho_event::json::{self, Kind};
use tacho_event::{Event, Timestamp};

/// The events of the markers in what the assistant says in a transcript (JSON Lines). `cause` is the event
/// that ended the agent or the turn: `claude.subagent_stop` with the subagent's transcript, `claude.stop` with
/// the session's, of which only the turn that ended counts. Lines that cannot be read are passed over.
pub fn from_transcript(cause: &Event, jsonl: &[u8], door: &Door<'_>) -> Vec<Event> {
    // The end of a session ends no turn: its markers were read when their turns ended.
    if !door.markers.assistant_text || cause.kind().ends_with(".session_end") {
        return Vec::new();
    }
    let data = json::member(cause.body(), "data").unwrap_or(b"{}");
    let text = |name| json::member(data, name).map(json::text).filter(|text| !text.is_empty());
    let agent = text("agent_id");
    let turn = text("prompt_id");
    let mut documents: Vec<Vec<u8>> = Vec::new();
    let mut current_turn: Option<String> = None;
    for line in jsonl.split(|byte| *byte == b'\n') {
        let may_count = memchr::memmem::find(line, b"EVENT>").is_some()
            || memchr::memmem::find(line, b"promptId").is_some();
        let mut minified = Vec::new();
        if !may_count || json::minify(line, door.limits.depth, &mut minified).is_err() {
            continue;
        }
        if let Some(prompt) = json::member(&minified, "promptId").filter(|id| json::kind(id) == Kind::String)
        {
            current_turn = Some(json::text(prompt).into_owned());
        }
        let is_said = json::member(&minified, "type") == Some(b"\"assistant\"");
        let counts = agent.is_some() || current_turn.as_deref() == turn.as_deref();
        if is_said && counts {
            documents.push(door.redactor.redact_json(&minified).into_owned());
        }
    }
    let scope = match (agent, turn) {
        (Some(agent), _) => Scope::Agent(agent.into_owned()),
        (None, Some(turn)) => Scope::Turn(turn.into_owned()),
        (None, None) => Scope::Event(cause.id().to_owned()),
    };
    let texts: Vec<Carried<'_>> = documents.iter().filter_map(|document| said(document, &scope)).collect();
    extract(&texts, &Origin::of(cause), door)
}

fn said<'a>(line: &'a [u8], scope: &Scope) -> Option<Carried<'a>> {
    let content = json::member(json::member(line, "message")?, "content")?;
    let text = match json::kind(content) {
        Kind::String => json::text(content),
        _ => blocks(content),
    };
    let time = json::member(line, "timestamp").map(json::text);
    let time = time.as_deref().and_then(Timestamp::from_rfc3339);
    Some(Carried { time, ..Carried::new(scope.clone(), Cow::Owned(text.into_owned())) })
}
