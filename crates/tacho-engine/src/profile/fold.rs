//! A stream's events and its requests to models, folded into a profile. Pure.

use super::hooks::Hooks;
use super::path::critical_path;
use super::records;
use super::share::shares;
use super::span::{Beginning, ProfileSpan, ROOT, SpanKind, Spans};
use super::words::{field, number};
use super::{AgentTime, ModelTime, Profile, ToolTime};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use tacho_event::{Recorded, Timestamp, json, stream};
use tacho_view::{ModelRequest, NanoUsd};

/// How many turns and subagents that began before a request may be the one that it lies in.
const ASKERS_MAX: usize = 64;

pub(super) struct Fold {
    stream: String,
    spans: Spans,
    hooks: Hooks,
    events: usize,
    /// The main agent of a session.
    agent: Option<String>,
    sessions: BTreeSet<String>,
    /// What subagents are, by their ids, and the spans of each.
    subagents: HashMap<String, String>,
    /// The model with which an agent took up its task.
    started: HashMap<(String, String), String>,
    models: BTreeMap<String, ModelTime>,
    /// Money by agent.
    spent: BTreeMap<String, NanoUsd>,
    requests: u64,
    /// Turns and subagents by their beginning, once all are known.
    askers: Option<Vec<usize>>,
}

impl Fold {
    pub(super) fn new(stream: &str) -> Self {
        Self {
            stream: stream.to_owned(),
            spans: Spans::default(),
            hooks: Hooks::default(),
            events: 0,
            agent: None,
            sessions: BTreeSet::new(),
            subagents: HashMap::new(),
            started: HashMap::new(),
            models: BTreeMap::new(),
            spent: BTreeMap::new(),
            requests: 0,
            askers: None,
        }
    }

    pub(super) fn add(&mut self, event: &Recorded) {
        self.events += 1;
        self.spans.see(&self.stream, event.time());
        let session = event.text("sessionid").filter(|session| !session.is_empty());
        if let Some(session) = &session {
            self.sessions.insert(session.clone().into_owned());
        }
        let Some(data) = event.data() else { return };
        if json::member(data, "hook_event_name").is_some() {
            self.learn(event, data);
            self.hooks.fold(event, data, &mut self.spans);
            return;
        }
        records::fold(event, data, &mut self.spans);
        self.spend_by_account(event, data, session.is_some());
    }

    /// The sessions whose requests belong to the stream.
    pub(super) fn sessions(&self) -> Vec<String> {
        let own = self.stream.strip_prefix("session/").map(str::to_owned);
        own.map_or_else(|| self.sessions.iter().cloned().collect(), |own| vec![own])
    }

    pub(super) fn span(&self) -> (Timestamp, Timestamp) {
        self.spans.spans.first().map_or((Timestamp(0), Timestamp(0)), |root| (root.at, root.until))
    }

    /// A request to a model, known from telemetry or a transcript.
    pub(super) fn spend(&mut self, request: &ModelRequest) {
        let model = request.model.clone().unwrap_or_else(|| "(not known)".to_owned());
        let agent = request.agent.as_ref().map(|id| self.subagents.get(id).unwrap_or(id).clone());
        let agent = agent.or_else(|| self.agent.clone()).unwrap_or_else(|| "(not known)".to_owned());
        self.count(&model, &agent, request.duration_ns, request.cost);
        let is_of_session = stream::category(&self.stream) == "session";
        if request.duration_ns > 0 && is_of_session {
            let at = Timestamp(request.at.0.saturating_sub(request.duration_ns));
            self.requests += 1;
            let (id, key) = (format!("request-{}", self.requests), format!("request/{}", self.requests));
            let parent = self.asker(request.agent.as_deref(), at, request.at);
            let detail = String::new();
            let beginning = Beginning { id: &id, parent, name: model, detail, kind: SpanKind::Request, at };
            self.spans.begin(key.clone(), beginning);
            self.spans.end(&key, request.at, false);
        }
    }

    pub(super) fn finish(self, truncated: bool) -> Profile {
        let agent = self.agent.unwrap_or_else(|| "agent".to_owned());
        let spans = self.spans.finish();
        let (from, until) = spans.first().map_or((Timestamp(0), Timestamp(0)), |root| (root.at, root.until));
        let mut by_model: Vec<ModelTime> = self.models.into_values().collect();
        by_model.sort_by_key(|model| (Reverse(model.cost), Reverse(model.duration_ns)));
        let cost = self.spent.values().copied().sum();
        Profile {
            stream: self.stream,
            from,
            until,
            events: self.events,
            truncated,
            time: shares(&spans),
            cost: (!self.spent.is_empty()).then_some(cost),
            by_model,
            by_tool: by_tool(&spans),
            by_agent: by_agent(&spans, &agent, self.spent),
            critical_path: critical_path(&spans, &agent),
            spans,
        }
    }

