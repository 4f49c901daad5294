//! What the hooks of a coding agent tell of time: turns, calls of tools, subagents, waits for a person.

use super::span::{Beginning, ROOT, SpanKind, Spans};
use super::words::{brief, field, number};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use tacho_event::{Recorded, Timestamp, json};

/// Tools whose whole time is a person's.
const ASKS_A_PERSON: [&str; 2] = ["AskUserQuestion", "ExitPlanMode"];
/// Inputs of tools that say what the tool was asked for.
const INPUTS: [&str; 6] = ["description", "command", "file_path", "pattern", "url", "query"];

#[derive(Default)]
pub(super) struct Hooks {
    turns: u64,
    /// The last call of each agent, tool and input, by a hash of them: a request for permission names no id.
    asks: HashMap<u64, String>,
    /// Calls that send out a subagent which has not begun, and its kind.
    sent: Vec<(usize, String)>,
}

impl Hooks {
    /// Takes an event whose payload is a hook's.
    pub(super) fn fold(&mut self, event: &Recorded, data: &[u8], spans: &mut Spans) {
        let at = event.time();
        let agent = field(data, "agent_id");
        let name = event.kind().rsplit('.').next().unwrap_or_default();
        match name {
            "user_prompt_submit" => self.begin_turn(event, data, spans),
            "stop" | "stop_failure" if agent.is_none() => {
                spans.end("turn", at, name == "stop_failure");
            }
            "session_end" => spans.cut(at),
            "pre_tool_use" => self.begin_call(event, data, spans),
            "post_tool_use" => end_call(&call_key(data), data, at, false, spans),
            "post_tool_use_failure" | "permission_denied" => end_call(&call_key(data), data, at, true, spans),
            "post_tool_batch" => {
                for call in json::member(data, "tool_calls").into_iter().flat_map(json::elements) {
                    end_call(&call_key(call), call, at, true, spans);
                }
            }
            "permission_request" => self.begin_wait(event, data, spans),
            "elicitation" => {
                let parent = above(agent.as_deref(), spans);
                spans.begin(
                    elicitation_key(agent.as_deref()),
                    waiting(event, parent, brief(data, &["message"])),
                );
            }
            "elicitation_result" => {
                spans.end(&elicitation_key(agent.as_deref()), at, false);
            }
            "subagent_start" => self.begin_agent(event, data, spans),
            "subagent_stop" => {
                let key = format!("agent/{}", agent.unwrap_or_default());
                spans.end(&key, at, false);
            }
            "pre_compact" => {
                let beginning = Beginning {
                    id: event.id(),
                    parent: above(agent.as_deref(), spans),
                    name: "compaction".to_owned(),
                    detail: brief(data, &["trigger"]),
                    kind: SpanKind::Tool,
                    at,
                };
                spans.begin("compaction".to_owned(), beginning);
            }
            "post_compact" => {
                spans.end("compaction", at, false);
            }
            _ => {}
        }
    }

    fn begin_turn(&mut self, event: &Recorded, data: &[u8], spans: &mut Spans) {
        spans.end("turn", event.time(), false);
        self.turns += 1;
        let beginning = Beginning {
            id: event.id(),
            parent: ROOT,
            name: format!("turn {}", self.turns),
            detail: brief(data, &["prompt"]),
            kind: SpanKind::Turn,
            at: event.time(),
        };
        spans.begin("turn".to_owned(), beginning);
    }

    fn begin_call(&mut self, event: &Recorded, data: &[u8], spans: &mut Spans) {
        let agent = field(data, "agent_id");
        let name = field(data, "tool_name").unwrap_or_else(|| "tool".to_owned());
        let input = json::member(data, "tool_input").unwrap_or(b"{}");
        let key = call_key(data);
        let is_wait = ASKS_A_PERSON.contains(&name.as_str());
        let beginning = Beginning {
            id: event.id(),
            parent: above(agent.as_deref(), spans),
            detail: brief(input, &INPUTS),
            kind: if is_wait { SpanKind::Wait } else { SpanKind::Tool },
            at: event.time(),
            name,
        };
        let call = spans.begin(key.clone(), beginning);
        self.asks.insert(asked(data), key);
        if let Some(kind) = field(input, "subagent_type") {
            self.sent.push((call, kind));
        }
    }

    fn begin_wait(&mut self, event: &Recorded, data: &[u8], spans: &mut Spans) {
        let call = self.asks.get(&asked(data));
        let key = call.map_or_else(|| call_key(data), Clone::clone);
        let agent = field(data, "agent_id");
        let parent = spans.find(&key).unwrap_or_else(|| above(agent.as_deref(), spans));
        let what = brief(data, &["tool_name"]);
        spans.begin(format!("{key}/wait"), waiting(event, parent, what));
    }

    fn begin_agent(&mut self, event: &Recorded, data: &[u8], spans: &mut Spans) {
        let kind = field(data, "agent_type").unwrap_or_else(|| "subagent".to_owned());
        let sender = self.sent.iter().position(|(_, sent)| *sent == kind);
        let parent = sender.map_or_else(|| above(None, spans), |index| self.sent.remove(index).0);
        let id = field(data, "agent_id").unwrap_or_default();
        let beginning = Beginning {
            id: event.id(),
            parent,
            name: kind,
            detail: id.clone(),
            kind: SpanKind::Agent,
            at: event.time(),
        };
        spans.begin(format!("agent/{id}"), beginning);
    }
}

/// Ends a call, and the wait for permission in it: the tool itself worked for as long as it says.
fn end_call(key: &str, data: &[u8], at: Timestamp, failed: bool, spans: &mut Spans) {
    let worked = number(data, "duration_ms").map_or(0, |milliseconds| (milliseconds * 1e6) as i64);
    spans.end(&format!("{key}/wait"), Timestamp(at.0.saturating_sub(worked.max(0))), false);
    spans.end(key, at, failed);
}

fn waiting<'a>(event: &'a Recorded, parent: usize, detail: String) -> Beginning<'a> {
    let name = "waiting for a person".to_owned();
    Beginning { id: event.id(), parent, name, detail, kind: SpanKind::Wait, at: event.time() }
}

/// The subagent that an event happens in, else the turn, else the session.
fn above(agent: Option<&str>, spans: &Spans) -> usize {
    let agent = agent.and_then(|agent| spans.find(&format!("agent/{agent}")));
    agent.or_else(|| spans.find("turn")).unwrap_or(ROOT)
}

fn elicitation_key(agent: Option<&str>) -> String {
    format!("elicitation/{}", agent.unwrap_or_default())
}

fn call_key(data: &[u8]) -> String {
    match field(data, "tool_use_id") {
        Some(id) => format!("call/{id}"),
        None => format!("call/{:016x}", asked(data)),
    }
}

fn asked(data: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for name in ["agent_id", "tool_name", "tool_input"] {
        json::member(data, name).hash(&mut hasher);
    }
    hasher.finish()
}
