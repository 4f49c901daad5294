//! The state of a stream at a moment, and what happened around it.

use super::folding;
use super::moment::{Moment, Place};
use super::projection::Code;
use crate::condition::Turn;
use crate::engine::{Engine, Shared};
use crate::error::QueryError;
use crate::query::{Query, Wait};
use serde_json::Value;
use std::time::Duration;
use tacho_event::{Filter, Jq, Pattern, Recorded, Timestamp, json};

/// Most events that are told around a moment, the nearest to its beginning.
const SURROUNDING_MAX: usize = 200;

#[derive(Debug, Clone, Default)]
pub struct StateQuery {
    pub stream: String,
    /// The one of the stream's category unless it is named.
    pub projection: Option<String>,
    pub moment: Moment,
    /// Only what had been recorded by then.
    pub known_at: Option<Timestamp>,
    /// The part that is meant: what jq answers first.
    pub path: Option<Jq>,
    /// Also the events this long before and behind the moment, and what the state says in short.
    pub around: Option<Duration>,
    pub wait: Wait,
}

#[derive(Debug, Clone)]
pub struct StateAt {
    pub stream: String,
    pub projection: String,
    /// The last event that is in it.
    pub place: Place,
    /// The moment that was asked for, else when the last event happened.
    pub at: Option<Timestamp>,
    /// The state, or the part of it that was asked for.
    pub state: Value,
    pub around: Option<Surrounding>,
}

/// What happened around a moment.
#[derive(Debug, Clone)]
pub struct Surrounding {
    pub moment: Timestamp,
    pub events: Vec<Recorded>,
    pub summary: Around,
}

/// What an orchestration's state says in short.
#[derive(Debug, Clone, PartialEq)]
pub struct Around {
    pub current_phase: Value,
    pub active_agents: Value,
    pub completed_phases: Value,
    /// Tasks that were given to somebody and are not finished: those of the agents at work.
    pub pending_tasks: usize,
}

impl Engine {
    /// The state of a stream at a moment.
    pub async fn state(&self, query: StateQuery) -> Result<StateAt, QueryError> {
        self.wait(query.wait).await?;
        let code = Code::find(&self.shared, &query.stream, query.projection.as_deref())?;
        let turn = self.turn(code.is_program() || query.path.is_some()).await?;
        let (around, stream, now) = (query.around, query.stream.clone(), self.now());
        let (mut found, summary) =
            self.on_a_thread(move |shared| state_at(shared, query, &code, turn.as_ref())).await?;
        if let Some(around) = around {
            let moment = found.at.unwrap_or(now);
            let events = self.surrounding(&stream, moment, around).await?;
            found.around = Some(Surrounding { moment, events, summary });
        }
        Ok(found)
    }

    /// The right to have jq evaluated, where it is needed.
    pub(super) async fn turn(&self, is_needed: bool) -> Result<Option<Turn>, QueryError> {
        if !is_needed {
            return Ok(None);
        }
        let patience = Duration::from_millis(self.shared.config.query.wait_ms);
        Ok(Some(self.shared.conditions.turn_within(patience).await?))
    }

    async fn surrounding(
        &self,
        stream: &str,
        moment: Timestamp,
        around: Duration,
    ) -> Result<Vec<Recorded>, QueryError> {
        let distance = i64::try_from(around.as_nanos()).unwrap_or(i64::MAX);
        let filter = Filter {
            stream: Some(Pattern::new(stream)),
            since: Some(Timestamp(moment.0.saturating_sub(distance))),
            until: Some(Timestamp(moment.0.saturating_add(distance).saturating_add(1))),
            ..Filter::default()
        };
        let mut query = Query { filter, limit: SURROUNDING_MAX, wait: Wait::No, ..Query::default() };
        let mut events = Vec::new();
        loop {
            let page = self.query(query.clone()).await?;
            events.extend(page.events);
            if page.next.is_none() || events.len() >= SURROUNDING_MAX {
                events.truncate(SURROUNDING_MAX);
                return Ok(events);
            }
            query.cursor = page.next;
        }
    }
}

fn state_at(
    shared: &Shared,
    query: StateQuery,
    code: &Code,
    turn: Option<&Turn>,
) -> Result<(StateAt, Around), QueryError> {
    let bound = query.moment.bound(shared, query.known_at)?;
    let (mut state, place) = folding::state(shared, &query.stream, code, turn, &bound)?;
    let summary = summary(&state);
    if let (Some(path), Some(turn)) = (&query.path, turn) {
        state = part(turn, path, &[&state])?.pop().unwrap_or_default();
    }
    let at = match query.moment {
        Moment::Time(time) => Some(time),
        _ => place.time,
    };
    let projection = code.name().to_owned();
    Ok((StateAt { stream: query.stream, projection, place, at, state, around: None }, summary))
}

/// What jq answers first to each of the states.
pub(super) fn part(turn: &Turn, path: &Jq, states: &[&Value]) -> Result<Vec<Value>, QueryError> {
    let texts: Vec<Vec<u8>> =
        states.iter().map(|state| serde_json::to_vec(state).unwrap_or_default()).collect();
    let answers = turn.first(path, &texts)?;
    Ok(answers.iter().map(|answer| json::to_value(answer.as_bytes())).collect())
}

fn summary(state: &Value) -> Around {
    Around {
        current_phase: state["current_phase"].clone(),
        active_agents: state["active_agents"].clone(),
        completed_phases: state["completed_phases"].clone(),
        pending_tasks: state["active_agents"].as_array().map_or(0, Vec::len),
    }
}
