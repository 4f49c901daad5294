//! What would have been: a history with events left out, put in or changed, folded beside the log and thrown away.

use super::folding::{self, Folding};
use super::moment::{Moment, Place};
use super::projection::Code;
use super::reading::Reading;
use crate::condition::Turn;
use crate::engine::{Engine, Shared};
use crate::error::QueryError;
use crate::query::Wait;
use bytes::Bytes;
use serde_json::Value;
use std::collections::HashMap;
use tacho_event::{Draft, Pattern, Recorded, Sameness, Sequence, Timestamp};
use tacho_view::Bound;
use tacho_view::state::Change;
use tacho_view::state::difference::{self, Leaf};

/// Most events that may be put in or changed.
const MAX_SUPPOSED: usize = 10_000;

#[derive(Debug, Clone, Default)]
pub struct Supposition {
    pub stream: String,
    pub projection: Option<String>,
    /// Types, patterns of them, or ids of events that are left out.
    pub without: Vec<String>,
    /// Events that are put in.
    pub with: Vec<AddedEvent>,
    /// Other payloads, as minified JSON, by the id of the event.
    pub instead: HashMap<String, Vec<u8>>,
    pub until: Moment,
    pub wait: Wait,
}

/// An event that never happened.
#[derive(Debug, Clone)]
pub struct AddedEvent {
    pub kind: String,
    /// Minified JSON.
    pub data: Vec<u8>,
    pub time: Option<Timestamp>,
    /// It comes behind this event of the stream; without it, behind the last one that had happened by its time.
    pub after: Option<Sequence>,
}

/// What would have been, and how it differs from what is.
#[derive(Debug, Clone)]
pub struct Supposed {
    pub projection: String,
    /// The last real event that was looked at.
    pub place: Place,
    pub state: Value,
    pub folded: u64,
    pub left_out: u64,
    pub added: u64,
    pub changed: u64,
    /// From the truth to the supposed state.
    pub patch: Vec<Change>,
    pub leaves: Vec<Leaf>,
}

impl Engine {
    /// The state of a history that is not the true one. Writes nothing.
    pub async fn suppose(&self, supposition: Supposition) -> Result<Supposed, QueryError> {
        let supposed = supposition.with.len() + supposition.instead.len() + supposition.without.len();
        if supposed > MAX_SUPPOSED {
            return Err(QueryError::TooMuchSupposed { actual: supposed, limit: MAX_SUPPOSED });
        }
        self.wait(supposition.wait).await?;
        let code = Code::find(&self.shared, &supposition.stream, supposition.projection.as_deref())?;
        let turn = self.turn(code.is_program()).await?;
        self.on_a_thread(move |shared| Supposing::new(shared, &supposition, &code, turn.as_ref())?.run())
            .await
    }
}

struct Supposing<'a> {
    shared: &'a Shared,
    supposition: &'a Supposition,
    code: &'a Code,
    turn: Option<&'a Turn>,
    without: Vec<Pattern>,
    bound: Bound,
    folding: Folding<'a>,
    /// Events that are put in, the last first; with their place.
    waiting: Vec<(AddedEvent, Recorded)>,
    answer: Supposed,
}

impl<'a> Supposing<'a> {
    fn new(
        shared: &'a Shared,
        supposition: &'a Supposition,
        code: &'a Code,
        turn: Option<&'a Turn>,
    ) -> Result<Self, QueryError> {
        let stream = &supposition.stream;
        let bound = supposition.until.bound(shared, None)?;
        let mut waiting = Vec::with_capacity(supposition.with.len());
        for (number, added) in supposition.with.iter().enumerate() {
            waiting.push((added.clone(), never_happened(stream, number, added)?));
        }
        waiting.sort_by_key(|(added, _)| std::cmp::Reverse((added.after, added.time)));
        let answer = Supposed {
            projection: code.name().to_owned(),
            place: Place::default(),
            state: Value::Null,
            folded: 0,
            left_out: 0,
            added: 0,
            changed: 0,
            patch: Vec::new(),
            leaves: Vec::new(),
        };
        Ok(Self {
            shared,
            supposition,
            code,
            turn,
            without: supposition.without.iter().map(|text| Pattern::new(text.as_str())).collect(),
            bound,
            folding: Folding::empty(shared, stream, code, turn),
            waiting,
            answer,
        })
    }

