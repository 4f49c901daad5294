//! The events of one stream, in the journal's order, a piece at a time.

use crate::engine::Shared;
use crate::error::QueryError;
use std::collections::VecDeque;
use tacho_event::{Filter, Pattern, Position, Recorded, Timestamp};
use tacho_journal::ReadLimit;
use tacho_view::{Bound, Scan};

/// Events that are looked up at once.
const PIECE_EVENTS: usize = 2_048;
/// Bytes of events after which a piece ends; one event at least.
const PIECE_BYTES: usize = 4 << 20;
/// Where at least one in so many events of a stretch of the log is meant, the stretch is read as a whole.
const DENSE: u64 = 4;

/// A walk through a stream.
pub(super) struct Reading<'a> {
    shared: &'a Shared,
    filter: Filter,
    bound: Bound,
    after: Position,
    /// What was looked up and not read yet.
    positions: VecDeque<Position>,
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
        Self { shared, filter, bound, after, positions: VecDeque::new(), is_over: false }
    }

    /// The next events; empty at the end.
    pub(super) fn next(&mut self) -> Result<Vec<Recorded>, QueryError> {
        let mut events = Vec::new();
        while events.is_empty() {
            if self.positions.is_empty() {
                if self.is_over {
                    break;
                }
                self.look_up()?;
            }
            self.read(&mut events)?;
        }
        Ok(events)
    }

    fn look_up(&mut self) -> Result<(), QueryError> {
        let scan =
            Scan { after: Some(self.after), until: self.bound.position, reverse: false, limit: PIECE_EVENTS };
        let found = self.shared.fold.reader().candidates(&self.filter, &scan, &mut || true)?;
        self.after = found.scanned_to;
        self.is_over = found.end;
        self.positions = found.positions.into();
        Ok(())
    }

    /// Reads the next of the positions, until the piece is full.
    fn read(&mut self, events: &mut Vec<Recorded>) -> Result<(), QueryError> {
        let mut bytes = 0;
        while let Some(first) = self.positions.front().copied() {
            if bytes >= PIECE_BYTES {
                return Ok(());
            }
            let count = stretch(self.positions.make_contiguous());
            let limit = ReadLimit { events: count, bytes: PIECE_BYTES };
            let read = self.shared.log.read(first, limit)?;
            let Some(end) = read.last().map(|event| event.position) else {
                self.positions.clear();
                return Ok(());
            };
            for event in read {
                if self.positions.front() != Some(&event.position) {
                    continue;
                }
                self.positions.pop_front();
                if !self.is_meant(&event) {
                    continue;
                }
                if self.bound.sequence.is_some_and(|sequence| event.sequence > sequence) {
                    self.is_over = true;
                    self.positions.clear();
                    return Ok(());
                }
                bytes += event.bytes().len();
                events.push(event);
            }
            // What was read over and not found is gone.
            while self.positions.front().is_some_and(|position| *position <= end) {
                self.positions.pop_front();
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

/// Hands the stream's events over in order, bookkeeping left out, at most `limit`, until `visit` answers false. Answers
/// whether the limit left some out.
///
/// # Errors
/// `StreamNotFound` where no event is in it.
pub(crate) fn each_of_stream(
    shared: &Shared,
    stream: &str,
    limit: usize,
    mut visit: impl FnMut(Recorded) -> bool,
) -> Result<bool, QueryError> {
    shared.known_stream(stream)?;
    let mut reading = Reading::new(shared, stream, Bound::default(), Position::ZERO);
    let mut visited = 0;
    loop {
        let events = reading.next()?;
        if events.is_empty() {
            return Ok(false);
        }
        for event in events.into_iter().filter(|event| !event.is_bookkeeping()) {
            if visited == limit {
                return Ok(true);
            }
            visited += 1;
            if !visit(event) {
                return Ok(false);
            }
        }
    }
}

/// How many events are read at once to have the first of the positions, and those behind it as long as they are dense.
fn stretch(positions: &[Position]) -> usize {
    let first = positions[0].0;
    let mut last = first;
    for (index, position) in positions.iter().enumerate().skip(1) {
        if position.0 - first >= DENSE * (index as u64 + 1) {
            break;
        }
        last = position.0;
    }
    (last - first + 1) as usize
}
