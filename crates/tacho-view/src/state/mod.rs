//! Streams as they were: projections, which are pure folds from the events of one stream to a JSON value.
//!
//! A projection reads nothing but the events that it is given, in the order of the journal; so the state at any
//! moment is the fold of the events up to there, and a [snapshot](crate::Snapshots) saves work and nothing else.

mod agents;
mod board;
pub mod difference;
mod orchestration;
mod quality;
mod session;
#[expect(clippy::module_inception, reason = "the state of a stream is what this module is about")]
mod state;
mod step;
mod task;
mod timeline;

pub use state::{Change, Op, State};
pub use step::Step;

use serde_json::Value;
use tacho_event::{Recorded, stream};

/// A fold of one stream's events.
#[derive(Debug, Clone, Copy)]
pub struct Projection {
    pub name: &'static str,
    /// The category of streams whose state this is unless another projection is asked for.
    pub category: Option<&'static str>,
    /// Goes up whenever the fold gives another state for the same events: snapshots of before are of no use then.
    pub version: u32,
    /// What its state tells: one line.
    pub meaning: &'static str,
    /// The event types that change the state, or patterns of them.
    pub reads: &'static [&'static str],
    empty: fn() -> Value,
    apply: fn(&mut State, &Step<'_>),
    /// Gives what `apply` gives, event by event, in less time, where nobody asks for the changes.
    apply_all: Option<fn(&mut Value, &[Recorded])>,
}

/// Every projection that is built in. To add one is to add a file and a line.
pub static ALL: [&Projection; 7] = [
    &orchestration::PROJECTION,
    &board::PROJECTION,
    &agents::PROJECTION,
    &quality::PROJECTION,
    &timeline::PROJECTION,
    &session::PROJECTION,
    &task::PROJECTION,
];

/// The projection of this name.
pub fn find(name: &str) -> Option<&'static Projection> {
    ALL.into_iter().find(|projection| projection.name == name)
}

/// The projection of a stream for which none is named.
pub fn default_of(stream_name: &str) -> &'static Projection {
    let category = stream::category(stream_name);
    let of_category = ALL.into_iter().find(|projection| projection.category == Some(category));
    of_category.unwrap_or(&timeline::PROJECTION)
}

impl Projection {
    /// The state of a stream without events.
    pub fn empty(&self) -> Value {
        (self.empty)()
    }

    /// Folds one event.
    pub fn apply(&self, state: &mut State, event: &Recorded) {
        (self.apply)(state, &Step::new(event));
    }

    /// Folds events that follow each other. The more at once, the less each of them may cost.
    pub fn apply_all(&self, state: &mut State, events: &[Recorded]) {
        match (self.apply_all, state.unnoted()) {
            (Some(apply_all), Some(value)) if events.len() > 1 => apply_all(value, events),
            _ => events.iter().for_each(|event| self.apply(state, event)),
        }
    }
}
