//! Two moments of a stream, or two streams, beside each other.

use super::folding;
use super::moment::{Moment, Place};
use super::projection::Code;
use super::reading::Reading;
use crate::condition::Turn;
use crate::engine::{Engine, Shared};
use crate::error::QueryError;
use crate::query::Wait;
use serde_json::{Map, Value};
use std::collections::VecDeque;
use tacho_event::{Position, Recorded, Sequence, json};
use tacho_view::Bound;
use tacho_view::state::Change;
use tacho_view::state::difference::{self, Leaf};

/// Members of payloads that say what was done and how it ended. Words, counts, ids and times differ in every run.
const DECISIVE: [&str; 32] = [
    "agent",
    "agent_name",
    "agent_type",
    "all_attempts_exhausted",
    "blocked_by",
    "check_type",
    "error_code",
    "error_type",
    "exit_code",
    "failed",
    "failure_phase",
    "final_state",
    "from_status",
    "gap_type",
    "initial_phase",
    "merge_method",
    "next_phase",
    "outcome",
    "passed_quality_gate",
    "phase",
    "reason",
    "rejected",
    "result",
    "severity",
    "status",
    "task_status",
    "test_runner",
    "test_suite",
    "to_status",
    "tool",
    "tool_input",
    "tool_name",
];
/// What stands in a tool's input for people.
const FOR_PEOPLE: &str = "description";

/// What lies between two moments.
#[derive(Debug, Clone)]
pub struct Comparison {
    pub projection: String,
    pub from: Place,
    pub to: Place,
    /// From the one state to the other, as a JSON Patch.
    pub patch: Vec<Change>,
    /// The same, leaf by leaf.
    pub leaves: Vec<Leaf>,
}

#[derive(Debug, Clone, Default)]
pub struct DivergenceQuery {
    pub a: String,
    pub b: String,
    /// Of the final states.
    pub projection: Option<String>,
    /// Whether every word, count, id and time of a payload counts, and not only what was done and how it ended.
    pub exact: bool,
    pub wait: Wait,
}

/// Where two streams part.
#[derive(Debug, Clone)]
pub struct Divergence {
    pub a: Run,
    pub b: Run,
    /// How many events they have in common from the beginning on.
    pub common: u64,
    /// The first pair that differs; `None` where they are alike to the end.
    pub first: Option<Why>,
    /// What lies between their final states.
    pub leaves: Vec<Leaf>,
}

#[derive(Debug, Clone)]
pub struct Run {
    pub stream: String,
    pub events: u64,
}

/// How two events differ.
#[derive(Debug, Clone)]
pub enum Why {
    /// They are of different types.
    Type(Box<(Recorded, Recorded)>),
    /// They say different things: from the one payload to the other.
    Data(Box<(Recorded, Recorded)>, Vec<Leaf>),
    /// One stream goes on where the other ends: its next event, and whether that is of the first stream.
    Ended(Box<Recorded>, bool),
}

impl Engine {
    /// What changed in a stream from one moment to another.
    pub async fn compare(
        &self,
        stream: &str,
        projection: Option<&str>,
        (from, to): (Moment, Moment),
        wait: Wait,
    ) -> Result<Comparison, QueryError> {
        self.wait(wait).await?;
        let code = Code::find(&self.shared, stream, projection)?;
        let turn = self.turn(code.is_program()).await?;
        let stream = stream.to_owned();
        self.on_a_thread(move |shared| {
            let state_at = |moment: Moment| {
                let bound = moment.bound(shared, None)?;
                folding::state(shared, &stream, &code, turn.as_ref(), &bound)
            };
            let ((before, from), (after, to)) = (state_at(from)?, state_at(to)?);
            Ok(Comparison {
                projection: code.name().to_owned(),
                from,
                to,
                patch: difference::between(&before, &after),
                leaves: difference::leaves(&before, &after),
            })
        })
        .await
    }

