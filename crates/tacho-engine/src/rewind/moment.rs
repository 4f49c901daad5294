//! Which moment of a stream is meant.

use crate::engine::Shared;
use crate::error::QueryError;
use tacho_event::{Position, Recorded, Sequence, Timestamp};
use tacho_view::Bound;

/// A moment in a stream's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Moment {
    /// Behind its last event.
    #[default]
    Now,
    /// With all that had happened by then: events are taken by their `time`, whenever they were recorded.
    Time(Timestamp),
    /// Behind the event at this position of the log, or the one before it.
    Position(Position),
    /// Behind the stream's event of this number; 0 is before the first.
    Sequence(Sequence),
}

/// Where a moment lies: the last event that is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place {
    pub sequence: Sequence,
    pub position: Position,
    /// When that event happened; `None` before the first.
    pub time: Option<Timestamp>,
}

impl Place {
    pub(super) fn of(event: &Recorded) -> Self {
        Self { sequence: event.sequence, position: event.position, time: Some(event.time()) }
    }
}

impl Moment {
    /// The events that are meant. With `known_at`, only those that had been recorded by then.
    pub(super) fn bound(self, shared: &Shared, known_at: Option<Timestamp>) -> Result<Bound, QueryError> {
        let mut bound = Bound::default();
        match self {
            Self::Now => {}
            Self::Time(time) => bound.time = Some(time),
            Self::Position(position) => bound.position = Some(position),
            Self::Sequence(sequence) => bound.sequence = Some(sequence),
        }
        if let Some(known_at) = known_at {
            let known = last_recorded_by(shared, known_at)?;
            bound.position = Some(bound.position.map_or(known, |position| position.min(known)));
        }
        Ok(bound)
    }
}

/// The last position that was recorded up to a moment. Recorded times never go back, so halving finds it.
fn last_recorded_by(shared: &Shared, moment: Timestamp) -> Result<Position, QueryError> {
    let (mut known, mut unknown) = (0, shared.journal.head().0 + 1);
    while unknown - known > 1 {
        let middle = known + (unknown - known) / 2;
        let event = shared.journal.get(Position(middle))?;
        if event.is_some_and(|event| event.recorded <= moment) {
            known = middle;
        } else {
            unknown = middle;
        }
    }
    Ok(Position(known))
}
