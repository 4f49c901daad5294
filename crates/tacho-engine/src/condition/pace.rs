//! How many events are evaluated at once: many when they are cheap, few when they are not, so that who waits
//! for an answer can stop in between.

use std::time::Duration;

const FEWEST_EVENTS: usize = 16;
const MOST_EVENTS: usize = 512;
/// Bytes of events after which a batch is full.
const MOST_BYTES: usize = 1 << 20;
/// A batch that takes longer makes the next one smaller.
const LONG: Duration = Duration::from_millis(5);

/// The size of one reader's next batch.
#[derive(Debug)]
pub(crate) struct Pace {
    events: usize,
}

impl Pace {
    pub(crate) fn new() -> Self {
        Self { events: FEWEST_EVENTS }
    }

    /// Whether a batch of so many events and bytes takes one more.
    pub(crate) fn has_room(&self, events: usize, bytes: usize) -> bool {
        events < self.events && bytes < MOST_BYTES
    }

    /// A full batch took this long.
    pub(crate) fn took(&mut self, time: Duration) {
        self.events = match time {
            time if time > LONG => (self.events / 2).max(1),
            _ => (self.events * 2).min(MOST_EVENTS),
        };
    }
}
