//! Who set off whom in a trace, for events that name no cause: a tool's end its beginning, a call its prompt or its
//! subagent, a subagent the call that sent it out, a span its parent.
//!
//! Pure, and one pass: a trace's events go in as they stand on the log, the edges come out.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use tacho_event::{Position, Recorded, TraceContext, json, trace};

/// The edges of one trace, as far as its events were read.
#[derive(Debug, Default)]
pub(super) struct Lineage {
    parents: HashMap<Position, Position>,
    children: HashMap<Position, Vec<Position>>,
}

/// What is remembered of the events before.
#[derive(Debug, Default)]
pub(super) struct Tracer {
    edges: Vec<(Position, Position)>,
    /// Tool calls by their ids.
    calls: HashMap<String, Position>,
    /// The last call of each agent, tool and input, by a hash of them: a request for permission names no id.
    asks: HashMap<u64, Position>,
    /// Calls that send a subagent out which has not begun, and its kind.
    sent: Vec<(Position, String)>,
    /// The beginnings of subagents.
    agents: HashMap<String, Position>,
    /// Prompts by their ids, and the last one.
    prompts: HashMap<String, Position>,
    prompt: Option<Position>,
    /// The first event of each span.
    spans: HashMap<String, Position>,
    /// Those whose parent may come behind them: a span is told when it ends.
    orphans: Vec<(Position, String)>,
}

impl Lineage {
    pub(super) fn parent(&self, child: Position) -> Option<Position> {
        self.parents.get(&child).copied()
    }

    /// In the order of the log.
    pub(super) fn children(&self, parent: Position) -> &[Position] {
        self.children.get(&parent).map(Vec::as_slice).unwrap_or_default()
    }
}

impl Tracer {
    pub(super) fn add(&mut self, event: &Recorded) {
        let parent = match event.data().filter(|data| json::member(data, "hook_event_name").is_some()) {
            Some(data) => self.of_hook(event, data),
            None => self.of_other(event),
        };
        if let Some(parent) = parent.filter(|parent| *parent != event.position) {
            self.edges.push((event.position, parent));
        }
        if let Some(context) = event.text("traceparent").and_then(|text| TraceContext::parse(&text)) {
            self.spans.entry(trace::to_hex(&context.span_id)).or_insert(event.position);
        }
    }

    pub(super) fn finish(mut self) -> Lineage {
        let spans = &self.spans;
        let found = self.orphans.iter().filter_map(|(child, span)| Some((*child, *spans.get(span)?)));
        self.edges.extend(found.filter(|(child, parent)| child != parent));
        let mut lineage = Lineage::default();
        self.edges.sort_unstable();
        for (child, parent) in self.edges {
            lineage.parents.insert(child, parent);
            lineage.children.entry(parent).or_default().push(child);
        }
        lineage
    }

    fn of_hook(&mut self, event: &Recorded, data: &[u8]) -> Option<Position> {
        let here = event.position;
        let agent = member(data, "agent_id");
        let asked = asked(agent.as_deref(), data);
        let started = member(data, "tool_use_id").and_then(|call| self.calls.get(&call).copied());
        let above = self.above(event, agent.as_deref());
        match event.kind().rsplit('.').next().unwrap_or_default() {
            "session_start" | "session_end" => None,
            "user_prompt_submit" => {
                self.prompt = Some(here);
                if let Some(prompt) = event.text("correlationid") {
                    self.prompts.entry(prompt.into_owned()).or_insert(here);
                }
                None
            }
            "pre_tool_use" => {
                self.asks.insert(asked, here);
                if let Some(call) = member(data, "tool_use_id") {
                    self.calls.entry(call).or_insert(here);
                }
                if let Some(kind) =
                    json::member(data, "tool_input").and_then(|input| member(input, "subagent_type"))
                {
                    self.sent.push((here, kind));
                }
                above
            }
            "post_tool_use" | "post_tool_use_failure" | "permission_denied" => started.or(above),
            "permission_request" => self.asks.get(&asked).copied().or(above),
            "subagent_start" => {
                let parent = self.sender(data);
                if let Some(agent) = agent {
                    self.agents.entry(agent).or_insert(here);
                }
                parent.or(self.prompt)
            }
            _ => above,
        }
    }

    /// A span names its parent; telemetry and markers of a session belong to its prompt.
    fn of_other(&mut self, event: &Recorded) -> Option<Position> {
        if let Some(parent) = event.text("parentspanid") {
            self.orphans.push((event.position, parent.into_owned()));
            return None;
        }
        let prompt = event.text("correlationid")?;
        self.prompts.get(prompt.as_ref()).copied()
    }

    /// The subagent that an event happens in, else the prompt.
    fn above(&self, event: &Recorded, agent: Option<&str>) -> Option<Position> {
        if let Some(agent) = agent {
            return self.agents.get(agent).copied();
        }
        let prompt =
            event.text("correlationid").and_then(|prompt| self.prompts.get(prompt.as_ref()).copied());
        prompt.or(self.prompt)
    }

    /// The first call that sends out a subagent of this kind and has none yet.
    fn sender(&mut self, data: &[u8]) -> Option<Position> {
        let kind = member(data, "agent_type")?;
        let index = self.sent.iter().position(|(_, sent)| *sent == kind)?;
        Some(self.sent.remove(index).0)
    }
}

fn member(data: &[u8], name: &str) -> Option<String> {
    let text = json::text(json::member(data, name)?);
    Some(text.into_owned()).filter(|text| !text.is_empty() && text != "null")
}

fn asked(agent: Option<&str>, data: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    agent.hash(&mut hasher);
    for name in ["tool_name", "tool_input"] {
        json::member(data, name).hash(&mut hasher);
    }
    hasher.finish()
}