    fn learn(&mut self, event: &Recorded, data: &[u8]) {
        let (id, kind) = (field(data, "agent_id"), field(data, "agent_type"));
        if let (Some(id), Some(kind)) = (&id, kind) {
            self.subagents.entry(id.clone()).or_insert(kind);
        }
        let is_agent = event.text("actortype").is_some_and(|kind| kind == "agent");
        if self.agent.is_none() && id.is_none() && is_agent {
            self.agent = event.text("actorid").map(|id| id.into_owned());
        }
    }

    /// An agent's own account of its work counts where no session leads to the requests themselves.
    fn spend_by_account(&mut self, event: &Recorded, data: &[u8], has_session: bool) {
        let agent = ["agent", "agent_name", "agent_id"].iter().find_map(|name| field(data, name));
        let task = field(data, "task_id").unwrap_or_default();
        if let (Some(agent), Some(model)) = (&agent, field(data, "model")) {
            self.started.insert((task.clone(), agent.clone()), model);
        }
        let tells = ["agent_completed", "validation_complete", "AgentCompleted", "AgentFailed"];
        if has_session || !tells.contains(&event.kind()) {
            return;
        }
        let told = number(data, "cost_usd").or_else(|| number(data, "cost"));
        let Some(cost) = told.and_then(NanoUsd::from_usd) else { return };
        let agent = agent.unwrap_or_else(|| "validation".to_owned());
        let model = self.started.get(&(task, agent.clone())).cloned();
        self.count(&model.unwrap_or_else(|| "(not known)".to_owned()), &agent, 0, Some(cost));
    }

    fn count(&mut self, model: &str, agent: &str, duration_ns: i64, cost: Option<NanoUsd>) {
        let sum = self.models.entry(model.to_owned()).or_default();
        model.clone_into(&mut sum.name);
        sum.requests += 1;
        sum.duration_ns += duration_ns;
        if let Some(cost) = cost {
            *sum.cost.get_or_insert_default() += cost;
            *self.spent.entry(agent.to_owned()).or_default() += cost;
        }
    }

    /// The subagent or the turn that a request lies in, else the session.
    fn asker(&mut self, agent: Option<&str>, at: Timestamp, until: Timestamp) -> usize {
        let spans = &self.spans.spans;
        let askers = self.askers.get_or_insert_with(|| {
            let is_asker = |index: &usize| matches!(spans[*index].kind, SpanKind::Agent | SpanKind::Turn);
            let mut askers: Vec<usize> = (0..spans.len()).filter(is_asker).collect();
            askers.sort_by_key(|index| spans[*index].at);
            askers
        });
        let begun = askers.partition_point(|index| spans[*index].at <= at);
        let near = askers[..begun].iter().rev().take(ASKERS_MAX);
        let is_meant = |span: &ProfileSpan| {
            let is_within = span.until >= until || span.open;
            is_within && (span.kind == SpanKind::Turn || agent == Some(span.detail.as_str()))
        };
        near.copied().find(|index| is_meant(&spans[*index])).unwrap_or(ROOT)
    }
}

fn by_tool(spans: &[ProfileSpan]) -> Vec<ToolTime> {
    let mut tools: BTreeMap<&str, ToolTime> = BTreeMap::new();
    for span in spans.iter().filter(|span| span.kind == SpanKind::Tool) {
        let tool = tools.entry(&span.name).or_default();
        tool.calls += 1;
        tool.failures += u64::from(span.failed);
        tool.duration_ns += span.length_ns();
    }
    let named = tools.into_iter().map(|(name, tool)| ToolTime { name: name.to_owned(), ..tool });
    let mut sorted: Vec<ToolTime> = named.collect();
    sorted.sort_by_key(|tool| Reverse(tool.duration_ns));
    sorted
}

fn by_agent(spans: &[ProfileSpan], main: &str, spent: BTreeMap<String, NanoUsd>) -> Vec<AgentTime> {
    let mut agents: BTreeMap<String, AgentTime> = BTreeMap::new();
    // Whose each span is; parents stand before their children.
    let mut owners: Vec<Option<String>> = Vec::with_capacity(spans.len());
    for span in spans {
        let inherited = span.parent.and_then(|parent| owners.get(parent).cloned().flatten());
        let owner = match span.kind {
            SpanKind::Turn => Some(main.to_owned()),
            SpanKind::Agent => Some(span.name.clone()),
            _ => inherited,
        };
        if let Some(owner) = &owner {
            let agent = agents.entry(owner.clone()).or_default();
            match span.kind {
                SpanKind::Turn | SpanKind::Agent => agent.duration_ns += span.length_ns(),
                SpanKind::Tool => agent.calls += 1,
                _ => {}
            }
        }
        owners.push(owner);
    }
    for (agent, cost) in spent {
        agents.entry(agent).or_default().cost = Some(cost);
    }
    let named = agents.into_iter().map(|(name, agent)| AgentTime { name, ..agent });
    let mut sorted: Vec<AgentTime> = named.collect();
    sorted.sort_by_key(|agent| Reverse(agent.duration_ns));
    sorted
}
