//! At most so many events in a time.

use super::policy::Rate;
use std::time::Duration;

/// A token bucket: full at the start, filled evenly.
#[derive(Debug, Clone)]
pub(crate) struct Bucket {
    limit: Rate,
    /// When it was or will be empty: each token is a share of time behind it.
    empty_at: Duration,
    is_new: bool,
}

impl Bucket {
    pub(crate) fn new(limit: Rate) -> Self {
        Self { limit, empty_at: Duration::ZERO, is_new: true }
    }

    /// How long until there is a token; zero when there is one.
    pub(crate) fn left(&self, now: Duration) -> Duration {
        if self.is_new { Duration::ZERO } else { (self.floor(now) + self.share()).saturating_sub(now) }
    }

    /// Most events that may go now.
    pub(crate) fn tokens(&self, now: Duration) -> usize {
        let most = self.limit.events.max(1) as usize;
        if self.is_new {
            return most;
        }
        let time = now.saturating_sub(self.floor(now));
        ((time.as_nanos() / self.share().as_nanos().max(1)) as usize).min(most)
    }

    pub(crate) fn take(&mut self, events: usize, now: Duration) {
        let floor = self.floor(now);
        self.is_new = false;
        self.empty_at = floor + self.share() * u32::try_from(events).unwrap_or(u32::MAX);
    }

    /// Never more than a whole bucket ago.
    fn floor(&self, now: Duration) -> Duration {
        let whole = now.saturating_sub(Duration::from_millis(self.limit.per_ms));
        if self.is_new { whole } else { self.empty_at.max(whole) }
    }

    fn share(&self) -> Duration {
        Duration::from_millis(self.limit.per_ms.max(1)) / self.limit.events.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_evenly() {
        let mut bucket = Bucket::new(Rate { events: 10, per_ms: 1_000 });
        let at = |ms| Duration::from_secs(100) + Duration::from_millis(ms);
        assert_eq!(bucket.tokens(at(0)), 10);
        bucket.take(10, at(0));
        assert_eq!((bucket.tokens(at(0)), bucket.left(at(0))), (0, Duration::from_millis(100)));
        assert_eq!((bucket.tokens(at(100)), bucket.left(at(100))), (1, Duration::ZERO));
        bucket.take(1, at(100));
        assert_eq!(bucket.tokens(at(150)), 0);
        assert_eq!(bucket.tokens(at(60_000)), 10, "what was not used is not saved up");
        let mut passed = 0;
        for ms in 60_000..70_000 {
            let tokens = bucket.tokens(at(ms));
            bucket.take(tokens, at(ms));
            passed += tokens;
        }
        assert!((108..=112).contains(&passed), "{passed}");
    }
}
