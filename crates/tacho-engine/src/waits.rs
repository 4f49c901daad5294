//! What waits for a person: tasks that were handed over, and calls and questions of agents that nobody answered.
//! Nothing is kept of it: it is folded from the log when it is asked for.

use crate::engine::Engine;
use crate::error::QueryError;
use crate::query::{Query, Wait};
use std::collections::BTreeMap;
use tacho_event::{Filter, Pattern, Position, Recorded, Timestamp, json};

/// Most events of one kind that are looked at, the newest.
const EVENTS_MAX: usize = 10_000;
/// An agent that asked longer ago is gone: nobody can answer it.
const LOST_NS: i64 = 24 * 3_600 * 1_000_000_000;

/// What asks.
const ESCALATED: &str = "hitl_escalated";
const ASKS: [&str; 2] = ["*.permission_request", "*.elicitation"];
/// What a person did, and what takes the place of an older escalation.
const DEEDS: [&str; 4] = ["hitl_acknowledged", "hitl_answered", "hitl_resolved", ESCALATED];
/// What shows that an agent no longer waits.
const GOES_ON: [&str; 9] = [
    "*.post_tool_use",
    "*.post_tool_use_failure",
    "*.permission_denied",
    "*.elicitation_result",
    "*.user_prompt_submit",
    "*.stop",
    "*.stop_failure",
    "*.subagent_stop",
    "*.session_end",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitKind {
    /// A task that its agents could not do.
    Escalation,
    /// A tool call that needs permission.
    Permission,
    /// A question.
    Question,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitState {
    Open,
    Acknowledged,
    Answered,
    Resolved,
    /// It ended without a word of a person here: the agent went on.
    Over,
}

/// What a person did about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Deed {
    pub by: String,
    pub at: Timestamp,
    pub said: Option<String>,
}

/// Something that waits, or waited, for a person.
#[derive(Debug, Clone)]
pub struct Waiting {
    pub kind: WaitKind,
    /// The event that asks; its id is the wait's.
    pub event: Recorded,
    pub state: WaitState,
    /// Who saw it first.
    pub acknowledged: Option<Deed>,
    /// The deed that ended it.
    pub ended: Option<Deed>,
}

impl WaitKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Escalation => "escalation",
            Self::Permission => "permission",
            Self::Question => "question",
        }
    }

    fn of(kind: &str) -> Option<Self> {
        match kind {
            ESCALATED => Some(Self::Escalation),
            kind if kind.ends_with(".permission_request") => Some(Self::Permission),
            kind if kind.ends_with(".elicitation") => Some(Self::Question),
            _ => None,
        }
    }
}

impl WaitState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Acknowledged => "acknowledged",
            Self::Answered => "answered",
            Self::Resolved => "resolved",
            Self::Over => "over",
        }
    }

    /// Whether a person still has to do something.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Open | Self::Acknowledged)
    }
}

impl Waiting {
    fn new(event: Recorded) -> Option<Self> {
        let kind = WaitKind::of(event.kind())?;
        Some(Self { kind, event, state: WaitState::Open, acknowledged: None, ended: None })
    }

    /// The task, of an escalation.
    pub fn task(&self) -> Option<String> {
        field(&self.event, "task_id").filter(|_| self.kind == WaitKind::Escalation)
    }

    /// Folds an event behind the one that asks.
    fn fold(&mut self, event: &Recorded) {
        if event.position <= self.event.position || !self.state.is_open() {
            return;
        }
        match event.kind() {
            "hitl_acknowledged" if self.is_meant(event) => {
                self.acknowledged.get_or_insert_with(|| deed(event, "note"));
                self.state = WaitState::Acknowledged;
            }
            "hitl_answered" if self.is_meant(event) => {
                self.ended = Some(deed(event, "answer"));
                self.state = WaitState::Answered;
            }
            "hitl_resolved" if self.is_meant(event) => {
                self.ended = Some(deed(event, "resolution"));
                self.state = WaitState::Resolved;
            }
            ESCALATED if self.is_same_task(event) => self.state = WaitState::Over,
            kind if self.kind != WaitKind::Escalation && self.goes_on(kind, event) => {
                self.state = WaitState::Over;
            }
            _ => {}
        }
    }

    /// A deed names the wait, or the task.
    fn is_meant(&self, deed: &Recorded) -> bool {
        let cause = field(deed, "wait").or_else(|| deed.text("causationid").map(|id| id.into_owned()));
        match cause {
            Some(cause) if cause == self.event.id() => true,
            Some(_) if field(deed, "wait").is_some() => false,
            _ => self.is_same_task(deed),
        }
    }

    fn is_same_task(&self, other: &Recorded) -> bool {
        self.task().is_some_and(|task| field(other, "task_id").is_some_and(|other| other == task))
    }

