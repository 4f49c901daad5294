//! A fold under way, and the snapshots that it begins with and leaves behind.

use super::moment::Place;
use super::projection::Code;
use super::reading::Reading;
use super::snapshot;
use crate::condition::Turn;
use crate::engine::Shared;
use crate::error::QueryError;
use serde_json::Value;
use tacho_event::{Recorded, Sequence, Timestamp};
use tacho_view::state::State;
use tacho_view::{Bound, PackedSnapshot};

/// A long stream has about this many snapshots: they stand further apart the longer it is.
const SNAPSHOTS_OF_STREAM: u64 = 1_000;
/// Snapshots that are written in one transaction.
const PACKED_AT_ONCE: usize = 64;
/// After so many snapshots, old ones and too many are dropped.
const COLLECTED_EVERY: i64 = 1_000;
/// Events that a program folds in one go.
const PROGRAM_EVENTS: usize = 256;

/// The state of a stream, and how far it is folded.
pub(super) struct Folding<'a> {
    shared: &'a Shared,
    stream: &'a str,
    code: &'a Code,
    turn: Option<&'a Turn>,
    pub(super) state: State,
    pub(super) place: Place,
    /// The greatest time of all events that were folded.
    latest: Timestamp,
    /// Whether all events up to the place are in it: with a bound of time some may be left out.
    is_whole: bool,
    /// What was folded since the last snapshot.
    events: u64,
    bytes: usize,
    /// Bytes of the last snapshot's state.
    state_bytes: usize,
    packed: Vec<PackedSnapshot>,
}

impl<'a> Folding<'a> {
    /// At the stream's beginning.
    pub(super) fn empty(shared: &'a Shared, stream: &'a str, code: &'a Code, turn: Option<&'a Turn>) -> Self {
        Self {
            shared,
            stream,
            code,
            turn,
            state: State::new(code.empty()),
            place: Place::default(),
            latest: Timestamp(i64::MIN),
            is_whole: true,
            events: 0,
            bytes: 0,
            state_bytes: 0,
            packed: Vec::new(),
        }
    }

    /// At the last snapshot within the bound, else at the stream's beginning.
    pub(super) fn at_snapshot(
        shared: &'a Shared,
        stream: &'a str,
        code: &'a Code,
        turn: Option<&'a Turn>,
        bound: &Bound,
    ) -> Self {
        let mut folding = Self::empty(shared, stream, code, turn);
        // A snapshot that cannot be read costs time: the fold begins earlier.
        let found = shared.snapshots.as_ref();
        let found = found.and_then(|snapshots| {
            snapshots.best(stream, &code.version_on(&shared.log), bound).ok().flatten()
        });
        if let Some(snapshot) = found {
            folding.place =
                Place { sequence: snapshot.sequence, position: snapshot.position, time: Some(snapshot.time) };
            folding.latest = snapshot.latest;
            folding.state = State::new(snapshot.state);
        }
        folding
    }

    /// Folds all that is left within the bound.
    pub(super) fn run(mut self, bound: &Bound) -> Result<(Value, Place), QueryError> {
        self.advance(bound)?;
        self.store();
        Ok((self.state.into_value(), self.place))
    }

    /// As [`Self::run`], to go on from there.
    pub(super) fn advance(&mut self, bound: &Bound) -> Result<(), QueryError> {
        let mut reading = Reading::new(self.shared, self.stream, *bound, self.place.position);
        loop {
            let events = reading.next()?;
            if events.is_empty() {
                return Ok(());
            }
            let mut rest = events.as_slice();
            while !rest.is_empty() {
                let (piece, behind) = rest.split_at(self.piece(rest));
                self.fold(piece)?;
                rest = behind;
            }
        }
    }

    /// How many of the events are folded in one go: those up to the next snapshot.
    fn piece(&self, events: &[Recorded]) -> usize {
        if self.code.is_program() {
            return events.len().min(PROGRAM_EVENTS);
        }
        let mut bytes = self.bytes;
        let is_last = |(index, event): (usize, &Recorded)| {
            bytes += event.bytes().len();
            self.is_due(event.sequence, self.events + index as u64 + 1, bytes)
        };
        events.iter().enumerate().position(is_last).map_or(events.len(), |index| index + 1)
    }

    fn fold(&mut self, events: &[Recorded]) -> Result<(), QueryError> {
        let Some(last) = events.last() else { return Ok(()) };
        self.code.apply(&mut self.state, events, self.turn)?;
        let before = self.place.sequence.0;
        for event in events {
            self.latest = self.latest.max(event.time());
            self.bytes += event.bytes().len();
        }
        self.place = Place::of(last);
        self.events += events.len() as u64;
        self.is_whole &= before + events.len() as u64 == self.place.sequence.0;
        if self.is_whole && self.is_due(self.place.sequence, self.events, self.bytes) {
            self.pack(false);
        }
        Ok(())
    }

    /// Whether it is worth a snapshot: by the count of events, and by what they cost to read against the state's size.
    fn is_due(&self, sequence: Sequence, events: u64, bytes: usize) -> bool {
        let every = self.shared.config.rewind.snapshot_events.max(sequence.0 / SNAPSHOTS_OF_STREAM);
        self.shared.snapshots.is_some() && events >= every && bytes >= self.state_bytes
    }

    /// Keeps the state of this place, to be stored.
    pub(super) fn pack(&mut self, manual: bool) {
        let Some(time) = self.place.time else { return };
        let place = (self.place.sequence, self.place.position, time);
        if let Ok(packed) = PackedSnapshot::new(place, self.latest, manual, self.state.value()) {
            self.state_bytes = packed.json_bytes;
            self.packed.push(packed);
        }
        (self.events, self.bytes) = (0, 0);
        if self.packed.len() >= PACKED_AT_ONCE {
            self.store();
        }
    }

    /// Stores what was packed. Where it cannot be stored, the next fold takes longer, and that is all.
    pub(super) fn store(&mut self) -> Vec<i64> {
        let packed = std::mem::take(&mut self.packed);
        match &self.shared.snapshots {
            Some(snapshots) if !packed.is_empty() => {
                let now = self.shared.clock.now();
                let code = self.code.version_on(&self.shared.log);
                let ids = snapshots.put(self.stream, &code, &packed, now).unwrap_or_default();
                if ids.iter().any(|id| id % COLLECTED_EVERY == 0) {
                    snapshot::collect(self.shared);
                }
                ids
            }
            _ => Vec::new(),
        }
    }
}

/// The state of a stream within a bound.
pub(super) fn state(
    shared: &Shared,
    stream: &str,
    code: &Code,
    turn: Option<&Turn>,
    bound: &Bound,
) -> Result<(Value, Place), QueryError> {
    let (value, place) = Folding::at_snapshot(shared, stream, code, turn, bound).run(bound)?;
    if place.sequence == Sequence::ZERO {
        // Nothing of it had happened; but a stream that never was is a mistake.
        let known = shared.fold.reader().stream(stream)?;
        known.ok_or_else(|| QueryError::StreamNotFound(stream.to_owned()))?;
    }
    Ok((value, place))
}
