//! A replay, executed: each event of the plan is given to the handlers again, marked, with a correlation of its own.
//!
//! The event itself is not appended again, or every state would count it twice: a marker on the log stands for it, on
//! a stream that only the engine writes. What handlers return is appended as ever.

use super::core::Item;
use super::reactions::ControlError;
use super::record::position_in;
use super::{Asker, again};
use crate::engine::Engine;
use crate::error::QueryError;
use crate::log::Log;
use crate::query::{Query, Wait};
use crate::rewind::{Plan, PlannedEvent, ReplayQuery, Verdict};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;
use tacho_event::{
    Draft, Event, EventError, Filter, Pattern, Position, Recorded, Sameness, Sequence, derived_id,
    json as text,
};
use tacho_journal::{AppendError, JournalError};
use tacho_view::LetterQuery;
use thiserror::Error;

/// An event is given to the handlers again.
pub const REPLAYED: &str = "tacho.replayed";

/// Markers of one append.
const PIECE: usize = 500;
/// How often handlers are looked at while a replay waits for them.
const LOOK: Duration = Duration::from_millis(10);
/// Most answers that are compared.
const MAX_ANSWERS: usize = 10_000;

/// A replay to execute.
#[derive(Debug, Clone)]
pub struct ReplayOrder {
    pub query: ReplayQuery,
    /// Names the replay: the same name does nothing twice. Derived from what is replayed where it is missing.
    pub id: Option<String>,
    /// Only these of the stream; all of them where it is missing.
    pub sequences: Option<BTreeSet<Sequence>>,
    /// How long to wait for the handlers.
    pub patience: Duration,
}

/// What a replay did.
#[derive(Debug, Clone)]
pub struct Replay {
    pub id: String,
    pub plan: Plan,
    /// Markers that were on the log already, since the replay was executed before.
    pub repeated: u64,
    /// What became of each event that was replayed, by its id.
    pub outcomes: HashMap<Position, ReplayOutcome>,
    /// Handlers that were not done within the time.
    pub open: Vec<String>,
}

/// What became of one event.
#[derive(Debug, Clone, Default)]
pub struct ReplayOutcome {
    /// Handlers that gave up on it, and why.
    pub dead: Vec<(String, String)>,
    /// What handlers returned to the replay, and what they had returned to the event itself: type and payload.
    pub returned: Vec<(String, String)>,
    pub returned_before: Vec<(String, String)>,
}

impl ReplayOutcome {
    /// Whether handlers answered as they had.
    pub fn is_same(&self) -> bool {
        self.returned == self.returned_before
    }
}

