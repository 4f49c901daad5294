//! How a state came about, event by event, and where a condition on it first held.

use super::folding::Folding;
use super::moment::{Moment, Place};
use super::projection::Code;
use super::reading::Reading;
use super::state::part;
use crate::condition::Turn;
use crate::engine::{Engine, Shared};
use crate::error::QueryError;
use crate::query::Wait;
use serde_json::Value;
use std::time::{Duration, Instant};
use tacho_event::{Jq, Recorded, Sequence, json};
use tacho_view::state::Change;

/// Most entries of a page.
const MAX_ENTRIES: usize = 1_000;
/// States that jq is asked about at once.
const ASKED_AT_ONCE: usize = 32;
/// How long a page is looked for before it ends with what it has.
const PATIENCE: Duration = Duration::from_millis(1_000);

#[derive(Debug, Clone, Default)]
pub struct HistoryQuery {
    pub stream: String,
    pub projection: Option<String>,
    /// The first event that is meant.
    pub from: Sequence,
    /// The last one; `None` is the stream's.
    pub to: Option<Sequence>,
    /// Only where this part of the state changed.
    pub path: Option<Jq>,
    /// Most entries; 0 means 200.
    pub limit: usize,
    pub wait: Wait,
}

/// A page of changes, the oldest first.
#[derive(Debug, Clone)]
pub struct History {
    pub projection: String,
    pub entries: Vec<Entry>,
    /// The event that the next page begins with.
    pub next: Option<Sequence>,
}

/// What one event did.
#[derive(Debug, Clone)]
pub struct Entry {
    pub event: Recorded,
    /// A JSON Patch: from the state before the event to the state behind it.
    pub patch: Vec<Change>,
    /// Where a part was asked for: what it was, and what it is.
    pub part: Option<PartChange>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct PartChange {
    pub before: Value,
    pub after: Value,
}

/// Where a condition first holds.
#[derive(Debug, Clone)]
pub struct BreakQuery {
    pub stream: String,
    pub projection: Option<String>,
    /// On `{"state": …, "event": …}`, behind each event.
    pub condition: Jq,
    /// Behind this event.
    pub from: Sequence,
    pub wait: Wait,
}

#[derive(Debug, Clone)]
pub struct Break {
    pub projection: String,
    /// The event behind which it holds; `None` where it does not up to `place`.
    pub event: Option<Recorded>,
    /// How far was looked.
    pub place: Place,
    /// Whether there is more to look at behind that.
    pub more: bool,
    pub state: Value,
}

impl Engine {
    /// What each event changed.
    pub async fn history(&self, query: HistoryQuery) -> Result<History, QueryError> {
        self.wait(query.wait).await?;
        let code = Code::find(&self.shared, &query.stream, query.projection.as_deref())?;
        let turn = self.turn(code.is_program() || query.path.is_some()).await?;
        self.on_a_thread(move |shared| history(shared, &query, &code, turn.as_ref())).await
    }

    /// The first event behind which a condition holds.
    pub async fn break_where(&self, query: BreakQuery) -> Result<Break, QueryError> {
        self.wait(query.wait).await?;
        let code = Code::find(&self.shared, &query.stream, query.projection.as_deref())?;
        let turn = self.turn(true).await?;
        self.on_a_thread(move |shared| break_where(shared, &query, &code, turn.as_ref())).await
    }
}

/// A fold that stands right before the event `from`, and the events from there on.
pub(super) fn before<'a>(
    shared: &'a Shared,
    stream: &'a str,
    code: &'a Code,
    turn: Option<&'a Turn>,
    from: Sequence,
) -> Result<(Folding<'a>, Reading<'a>), QueryError> {
    let bound = Moment::Sequence(Sequence(from.0.saturating_sub(1))).bound(shared, None)?;
    let mut folding = Folding::at_snapshot(shared, stream, code, turn, &bound);
    folding.advance(&bound)?;
    folding.store();
    let reading = Reading::new(shared, stream, tacho_view::Bound::default(), folding.place.position);
    Ok((folding, reading))
}

