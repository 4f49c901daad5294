//! A stream's whole history at a glance: what a scrubber shows.

use super::folding::Folding;
use super::history::before;
use super::moment::Place;
use super::projection::Code;
use crate::condition::Turn;
use crate::engine::{Engine, Shared};
use crate::error::QueryError;
use crate::query::Wait;
use serde_json::Value;
use tacho_event::{Recorded, Sequence, Timestamp};

/// Most buckets, bands and changes of the number of agents, each.
const MAX_BUCKETS: usize = 2_000;

#[derive(Debug, Clone)]
pub struct Overview {
    pub projection: String,
    pub first: Place,
    pub last: Place,
    pub buckets: Vec<Bucket>,
    /// Phases of an orchestration, turns of a session.
    pub bands: Vec<Band>,
    /// How many agents were at work from an event on.
    pub active: Vec<(Sequence, usize)>,
}

/// Neighbouring events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    pub from: Sequence,
    pub to: Sequence,
    /// The least and the greatest time of its events.
    pub at: Timestamp,
    pub until: Timestamp,
    pub events: u64,
    /// Operations that its events did on the state.
    pub changes: u64,
    pub failures: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Band {
    pub name: String,
    pub from: Sequence,
    pub to: Sequence,
}

impl Engine {
    /// The history of a stream in so many buckets.
    pub async fn overview(
        &self,
        stream: &str,
        projection: Option<&str>,
        buckets: usize,
        wait: Wait,
    ) -> Result<Overview, QueryError> {
        self.wait(wait).await?;
        let code = Code::find(&self.shared, stream, projection)?;
        let turn = self.turn(code.is_program()).await?;
        let stream = stream.to_owned();
        self.on_a_thread(move |shared| overview(shared, &stream, &code, turn.as_ref(), buckets)).await
    }
}

fn overview(
    shared: &Shared,
    stream: &str,
    code: &Code,
    turn: Option<&Turn>,
    buckets: usize,
) -> Result<Overview, QueryError> {
    let known = shared.known_stream(stream)?;
    let width = known.sequence.0.div_ceil(buckets.clamp(1, MAX_BUCKETS) as u64).max(1);
    let mut glance = Glance { width, overview: blank(code) };
    // From the beginning: a snapshot does not tell what its events changed.
    let mut folding = Folding::empty(shared, stream, code, turn);
    let (_, mut reading) = before(shared, stream, code, turn, Sequence(1))?;
    folding.state.note_changes();
    loop {
        let events = reading.next()?;
        if events.is_empty() {
            return Ok(glance.overview);
        }
        for event in events {
            code.apply(&mut folding.state, std::slice::from_ref(&event), turn)?;
            let changes = folding.state.take_changes().len() as u64;
            glance.add(&event, changes, folding.state.value());
        }
    }
}

fn blank(code: &Code) -> Overview {
    Overview {
        projection: code.name().to_owned(),
        first: Place::default(),
        last: Place::default(),
        buckets: Vec::new(),
        bands: Vec::new(),
        active: Vec::new(),
    }
}

struct Glance {
    width: u64,
    overview: Overview,
}

impl Glance {
    fn add(&mut self, event: &Recorded, changes: u64, state: &Value) {
        let overview = &mut self.overview;
        overview.last = Place::of(event);
        if overview.first.time.is_none() {
            overview.first = overview.last;
        }
        let (sequence, time) = (event.sequence, event.time());
        match overview.buckets.last_mut() {
            Some(bucket) if sequence.0 - bucket.from.0 < self.width => {
                bucket.to = sequence;
                bucket.at = bucket.at.min(time);
                bucket.until = bucket.until.max(time);
                bucket.events += 1;
                bucket.changes += changes;
                bucket.failures += u64::from(is_failure(event));
            }
            _ => overview.buckets.push(Bucket {
                from: sequence,
                to: sequence,
                at: time,
                until: time,
                events: 1,
                changes,
                failures: u64::from(is_failure(event)),
            }),
        }
        if changes == 0 {
            if let Some(band) = overview.bands.last_mut() {
                band.to = sequence;
            }
            return;
        }
        let bands = &mut overview.bands;
        let has_room = bands.len() < MAX_BUCKETS;
        match (band_name(state), bands.last_mut()) {
            (Some(name), Some(band)) if band.name == name => band.to = sequence,
            (Some(name), _) if has_room => bands.push(Band { name, from: sequence, to: sequence }),
            _ => {}
        }
        let count = at_work(state);
        let is_new = overview.active.last().map_or(count > 0, |(_, last)| *last != count);
        if is_new && overview.active.len() < MAX_BUCKETS {
            overview.active.push((sequence, count));
        }
    }
}

/// What part of the work it is.
fn band_name(state: &Value) -> Option<String> {
    if let Some(phase) = state["current_phase"].as_str() {
        return Some(phase.to_owned());
    }
    state["turns"].as_u64().filter(|turns| *turns > 0).map(|turn| format!("turn {turn}"))
}

/// How many agents are at work.
fn at_work(state: &Value) -> usize {
    if let Some(agents) = state["active_agents"].as_array() {
        return agents.len();
    }
    let working = |agent: &&Value| agent["status"] == "working" || agent["status"] == "active";
    let of = |name: &str| state[name].as_array().map_or(0, |agents| agents.iter().filter(working).count());
    of("subagents") + of("agents") + usize::from(state["status"] == "working")
}

/// Whether an event tells that something failed.
pub(super) fn is_failure(event: &Recorded) -> bool {
    const ENDINGS: [&str; 5] = ["Failed", "_failed", ".failed", "_failure", "ErrorOccurred"];
    ENDINGS.iter().any(|ending| event.kind().ends_with(ending))
        || event.text("severity").as_deref() == Some("error")
}
