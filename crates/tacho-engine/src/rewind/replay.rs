//! The plan of a replay: which events could be handed out again, and what stands against the others.

use super::history::before;
use super::projection::Code;
use crate::engine::{Engine, Shared};
use crate::error::QueryError;
use crate::query::Wait;
use serde_json::Value;
use tacho_event::{Filter, Recorded, Sequence, catalogue, json};
use tacho_view::state::Step;

/// Most events of a plan.
const MAX_PLANNED: usize = 100_000;

#[derive(Debug, Clone, Default)]
pub struct ReplayQuery {
    pub stream: String,
    /// The first event that is meant; the first of the stream where it is 0.
    pub from: Sequence,
    pub to: Option<Sequence>,
    /// Which of them.
    pub filter: Filter,
    pub wait: Wait,
}

/// What a replay would do.
#[derive(Debug, Clone)]
pub struct Plan {
    pub events: Vec<PlannedEvent>,
    /// Whether there is more than a plan holds.
    pub truncated: bool,
}

#[derive(Debug, Clone)]
pub struct PlannedEvent {
    pub event: Recorded,
    pub verdict: Verdict,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Replayed,
    /// Its type acts on the world outside, or only tells what happened: it is not done again.
    NotReplayable,
    /// The state before it is none in which it could happen.
    Precondition(String),
}

impl Verdict {
    /// `success`, `skipped` or `failed`.
    pub fn status(&self) -> &'static str {
        match self {
            Self::Replayed => "success",
            Self::NotReplayable => "skipped",
            Self::Precondition(_) => "failed",
        }
    }
}

impl Engine {
    /// What a replay of a part of a stream would do. Nothing is done.
    pub async fn replay_plan(&self, query: ReplayQuery) -> Result<Plan, QueryError> {
        self.wait(query.wait).await?;
        let code = Code::find(&self.shared, &query.stream, Some("orchestration"))?;
        self.on_a_thread(move |shared| plan(shared, &query, &code)).await
    }
}

fn plan(shared: &Shared, query: &ReplayQuery, code: &Code) -> Result<Plan, QueryError> {
    shared.known_stream(&query.stream)?;
    let from = Sequence(query.from.0.max(1));
    let (mut folding, mut reading) = before(shared, &query.stream, code, None, from)?;
    let mut plan = Plan { events: Vec::new(), truncated: false };
    loop {
        let events = reading.next()?;
        if events.is_empty() {
            return Ok(plan);
        }
        for event in events {
            if query.to.is_some_and(|to| event.sequence > to) {
                return Ok(plan);
            }
            let refused = unmet(folding.state.value(), &event);
            code.apply(&mut folding.state, std::slice::from_ref(&event), None)?;
            // The phase that counts is the one that the stream was in.
            let phase = folding.state.value()["current_phase"].as_str().map(str::to_owned);
            if !query.filter.matches(&event, phase.as_deref()) {
                continue;
            }
            if plan.events.len() >= MAX_PLANNED {
                plan.truncated = true;
                return Ok(plan);
            }
            // What a handler returned, it returns again.
            let is_answer = event.source().starts_with("/handlers/");
            let verdict = if is_answer || !catalogue::is_replayable(event.kind()) {
                Verdict::NotReplayable
            } else {
                refused.map_or(Verdict::Replayed, Verdict::Precondition)
            };
            plan.events.push(PlannedEvent { event, verdict });
        }
    }
}

/// What the state before an event would have to be, and is not.
fn unmet(state: &Value, event: &Recorded) -> Option<String> {
    let step = Step::new(event);
    let lists = |list: &str, wanted: &str| {
        state[list].as_array().is_some_and(|items| items.iter().any(|item| item == wanted))
    };
    match event.kind() {
        "OrchestrationResumed" if state["status"] != "paused" => {
            Some(format!("only a paused orchestration is resumed, and it is {}", status(state)))
        }
        "OrchestrationCompleted" | "OrchestrationFailed" | "OrchestrationPaused"
            if state["status"] == "not_started" =>
        {
            Some("the orchestration has not begun".to_owned())
        }
        "OrchestrationStarted" if state["status"] == "in_progress" => {
            Some("the orchestration is under way".to_owned())
        }
        "AgentCompleted" | "AgentFailed" | "AgentBlocked" => {
            let name = step.text("agent_name")?;
            (!lists("active_agents", &name)).then(|| format!("agent {name} is not at work"))
        }
        "GapResolved" => {
            let id = step.text("gap_id")?;
            let known = state["identified_gaps"].as_array()?;
            let is_open = known.iter().any(|gap| gap["gap_id"] == *id);
            (!is_open).then(|| format!("gap {id} is not open"))
        }
        "PhaseCompleted" | "PhaseFailed" => {
            let phase = step.text("phase")?;
            let current = state["current_phase"].as_str()?;
            (phase != current).then(|| format!("the phase is {current}, not {phase}"))
        }
        "RecoveryAttempted" | "RecoverySucceeded" | "RecoveryFailed" => {
            let from = step.text("recovery_from")?;
            let known = state["errors"].as_array()?;
            let is_known = known.iter().any(|error| error["event_id"] == *from);
            (!is_known).then(|| format!("no error {from} is known"))
        }
        _ => None,
    }
}

fn status(state: &Value) -> String {
    json::text(state["status"].to_string().as_bytes()).replace('_', " ")
}