fn history(
    shared: &Shared,
    query: &HistoryQuery,
    code: &Code,
    turn: Option<&Turn>,
) -> Result<History, QueryError> {
    shared.known_stream(&query.stream)?;
    let deadline = Instant::now() + PATIENCE;
    let limit = if query.limit == 0 { 200 } else { query.limit.min(MAX_ENTRIES) };
    let (mut folding, mut reading) = before(shared, &query.stream, code, turn, query.from)?;
    folding.state.note_changes();
    let mut parts = Parts::new(query.path.as_ref().zip(turn), folding.state.value())?;
    let mut history = History { projection: code.name().to_owned(), entries: Vec::new(), next: None };
    loop {
        let events = reading.next()?;
        if events.is_empty() {
            history.entries.extend(parts.flush()?);
            return Ok(history);
        }
        for event in events {
            if query.to.is_some_and(|to| event.sequence > to) {
                history.entries.extend(parts.flush()?);
                return Ok(history);
            }
            if history.entries.len() >= limit || Instant::now() >= deadline {
                history.entries.extend(parts.flush()?);
                history.next = Some(event.sequence);
                return Ok(history);
            }
            code.apply(&mut folding.state, std::slice::from_ref(&event), turn)?;
            let patch = folding.state.take_changes();
            let entry = Entry { event, patch, part: None };
            history.entries.extend(parts.take(entry, folding.state.value())?);
        }
    }
}

/// Chooses the entries where a part changed; all of them where none is asked for.
struct Parts<'a> {
    path: Option<(&'a Jq, &'a Turn)>,
    before: Value,
    waiting: Vec<(Entry, Value)>,
}

impl<'a> Parts<'a> {
    fn new(path: Option<(&'a Jq, &'a Turn)>, state: &Value) -> Result<Self, QueryError> {
        let before = match path {
            Some((path, turn)) => part(turn, path, &[state])?.pop().unwrap_or_default(),
            None => Value::Null,
        };
        Ok(Self { path, before, waiting: Vec::new() })
    }

    fn take(&mut self, entry: Entry, state: &Value) -> Result<Vec<Entry>, QueryError> {
        if self.path.is_none() {
            return Ok(vec![entry]);
        }
        if entry.patch.is_empty() {
            return Ok(Vec::new());
        }
        self.waiting.push((entry, state.clone()));
        if self.waiting.len() < ASKED_AT_ONCE { Ok(Vec::new()) } else { self.flush() }
    }

    fn flush(&mut self) -> Result<Vec<Entry>, QueryError> {
        let waiting = std::mem::take(&mut self.waiting);
        let (Some((path, turn)), false) = (self.path, waiting.is_empty()) else { return Ok(Vec::new()) };
        let states: Vec<&Value> = waiting.iter().map(|(_, state)| state).collect();
        let parts = part(turn, path, &states)?;
        let mut changed = Vec::new();
        for ((mut entry, _), after) in waiting.into_iter().zip(parts) {
            if after != self.before {
                let before = std::mem::replace(&mut self.before, after.clone());
                entry.part = Some(PartChange { before, after });
                changed.push(entry);
            }
        }
        Ok(changed)
    }
}

fn break_where(
    shared: &Shared,
    query: &BreakQuery,
    code: &Code,
    turn: Option<&Turn>,
) -> Result<Break, QueryError> {
    shared.known_stream(&query.stream)?;
    let deadline = Instant::now() + PATIENCE;
    let from = Sequence(query.from.0 + 1);
    let (mut folding, mut reading) = before(shared, &query.stream, code, turn, from)?;
    let Some(turn) = turn else { return Err(QueryError::Stopped) };
    let told =
        |event, place, more, state| Break { projection: code.name().to_owned(), event, place, more, state };
    let mut place = folding.place;
    loop {
        let events = reading.next()?;
        if events.is_empty() {
            return Ok(told(None, place, false, folding.state.into_value()));
        }
        for events in events.chunks(ASKED_AT_ONCE) {
            let mut texts = Vec::with_capacity(events.len());
            for event in events {
                code.apply(&mut folding.state, std::slice::from_ref(event), Some(turn))?;
                texts.push(situation(folding.state.value(), event));
            }
            let answers = turn.check(&query.condition, &texts)?;
            if let Some(index) = answers.iter().position(|holds| *holds) {
                let event = events[index].clone();
                let state = json::member(&texts[index], "state").map_or(Value::Null, json::to_value);
                return Ok(told(Some(event.clone()), Place::of(&event), true, state));
            }
            place = events.last().map_or(place, Place::of);
            if Instant::now() >= deadline {
                return Ok(told(None, place, true, folding.state.into_value()));
            }
        }
    }
}

/// What a breakpoint's condition sees.
fn situation(state: &Value, event: &Recorded) -> Vec<u8> {
    let mut text = b"{\"state\":".to_vec();
    text.extend(serde_json::to_vec(state).unwrap_or_default());
    text.extend_from_slice(b",\"event\":");
    event.write_cloudevent(&mut text);
    text.push(b'}');
    text
}

impl Shared {
    /// Refuses a stream that never was.
    pub(super) fn known_stream(&self, stream: &str) -> Result<tacho_view::StreamState, QueryError> {
        let known = self.fold.reader().stream(stream)?;
        known.ok_or_else(|| QueryError::StreamNotFound(stream.to_owned()))
    }
}
