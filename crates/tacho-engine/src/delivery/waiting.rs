//! Events that were read for a handler and wait for their turn.

use super::{BatchLimits, Failure};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;
use tacho_event::{Position, Recorded};

#[derive(Debug, Default)]
pub(crate) struct Waiting {
    events: VecDeque<Recorded>,
    bytes: usize,
    /// Those of them that cannot be delivered, and why.
    refused: BTreeMap<Position, Failure>,
    /// When the first of them came.
    since: Duration,
}

impl Waiting {
    pub(crate) fn push(&mut self, event: Recorded, refusal: Option<Failure>, now: Duration) {
        if self.events.is_empty() {
            self.since = now;
        }
        self.bytes += event.bytes().len();
        if let Some(failure) = refusal {
            self.refused.insert(event.position, failure);
        }
        self.events.push_back(event);
    }

    pub(crate) fn len(&self) -> usize {
        self.events.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    pub(crate) fn first(&self) -> Option<&Recorded> {
        self.events.front()
    }

    /// Why the first event cannot be delivered.
    pub(crate) fn refusal(&self) -> Option<&Failure> {
        self.refused.get(&self.events.front()?.position)
    }

    /// Whether a whole batch waits.
    pub(crate) fn is_full(&self, limits: &BatchLimits) -> bool {
        self.events.len() >= limits.events.max(1) || self.bytes >= limits.bytes
    }

    /// How long the first event still waits for others.
    pub(crate) fn window_left(&self, limits: &BatchLimits, now: Duration) -> Duration {
        let window = Duration::from_millis(limits.window_ms);
        if self.is_full(limits) { Duration::ZERO } else { (self.since + window).saturating_sub(now) }
    }

    /// The next batch; events up to `alone_until` go one by one. Ends before an event that is refused.
    pub(crate) fn batch(&mut self, limits: &BatchLimits, alone_until: Position) -> &[Recorded] {
        let events = self.events.make_contiguous();
        let alone = events.first().is_some_and(|first| first.position <= alone_until);
        let most = if alone { 1 } else { limits.events.max(1) };
        let mut bytes = 0;
        let fits = |event: &&Recorded| {
            let is_first = bytes == 0;
            bytes += event.bytes().len();
            (is_first || bytes <= limits.bytes) && !self.refused.contains_key(&event.position)
        };
        let count = events.iter().take(most).take_while(fits).count();
        &events[..count]
    }

    /// Takes the first events away; answers the position of the last one.
    pub(crate) fn take(&mut self, count: usize) -> Option<Position> {
        let mut last = None;
        for event in self.events.drain(..count.min(self.events.len())) {
            self.bytes -= event.bytes().len();
            self.refused.remove(&event.position);
            last = Some(event.position);
        }
        last
    }
}
