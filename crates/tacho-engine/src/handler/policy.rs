//! Every rule and limit of a handler, with its unit.

use super::Key;
use crate::delivery::Start;
use std::time::Duration;

/// How a handler gets its events. Everything has a default, so that a name, a filter and a kind are enough.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Where it begins when it was never there before.
    pub start: Start,
    pub order: Order,
    /// Most deliveries at once, at least 1; as many workers, at most.
    pub concurrency: usize,
    /// Workers that are kept ready though nothing waits.
    pub workers_min: usize,
    /// Most deliveries at once of the same key.
    pub per_key: Option<PerKey>,
    pub batch: Batch,
    /// How long an attempt may take, in milliseconds.
    pub timeout_ms: u64,
    pub retry: Retry,
    /// `None`: there is no breaker.
    pub breaker: Option<Breaker>,
    pub dedupe: Option<Dedupe>,
    pub rate: Option<Rate>,
    /// Of events that name none.
    pub priority: Priority,
    /// Most events that are read and wait, and most bytes of them. Behind them the log waits for the handler.
    pub waiting_events: usize,
    pub waiting_bytes: usize,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            start: Start::Now,
            order: Order::Stream,
            concurrency: 1,
            workers_min: 0,
            per_key: None,
            batch: Batch::default(),
            timeout_ms: 30_000,
            retry: Retry::default(),
            breaker: None,
            dedupe: None,
            rate: None,
            priority: Priority::Normal,
            waiting_events: 10_000,
            waiting_bytes: 32 << 20,
        }
    }
}

/// Within what events are delivered in the order of the log, one at a time.
#[derive(Debug, Clone)]
pub enum Order {
    Stream,
    /// Of the same key.
    Key(Key),
    None,
}

#[derive(Debug, Clone)]
pub struct PerKey {
    pub key: Key,
    pub limit: usize,
}

/// What goes out together.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Most events of a delivery, at least 1.
    pub events: usize,
    /// Most bytes of a delivery as the log holds them; one event always fits.
    pub bytes: usize,
    /// How long an event waits for others, in milliseconds.
    pub window_ms: u64,
    /// Only events of the same key go together.
    pub by: Option<Key>,
}

impl Default for Batch {
    fn default() -> Self {
        Self { events: 1, bytes: 1 << 20, window_ms: 0, by: None }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Retry {
    /// Attempts of an event, the first one counted; then it is a dead letter.
    pub attempts: u32,
    pub backoff: Backoff,
    /// The pause behind the first failure, in milliseconds.
    pub first_ms: u64,
    /// The longest pause, in milliseconds.
    pub longest_ms: u64,
    /// By which part of itself a pause may be longer or shorter, 0 to 1.
    pub jitter: f64,
}

impl Default for Retry {
    fn default() -> Self {
        Self { attempts: 5, backoff: Backoff::Exponential, first_ms: 200, longest_ms: 30_000, jitter: 0.2 }
    }
}

impl Retry {
    /// The pause behind a failed attempt, counted from 1.
    pub(crate) fn pause(&self, attempt: u32, random: u64) -> Duration {
        let step = u64::from(attempt.max(1));
        let grown = match self.backoff {
            Backoff::Fixed => self.first_ms,
            Backoff::Linear => self.first_ms.saturating_mul(step),
            Backoff::Exponential => self.first_ms.saturating_mul(1 << (step - 1).min(32)),
        };
        let whole = grown.min(self.longest_ms).max(1) as f64;
        let part = (random >> 11) as f64 / (1_u64 << 53) as f64;
        let factor = 1.0 + self.jitter.clamp(0.0, 1.0) * (2.0 * part - 1.0);
        Duration::from_nanos((whole * factor * 1e6).max(1e6) as u64)
    }
}

/// How pauses grow from one failure to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backoff {
    Fixed,
    Linear,
    Exponential,
}

/// When nothing is delivered for a while, since everything fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Breaker {
    /// Failures in a row that open it.
    pub failures: u32,
    /// How long it stays open, in milliseconds.
    pub open_ms: u64,
    /// Successes in a row that close it when it is half open.
    pub probes: u32,
}

/// Which events are the same to a handler: the first within the window is delivered, the others are skipped.
#[derive(Debug, Clone)]
pub struct Dedupe {
    pub by: DedupeBy,
    /// Counted from the first of them, by `recordedtime`, in milliseconds.
    pub window_ms: u64,
}

#[derive(Debug, Clone)]
pub enum DedupeBy {
    Id,
    /// Type and payload.
    Content,
    Key(Key),
}

/// Most events in a time; a burst of as many is let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    pub events: u32,
    pub per_ms: u64,
}

/// Whose turn comes first. Order within a stream wins over it, and each gets a share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    Critical,
    High,
    Normal,
    Low,
}

impl Priority {
    pub const ALL: [Self; 4] = [Self::Critical, Self::High, Self::Normal, Self::Low];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Normal => "normal",
            Self::Low => "low",
        }
    }

    /// The priority of this name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|priority| priority.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_the_longest_and_differ_by_the_jitter() {
        let pause = |retry: &Retry, attempt, random| retry.pause(attempt, random).as_millis();
        let retry = Retry { first_ms: 100, longest_ms: 1_000, jitter: 0.0, ..Retry::default() };
        let all = |retry: &Retry| [1, 2, 3, 5, u32::MAX].map(|attempt| pause(retry, attempt, 0));
        assert_eq!(all(&retry), [100, 200, 400, 1_000, 1_000]);
        assert_eq!(all(&Retry { backoff: Backoff::Linear, ..retry.clone() }), [100, 200, 300, 500, 1_000]);
        assert_eq!(all(&Retry { backoff: Backoff::Fixed, ..retry.clone() }), [100; 5]);
        let jittery = Retry { jitter: 0.2, ..retry };
        assert_eq!((pause(&jittery, 1, 0), pause(&jittery, 1, u64::MAX)), (80, 120));
        assert_eq!(pause(&jittery, 1, u64::MAX / 2), 100);
    }
}