    /// Where two streams part: the first event that is not alike.
    pub async fn divergence(&self, query: DivergenceQuery) -> Result<Divergence, QueryError> {
        self.wait(query.wait).await?;
        let code = Code::find(&self.shared, &query.a, query.projection.as_deref())?;
        let turn = self.turn(code.is_program()).await?;
        self.on_a_thread(move |shared| divergence(shared, &query, &code, turn.as_ref())).await
    }
}

fn divergence(
    shared: &Shared,
    query: &DivergenceQuery,
    code: &Code,
    turn: Option<&Turn>,
) -> Result<Divergence, QueryError> {
    let count = |stream: &str| -> Result<Run, QueryError> {
        Ok(Run { stream: stream.to_owned(), events: shared.known_stream(stream)?.sequence.0 })
    };
    let (a, b) = (count(&query.a)?, count(&query.b)?);
    let (common, first) = first_difference(shared, query)?;
    let final_state = |stream: &str| -> Result<Value, QueryError> {
        Ok(folding::state(shared, stream, code, turn, &Bound::default())?.0)
    };
    let leaves = difference::leaves(&final_state(&query.a)?, &final_state(&query.b)?);
    Ok(Divergence { a, b, common, first, leaves })
}

fn first_difference(shared: &Shared, query: &DivergenceQuery) -> Result<(u64, Option<Why>), QueryError> {
    let mut one = Walk::new(shared, &query.a);
    let mut other = Walk::new(shared, &query.b);
    let mut common = 0;
    loop {
        let why = match (one.next()?, other.next()?) {
            (None, None) => return Ok((common, None)),
            (Some(event), None) => Why::Ended(Box::new(event), true),
            (None, Some(event)) => Why::Ended(Box::new(event), false),
            (Some(one), Some(other)) if one.kind() != other.kind() => Why::Type(Box::new((one, other))),
            (Some(one), Some(other)) => {
                if one.data() == other.data() {
                    common += 1;
                    continue;
                }
                let leaves = data_leaves(&one, &other, query.exact);
                if leaves.is_empty() {
                    common += 1;
                    continue;
                }
                Why::Data(Box::new((one, other)), leaves)
            }
        };
        return Ok((common, Some(why)));
    }
}

/// What two payloads say differently.
fn data_leaves(one: &Recorded, other: &Recorded, exact: bool) -> Vec<Leaf> {
    let value = |event: &Recorded| {
        let value = event.data().map_or(Value::Null, json::to_value);
        if exact { value } else { decisive(value) }
    };
    difference::leaves(&value(one), &value(other))
}

/// What a payload decides.
fn decisive(value: Value) -> Value {
    let Value::Object(members) = value else { return value };
    let kept = members.into_iter().filter(|(name, _)| DECISIVE.contains(&name.as_str()));
    let without_words = |(name, mut value): (String, Value)| {
        if let Value::Object(input) = &mut value {
            input.shift_remove(FOR_PEOPLE);
        }
        (name, value)
    };
    Value::Object(kept.map(without_words).collect::<Map<_, _>>())
}

/// One stream, event by event; bookkeeping left out.
struct Walk<'a> {
    reading: Reading<'a>,
    events: VecDeque<Recorded>,
}

impl<'a> Walk<'a> {
    fn new(shared: &'a Shared, stream: &str) -> Self {
        let reading = Reading::new(shared, stream, Bound::default(), Position::ZERO);
        Self { reading, events: VecDeque::new() }
    }

    fn next(&mut self) -> Result<Option<Recorded>, QueryError> {
        loop {
            if let Some(event) = self.events.pop_front() {
                if event.is_bookkeeping() {
                    continue;
                }
                return Ok(Some(event));
            }
            self.events = self.reading.next()?.into();
            if self.events.is_empty() {
                return Ok(None);
            }
        }
    }
}

impl Why {
    /// The number of the event in its stream.
    pub fn sequence(&self) -> Sequence {
        match self {
            Self::Type(pair) | Self::Data(pair, _) => pair.0.sequence,
            Self::Ended(event, _) => event.sequence,
        }
    }
}
