//! Markers: `<EVENT>{"name": …, "timestamp": …, "attributes": {…}}</EVENT>` in what an agent prints.
//!
//! # Which marker is which
//!
//! The same marker reaches us through several carriers: a command's output in `PostToolUse` and again in
//! `PostToolBatch`; an agent's last message in `SubagentStop`, in its transcript, and in the result of the
//! tool call that started it. Each finding must give the same id, and two markers that are really two must
//! give two. So the id is derived from, in this order:
//!
//! 1. The marker's own `id` (with its `source`), taken as it is. `tacho emit --marker` prints both, so what
//!    it already sent is recognised.
//! 2. Session, name, attributes and `timestamp`, when there is one. Whoever gives a moment says which of two
//!    equal markers it is; where it is found does not matter.
//! 3. Session, name, attributes, the *scope* in which it was printed, and which of the equal ones in that
//!    scope it is. The scope is what all carriers of one text agree on: the tool call for a command's
//!    output; the agent for what a subagent says (its transcript, its last message, the result that it hands
//!    back); the prompt's turn for what the main agent says. So equal markers of two commands are two, and
//!    two equal ones in one output are two.
//!
//! Attributes are compared as values: the order of keys and the way in which strings are escaped do not count.

mod event;
mod scan;
mod transcript;

pub use transcript::from_transcript;

use crate::Door;
use std::borrow::Cow;
use std::collections::HashMap;
use tacho_event::json;
use tacho_event::{Event, Pattern, Timestamp, TraceContext};

/// Largest marker, in bytes; a larger one is rejected.
pub const MAX_MARKER_BYTES: usize = 64 * 1024;
/// Most markers that are taken from one text; the next one is rejected, and those behind it are not read.
pub const MAX_MARKERS: usize = 200;

/// Where markers count. Prompts, files that are read, searches, web pages and MCP results never do unless
/// their tool is named here: they repeat what others wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// What an agent says.
    pub assistant_text: bool,
    /// What a subagent hands back: tools `Task` and `Agent`.
    pub agent_results: bool,
    /// What commands print: tool `Bash` and its kin.
    pub command_output: bool,
    /// More tools whose results count, such as `mcp__bus__*`.
    pub tools: Vec<Pattern>,
}

impl Default for Policy {
    fn default() -> Self {
        Self { assistant_text: true, agent_results: true, command_output: true, tools: Vec::new() }
    }
}

impl Policy {
    pub(crate) fn is_agent(&self, tool: &str) -> bool {
        self.agent_results && matches!(tool, "Task" | "Agent")
    }

    pub(crate) fn is_output(&self, tool: &str) -> bool {
        const COMMANDS: [&str; 6] =
            ["Bash", "BashOutput", "PowerShell", "shell", "local_shell", "exec_command"];
        (self.command_output && COMMANDS.contains(&tool))
            || self.tools.iter().any(|known| known.matches(tool))
    }
}

/// What all carriers of one text agree on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Scope {
    Tool(String),
    Agent(String),
    Turn(String),
    /// Nothing but the event that carried it.
    Event(String),
}

impl Scope {
    fn to_text(&self) -> String {
        let (kind, id) = match self {
            Self::Tool(id) => ("tool", id),
            Self::Agent(id) => ("agent", id),
            Self::Turn(id) => ("turn", id),
            Self::Event(id) => ("event", id),
        };
        format!("{kind}:{id}")
    }
}

/// A text that may hold markers.
#[derive(Debug, Clone)]
pub(crate) struct Carried<'a> {
    pub scope: Scope,
    pub text: Cow<'a, str>,
    /// Whether the text may begin or end inside a marker.
    pub is_part: bool,
    /// When it was said, where that is known better than from the event that carried it.
    pub time: Option<Timestamp>,
}

impl<'a> Carried<'a> {
    pub(crate) fn new(scope: Scope, text: Cow<'a, str>) -> Self {
        Self { scope, text, is_part: false, time: None }
    }
}

/// The event that carried the markers, and what they have from it.
pub(crate) struct Origin {
    /// The cause.
    pub(crate) id: String,
    pub(crate) source: String,
    session: Option<String>,
    pub(crate) stream: String,
    pub(crate) time: String,
    /// Attributes that a marker inherits, as minified JSON.
    pub(crate) inherited: Vec<(&'static str, Vec<u8>)>,
}

impl Origin {
    pub(crate) fn of(event: &Event) -> Self {
        const INHERITED: [&str; 6] =
            ["sessionid", "actortype", "actorid", "gitsha", "branch", "correlationid"];
        let attribute = |name: &str| json::member(event.body(), name);
        let text = |name: &str| attribute(name).map(|value| json::text(value).into_owned());
        Self {
            id: event.id().to_owned(),
            source: format!("{}/marker", event.source()),
            session: text("sessionid"),
            stream: event.stream().to_owned(),
            time: text("time").unwrap_or_default(),
            inherited: INHERITED
                .into_iter()
                .filter_map(|name| attribute(name).map(|value| (name, value.to_vec())))
                .collect(),
        }
    }

    fn session(&self) -> &str {
        self.session.as_deref().unwrap_or_default()
    }

    pub(crate) fn trace(&self, part: &str) -> Option<TraceContext> {
        self.session.as_ref().map(|session| TraceContext::derived(session, part))
    }
}

/// The events of all markers in these texts, and one `tacho.marker_rejected` for each that is none.
pub(crate) fn extract(texts: &[Carried<'_>], origin: &Origin, door: &Door<'_>) -> Vec<Event> {
    let mut events = Vec::new();
    let mut ordinals = Ordinals::default();
    for carried in texts {
        for found in scan::scan(&carried.text, carried.is_part, door.limits.depth) {
            let result = match found {
                scan::Found::Marker { json, text } => {
                    event::build(&json, carried, origin, door, &mut ordinals).map_err(|reason| (text, reason))
                }
                scan::Found::Malformed { text, reason } => Err((text, reason)),
            };
            events.push(result.unwrap_or_else(|(text, reason)| {
                event::rejected(text, &reason, carried, origin, door, &mut ordinals)
            }));
        }
    }
    events
}

/// Counts the equal markers of a scope.
#[derive(Default)]
struct Ordinals(HashMap<String, usize>);

impl Ordinals {
    fn next(&mut self, key: String) -> String {
        let count = self.0.entry(key).or_default();
        *count += 1;
        (*count - 1).to_string()
    }
}

/// The line that `emit --marker` prints: with the event's id and source, so that it is recognised when a hook
/// sees it. `attributes` is minified JSON.
pub fn line(name: &str, id: &str, source: &str, time: Timestamp, attributes: &[u8]) -> String {
    let mut out = b"<EVENT>{\"name\":".to_vec();
    json::write_string(name, &mut out);
    out.extend_from_slice(b",\"id\":");
    json::write_string(id, &mut out);
    out.extend_from_slice(b",\"source\":");
    json::write_string(source, &mut out);
    out.extend_from_slice(format!(",\"timestamp\":\"{}\",\"attributes\":", time.to_rfc3339()).as_bytes());
    out.extend_from_slice(attributes);
    out.extend_from_slice(b"}</EVENT>");
    String::from_utf8_lossy(&out).into_owned()
}
