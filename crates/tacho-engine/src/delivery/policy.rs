//! Every limit of a handler, with its unit.

use std::time::Duration;
use tacho_event::Position;

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    pub batch: BatchLimits,
    pub retry: Retry,
    pub progress: ProgressLimits,
    pub start: Start,
}

/// What goes out together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchLimits {
    /// Most events of a batch, at least 1.
    pub events: usize,
    /// Most bytes of a batch as the log holds them; one event always fits.
    pub bytes: usize,
    /// How long the first event of a batch waits for others, in milliseconds.
    pub window_ms: u64,
}

impl Default for BatchLimits {
    fn default() -> Self {
        Self { events: 500, bytes: 1 << 20, window_ms: 0 }
    }
}

/// What happens after a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    /// Attempts of an event, the first one counted; then it is a dead letter. `None`: until it is taken.
    pub attempts: Option<u32>,
    /// The pause behind the first failure, in milliseconds; each further one doubles it.
    pub first_ms: u64,
    /// The longest pause, in milliseconds. What the other side asks for is cut to an hour instead.
    pub longest_ms: u64,
}

impl Default for Retry {
    fn default() -> Self {
        Self { attempts: None, first_ms: 500, longest_ms: 60_000 }
    }
}

/// The longest pause that the other side may ask for.
const LONGEST_ASKED: Duration = Duration::from_secs(3_600);

impl Retry {
    /// The pause behind a failed attempt, counted from 1: between half and all of what the doubling says, as
    /// `random` decides, so that those who failed together do not come back together.
    pub(crate) fn pause(&self, attempt: u32, asked: Option<Duration>, random: u64) -> Duration {
        let doubled = self.first_ms.saturating_mul(1 << attempt.saturating_sub(1).min(32));
        let whole = doubled.min(self.longest_ms).max(1);
        let half = whole / 2;
        let own = Duration::from_millis(half + random % (whole - half + 1));
        asked.map_or(own, |asked| own.max(asked.min(LONGEST_ASKED)))
    }
}

/// How often the cursor goes to the log. What was delivered behind it is delivered again after a crash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgressLimits {
    /// At most so often, in milliseconds, ...
    pub every_ms: u64,
    /// ... unless so many events were delivered, or looked at and left out.
    pub events: u64,
}

impl Default for ProgressLimits {
    fn default() -> Self {
        Self { every_ms: 1_000, events: 10_000 }
    }
}

/// Where a handler begins that was never there before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Start {
    /// Behind the last durable event when it is started.
    #[default]
    Now,
    /// With the first event of the log.
    Beginning,
    /// Behind a position.
    After(Position),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_jitter_by_half() {
        let retry = Retry { attempts: None, first_ms: 100, longest_ms: 1_000 };
        let pause = |attempt, random| retry.pause(attempt, None, random).as_millis();
        assert_eq!((pause(1, 0), pause(1, 50), pause(1, 51)), (50, 100, 50));
        assert_eq!((pause(2, 0), pause(4, 0), pause(5, 0), pause(u32::MAX, 0)), (100, 400, 500, 500));
        assert_eq!(retry.pause(1, Some(Duration::from_secs(7)), 0), Duration::from_secs(7));
        assert_eq!(retry.pause(1, Some(Duration::from_secs(1 << 40)), 0), LONGEST_ASKED);
        assert_eq!(Retry { first_ms: 0, ..retry }.pause(1, None, 9), Duration::from_millis(1));
    }
}