    fn run(mut self) -> Result<Supposed, QueryError> {
        let stream = &self.supposition.stream;
        let (truth, _) = folding::state(self.shared, stream, self.code, self.turn, &self.bound)?;
        let mut reading = Reading::new(self.shared, stream, self.bound, tacho_event::Position::ZERO);
        loop {
            let events = reading.next()?;
            if events.is_empty() {
                break;
            }
            let mut history = Vec::with_capacity(events.len());
            for event in events {
                self.take(event, &mut history)?;
            }
            self.fold(&history)?;
        }
        let rest: Vec<Recorded> = std::mem::take(&mut self.waiting)
            .into_iter()
            .rev()
            .filter(|(added, _)| {
                self.bound.time.is_none_or(|until| added.time.is_none_or(|time| time <= until))
            })
            .map(|(_, event)| event)
            .collect();
        self.answer.added += rest.len() as u64;
        self.fold(&rest)?;
        let mut answer = self.answer;
        answer.state = self.folding.state.into_value();
        answer.patch = difference::between(&truth, &answer.state);
        answer.leaves = difference::leaves(&truth, &answer.state);
        Ok(answer)
    }

    /// Adds what there is to fold of an event, and what comes before it.
    fn take(&mut self, event: Recorded, history: &mut Vec<Recorded>) -> Result<(), QueryError> {
        self.answer.place = Place::of(&event);
        while let Some((added, _)) = self.waiting.last() {
            let comes = match added.after {
                Some(after) => after < event.sequence,
                None => added.time.is_some_and(|time| time < event.time()),
            };
            if !comes {
                break;
            }
            history.extend(self.waiting.pop().map(|(_, event)| event));
            self.answer.added += 1;
        }
        let is_left_out = self
            .without
            .iter()
            .any(|pattern| pattern.matches_type(event.kind()) || pattern.as_str() == event.id());
        if is_left_out {
            self.answer.left_out += 1;
        } else if let Some(data) = self.supposition.instead.get(event.id()) {
            history.push(with_data(&event, data)?);
            self.answer.changed += 1;
        } else {
            history.push(event);
        }
        Ok(())
    }

    fn fold(&mut self, events: &[Recorded]) -> Result<(), QueryError> {
        self.answer.folded += events.len() as u64;
        self.code.apply(&mut self.folding.state, events, self.turn)
    }
}

/// The event as it would stand in the stream. It has no place in the log.
fn never_happened(stream: &str, number: usize, added: &AddedEvent) -> Result<Recorded, QueryError> {
    let id = format!("supposed-{}", number + 1);
    let mut draft = Draft::new(added.kind.as_str(), "/whatif", id);
    draft.subject = Some(stream.into());
    if let Some(time) = added.time {
        draft.put_text("time", &time.to_rfc3339());
    }
    draft.set_data(added.data.as_slice());
    let event = draft.finish(Sameness::FirstWins).map_err(|error| QueryError::Supposed(error.to_string()))?;
    let sequence = added.after.unwrap_or(Sequence::ZERO);
    let recorded = added.time.unwrap_or(Timestamp(0));
    let bytes = Bytes::copy_from_slice(event.bytes());
    Recorded::new(tacho_event::Position::ZERO, sequence, recorded, bytes)
        .ok_or_else(|| QueryError::Supposed("the event cannot be written".to_owned()))
}

/// The event with another payload.
fn with_data(event: &Recorded, data: &[u8]) -> Result<Recorded, QueryError> {
    let mut draft = Draft::new(event.kind(), event.source(), event.id());
    draft.subject = Some(event.stream().into());
    for (name, value) in event.attributes() {
        let name = String::from_utf8_lossy(name);
        if !matches!(name.as_ref(), "specversion" | "data" | "data_base64") {
            draft.put(name, value);
        }
    }
    draft.set_data(data);
    let changed =
        draft.finish(Sameness::FirstWins).map_err(|error| QueryError::Supposed(error.to_string()))?;
    let bytes = Bytes::copy_from_slice(changed.bytes());
    Recorded::new(event.position, event.sequence, event.recorded, bytes)
        .ok_or_else(|| QueryError::Supposed("the event cannot be written".to_owned()))
}
