//! The events of one stream, in the journal's order, a piece at a time.

use crate::engine::Shared;
use crate::error::QueryError;
use tacho_event::{Filter, Pattern, Position, Recorded, Timestamp};
use tacho_journal::ReadLimit;
use tacho_view::{Bound, Scan};

/// Events that are looked up at once.
const PIECE_EVENTS: usize = 2_048;
/// Bytes that are read from the log at once.
const PIECE_BYTES: usize = 4 << 20;
/// Where at least one in so many events of a stretch of the log is meant, the stretch is read as a whole.
const DENSE: u64 = 4;

/// A walk through a stream.
pub(super) struct Reading<'a> {
    shared: &'a Shared,
    filter: Filter,
    bound: Bound,
    after: Position,
    positions: Vec<Position>,
    is_over: bool,
}

impl<'a> Reading<'a> {
    /// The events behind `after` that are within the bound. Bookkeeping is among them.
    pub(super) fn new(shared: &'a Shared, stream: &str, bound: Bound, after: Position) -> Self {
        let filter = Filter {
            stream: Some(Pattern::new(stream)),
            until: bound.time.map(|time| Timestamp(time.0.saturating_add(1))),
            system: true,
            ..Filter::default()
        };
        Self { shared, filter, bound, after, positions: Vec::new(), is_over: false }
    }

    /// The next events; empty at the end.
    pub(super) fn next(&mut self) -> Result<Vec<Recorded>, QueryError> {
        let mut events = Vec::new();
        while events.is_empty() && !self.is_over {
            let scan = Scan {
                after: Some(self.after),
                until: self.bound.position,
                reverse: false,
                limit: PIECE_EVENTS,
            };
            let found = self.shared.fold.reader().candidates(&self.filter, &scan, &mut || true)?;
            self.after = found.scanned_to;
            self.is_over = found.end;
            self.positions = found.positions;
            self.read(&mut events)?;
        }
        Ok(events)
    }

    fn read(&mut self, events: &mut Vec<Recorded>) -> Result<(), QueryError> {
        let positions = std::mem::take(&mut self.positions);
        let mut rest = positions.as_slice();
        while let Some(first) = rest.first().copied() {
            let length = stretch(rest);
            let (taken, behind) = rest.split_at(length);
            rest = behind;
            let last = taken[length - 1];
            let mut next = first;
            let mut wanted = taken.iter().copied().peekable();
            while next <= last {
                let count = (last.0 - next.0 + 1) as usize;
                let read = self.shared.log.read(next, ReadLimit { events: count, bytes: PIECE_BYTES })?;
                let Some(end) = read.last().map(|event| event.position) else { break };
                next = Position(end.0 + 1);
                for event in read {
                    if wanted.next_if_eq(&event.position).is_some() && self.is_meant(&event) {
                        if self.bound.sequence.is_some_and(|sequence| event.sequence > sequence) {
                            self.is_over = true;
                            return Ok(());
                        }
                        events.push(event);
                    }
                }
            }
        }
        Ok(())
    }

    /// What the index says is compared once more with the event itself.
    fn is_meant(&self, event: &Recorded) -> bool {
        self.filter.stream.as_ref().is_some_and(|stream| stream.as_str() == event.stream())
            && self.bound.time.is_none_or(|time| event.time() <= time)
    }
}

/// How many of the positions, from the first on, are read from the log as one stretch.
fn stretch(positions: &[Position]) -> usize {
    let first = positions[0].0;
    let mut length = 1;
    for (index, position) in positions.iter().enumerate().skip(1) {
        if position.0 - first >= DENSE * (index as u64 + 1) {
            break;
        }
        length = index + 1;
    }
    length
}