#[derive(Debug, Error)]
pub enum ReplayError {
    #[error(transparent)]
    Query(#[from] QueryError),
    #[error(transparent)]
    Event(#[from] EventError),
    #[error(transparent)]
    Append(#[from] AppendError),
    #[error(transparent)]
    Control(#[from] ControlError),
}

impl Engine {
    /// Gives a part of a stream to the handlers again, waits for them, and compares what they answer.
    pub async fn replay(&self, order: ReplayOrder, asker: Asker) -> Result<Replay, ReplayError> {
        let stream = order.query.stream.clone();
        let mut plan = self.replay_plan(order.query).await?;
        if let Some(sequences) = &order.sequences {
            plan.events.retain(|planned| sequences.contains(&planned.event.sequence));
        }
        let chosen: Vec<&PlannedEvent> =
            plan.events.iter().filter(|planned| planned.verdict == Verdict::Replayed).collect();
        let id = order.id.unwrap_or_else(|| name(&stream, &chosen));
        let mut markers: BTreeMap<Position, Position> = BTreeMap::new();
        let mut repeated = 0;
        for piece in chosen.chunks(PIECE) {
            let events = piece.iter().map(|planned| self.marker(&id, &planned.event, &asker));
            let appended = self.append(events.collect::<Result<_, _>>()?, Vec::new()).await?;
            for (planned, receipt) in piece.iter().zip(&appended.events) {
                repeated += u64::from(receipt.duplicate);
                markers.insert(receipt.position, planned.event.position);
            }
        }
        let open = self.until_settled(markers.keys().next_back().copied(), order.patience).await;
        let outcomes = self.outcomes(&id, &plan, &markers).await?;
        Ok(Replay { id, plan, repeated, outcomes, open })
    }

    fn marker(&self, id: &str, event: &Recorded, asker: &Asker) -> Result<Event, EventError> {
        let own = derived_id("replayed", &[id, &event.position.to_string()]);
        let mut draft = Draft::new(REPLAYED, "/tacho/replay", own);
        draft.subject = Some(format!("tacho/replay-{id}").into());
        draft.put_text("time", &self.now().to_rfc3339());
        draft.put_text("causationid", event.id());
        draft.put_text("correlationid", id);
        let data = json!({
            "replay": id, "position": event.position.0, "event_id": event.id(), "event_type": event.kind(),
            "stream": event.stream(), "by": asker.by, "reason": asker.reason,
        });
        draft.set_data(data.to_string().into_bytes());
        draft.finish(Sameness::FirstWins)
    }

    /// Waits until every handler that runs has settled all up to a position; answers those that have not.
    async fn until_settled(&self, last: Option<Position>, patience: Duration) -> Vec<String> {
        let Some(last) = last else { return Vec::new() };
        let until = tokio::time::Instant::now() + patience;
        loop {
            let engine = self.clone();
            let look = tokio::task::spawn_blocking(move || engine.unsettled(last)).await;
            let open = look.unwrap_or_default();
            if open.is_empty() || tokio::time::Instant::now() >= until {
                return open;
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn outcomes(
        &self,
        id: &str,
        plan: &Plan,
        markers: &BTreeMap<Position, Position>,
    ) -> Result<HashMap<Position, ReplayOutcome>, ReplayError> {
        let mut outcomes: HashMap<Position, ReplayOutcome> =
            markers.values().map(|position| (*position, ReplayOutcome::default())).collect();
        let ids: HashMap<&str, Position> =
            plan.events.iter().map(|planned| (planned.event.id(), planned.event.position)).collect();
        self.wait(Wait::Head).await?;
        let first = markers.keys().next().copied().unwrap_or_default();
        let letters = self
            .on_a_thread(move |shared| {
                let query = LetterQuery { after: first, limit: MAX_ANSWERS, ..LetterQuery::default() };
                Ok(shared.fold.reader().letters(&query)?)
            })
            .await?;
        for letter in letters {
            let outcome = markers.get(&letter.event).and_then(|original| outcomes.get_mut(original));
            if let Some(outcome) = outcome {
                outcome.dead.push((letter.handler, format!("{}: {}", letter.code, letter.message)));
            }
        }
        for (cause, answer) in
            self.answers(Filter { correlation: Some(id.to_owned()), ..Filter::default() }).await?
        {
            if let Some(outcome) = ids.get(cause.as_str()).and_then(|position| outcomes.get_mut(position)) {
                outcome.returned.push(answer);
            }
        }
        for (cause, position) in ids {
            let Some(outcome) = outcomes.get_mut(&position) else { continue };
            let filter = Filter { causation: Some(cause.to_owned()), ..Filter::default() };
            let answers = self.answers_but(filter, id).await?;
            outcome.returned_before = answers.into_iter().map(|(_, answer)| answer).collect();
        }
        for outcome in outcomes.values_mut() {
            outcome.returned.sort();
            outcome.returned_before.sort();
        }
        Ok(outcomes)
    }

    /// What handlers returned: the cause, and type and payload.
    async fn answers(&self, filter: Filter) -> Result<Vec<(String, (String, String))>, QueryError> {
        self.answers_but(filter, "").await
    }

    async fn answers_but(
        &self,
        mut filter: Filter,
        correlation: &str,
    ) -> Result<Vec<(String, (String, String))>, QueryError> {
        filter.source = Some(Pattern::new("/handlers/*"));
        let (mut found, mut cursor) = (Vec::new(), None);
        loop {
            let query =
                Query { filter: filter.clone(), cursor, limit: 1_000, wait: Wait::No, ..Query::default() };
            let page = self.query(query).await?;
            let others = page.events.iter().filter(|event| {
                correlation.is_empty() || event.text("correlationid").is_none_or(|own| own != correlation)
            });
            found.extend(others.map(|event| {
                let data = String::from_utf8_lossy(event.data().unwrap_or(b"null")).into_owned();
                let cause = event.text("causationid").unwrap_or_default().into_owned();
                (cause, (event.kind().to_owned(), data))
            }));
            cursor = page.next;
            if cursor.is_none() || found.len() >= MAX_ANSWERS {
                return Ok(found);
            }
        }
    }
}

/// The same for the same events.
fn name(stream: &str, chosen: &[&PlannedEvent]) -> String {
    let positions: Vec<String> = chosen.iter().map(|planned| planned.event.position.to_string()).collect();
    derived_id("replay", &[stream, &positions.join(",")])
}

/// What a marker has handlers get: the event with the marks of the replay.
pub(crate) fn item(log: &Log, marker: &Recorded) -> Result<Option<Item>, JournalError> {
    let data = marker.data().unwrap_or(b"{}");
    let Some(position) = position_in(data) else { return Ok(None) };
    let Some(event) = log.get(position)? else { return Ok(None) };
    let replay = text::member(data, "replay").map(text::text).unwrap_or_default();
    let marked = again::with_texts(&event, &[("correlationid", &replay), ("replayid", &replay)]);
    Ok(marked.map(|event| Item { position: marker.position, ..Item::new(event) }))
}