    /// Whether what the session's hooks tell says that the agent waits no longer.
    fn goes_on(&self, kind: &str, event: &Recorded) -> bool {
        if self.event.text("sessionid") != event.text("sessionid") {
            return false;
        }
        let is_same = |name: &str| raw(&self.event, name) == raw(event, name);
        match kind.rsplit('.').next().unwrap_or_default() {
            "user_prompt_submit" | "session_end" => true,
            "stop" | "stop_failure" => field(&self.event, "agent_id").is_none(),
            "subagent_stop" => is_same("agent_id") && raw(event, "agent_id").is_some(),
            "elicitation_result" => self.kind == WaitKind::Question,
            "post_tool_use" | "post_tool_use_failure" | "permission_denied" => {
                self.kind == WaitKind::Permission
                    && ["tool_name", "agent_id", "tool_input"].into_iter().all(is_same)
            }
            _ => false,
        }
    }
}

impl Engine {
    /// What waits for a person now, the oldest first.
    pub async fn waits(&self) -> Result<Vec<Waiting>, QueryError> {
        self.wait(Wait::Head).await?;
        let since = Some(Timestamp(self.now().0 - LOST_NS));
        let escalations = Filter { types: patterns(&[ESCALATED]), ..Filter::default() };
        let asks = Filter { types: patterns(&ASKS), since, ..Filter::default() };
        let mut asked = self.every(escalations, Position::ZERO).await?;
        asked.extend(self.every(asks, Position::ZERO).await?);
        let mut waits: Vec<Waiting> = asked.into_iter().filter_map(Waiting::new).collect();
        self.follow(&mut waits).await?;
        waits.retain(|wait| wait.state.is_open());
        waits.sort_by_key(|wait| (wait.event.time(), wait.event.position));
        Ok(waits)
    }

    /// The wait of this id, whatever became of it; `None` where the event asks nobody for anything.
    pub async fn waiting(&self, id: &str) -> Result<Option<Waiting>, QueryError> {
        let Some(wait) = Waiting::new(self.event(id, None, Wait::Head).await?) else { return Ok(None) };
        let mut waits = vec![wait];
        self.follow(&mut waits).await?;
        Ok(waits.pop())
    }

    /// Folds what came behind.
    async fn follow(&self, waits: &mut [Waiting]) -> Result<(), QueryError> {
        let Some(first) = waits.iter().map(|wait| wait.event.position).min() else { return Ok(()) };
        let deeds = Filter { types: patterns(&DEEDS), ..Filter::default() };
        let mut events = self.every(deeds, first).await?;
        // Where each session's first open question stands.
        let mut sessions: BTreeMap<String, Position> = BTreeMap::new();
        for wait in waits.iter().filter(|wait| wait.kind != WaitKind::Escalation) {
            let Some(session) = wait.event.text("sessionid") else { continue };
            let first = sessions.entry(session.into_owned()).or_insert(wait.event.position);
            *first = wait.event.position.min(*first);
        }
        for (session, first) in sessions {
            let filter = Filter { types: patterns(&GOES_ON), session: Some(session), ..Filter::default() };
            events.extend(self.every(filter, first).await?);
        }
        events.sort_by_key(|event| event.position);
        for wait in waits {
            events.iter().for_each(|event| wait.fold(event));
            let Some(task) = wait.task().filter(|_| wait.state.is_open()) else { continue };
            let asked = wait.event.position;
            if self.on_a_thread(move |shared| Ok(shared.fold.reader().has_passed(&task, asked)?)).await? {
                wait.state = WaitState::Over;
            }
        }
        Ok(())
    }

    /// The newest events behind `behind` that match, in the log's order.
    async fn every(&self, filter: Filter, behind: Position) -> Result<Vec<Recorded>, QueryError> {
        let mut found = Vec::new();
        let mut query = Query { filter, reverse: true, wait: Wait::No, ..Query::default() };
        while found.len() < EVENTS_MAX {
            let page = self.query(query.clone()).await?;
            found.extend(page.events.into_iter().take_while(|event| event.position > behind));
            query.cursor = page.next;
            if query.cursor.is_none() || page.scanned_to <= behind {
                break;
            }
        }
        found.reverse();
        Ok(found)
    }
}

fn patterns(names: &[&str]) -> Vec<Pattern> {
    names.iter().map(|name| Pattern::new(*name)).collect()
}

fn deed(event: &Recorded, said: &str) -> Deed {
    let by = field(event, "by").or_else(|| event.text("actorid").map(|id| id.into_owned()));
    Deed { by: by.unwrap_or_else(|| event.source().to_owned()), at: event.time(), said: field(event, said) }
}

fn raw<'a>(event: &'a Recorded, name: &str) -> Option<&'a [u8]> {
    json::member(event.data()?, name)
}

/// A member's text, when it has one.
fn field(event: &Recorded, name: &str) -> Option<String> {
    raw(event, name).map(|value| json::text(value).into_owned()).filter(|text| !text.is_empty())
}
