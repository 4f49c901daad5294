//! When nothing is delivered for a while, since everything fails.

use super::policy::Breaker as Limits;
use std::time::Duration;

/// Closed, open, half open: as Nygard describes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    Closed,
    Open,
    HalfOpen,
}

impl BreakerState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Breaker {
    limits: Limits,
    state: BreakerState,
    /// Failures in a row while it is closed, successes in a row while it is half open.
    run: u32,
    opens_until: Duration,
    /// Deliveries that are under way while it is half open.
    probing: u32,
}

impl Breaker {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, state: BreakerState::Closed, run: 0, opens_until: Duration::ZERO, probing: 0 }
    }

    /// As it was when the handler stopped; `left` is how long it stays open.
    pub(crate) fn restore(&mut self, state: BreakerState, left: Duration, now: Duration) {
        let longest = Duration::from_millis(self.limits.open_ms);
        self.state = state;
        self.opens_until = now + left.min(longest);
    }

    pub(crate) fn state(&self) -> BreakerState {
        self.state
    }

    /// How long it stays open.
    pub(crate) fn left(&self, now: Duration) -> Option<Duration> {
        (self.state == BreakerState::Open).then(|| self.opens_until.saturating_sub(now))
    }

    /// Lets time go by; answers whether the state is another one.
    pub(crate) fn tick(&mut self, now: Duration) -> bool {
        let is_over = self.left(now).is_some_and(|left| left.is_zero());
        if is_over {
            (self.state, self.run, self.probing) = (BreakerState::HalfOpen, 0, 0);
        }
        is_over
    }

    /// Whether one more delivery may begin.
    pub(crate) fn permits(&self) -> bool {
        match self.state {
            BreakerState::Closed => true,
            BreakerState::Open => false,
            BreakerState::HalfOpen => self.probing == 0,
        }
    }

    pub(crate) fn begin(&mut self) {
        if self.state == BreakerState::HalfOpen {
            self.probing += 1;
        }
    }

    /// Takes note of how a delivery went; answers whether the state is another one.
    pub(crate) fn end(&mut self, went_well: bool, now: Duration) -> bool {
        self.probing = self.probing.saturating_sub(1);
        match (self.state, went_well) {
            (BreakerState::Closed, true) => self.run = 0,
            (BreakerState::Closed, false) => {
                self.run += 1;
                if self.run >= self.limits.failures.max(1) {
                    return self.open(now);
                }
            }
            (BreakerState::HalfOpen, true) => {
                self.run += 1;
                if self.run >= self.limits.probes.max(1) {
                    (self.state, self.run) = (BreakerState::Closed, 0);
                    return true;
                }
            }
            (BreakerState::HalfOpen, false) => return self.open(now),
            // What was under way when it opened.
            (BreakerState::Open, _) => {}
        }
        false
    }

    fn open(&mut self, now: Duration) -> bool {
        (self.state, self.run) = (BreakerState::Open, 0);
        self.opens_until = now + Duration::from_millis(self.limits.open_ms);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn it_opens_after_failures_in_a_row_and_closes_after_probes() {
        let mut breaker = Breaker::new(Limits { failures: 2, open_ms: 100, probes: 2 });
        assert!(!breaker.end(false, at(0)) && !breaker.end(true, at(0)) && !breaker.end(false, at(0)));
        assert!(breaker.end(false, at(10)), "two in a row");
        assert!(!breaker.permits() && !breaker.tick(at(109)));
        assert_eq!(breaker.left(at(60)), Some(at(50)));
        assert!(breaker.tick(at(110)) && breaker.permits());
        breaker.begin();
        assert!(!breaker.permits(), "one probe at a time");
        assert!(!breaker.end(true, at(111)));
        breaker.begin();
        assert!(breaker.end(true, at(112)));
        assert_eq!(breaker.state(), BreakerState::Closed);
    }

    #[test]
    fn a_failed_probe_opens_it_again() {
        let mut breaker = Breaker::new(Limits { failures: 1, open_ms: 100, probes: 1 });
        assert!(breaker.end(false, at(0)) && breaker.tick(at(100)));
        breaker.begin();
        assert!(breaker.end(false, at(101)));
        assert_eq!((breaker.state(), breaker.left(at(101))), (BreakerState::Open, Some(at(100))));
        assert!(!breaker.end(true, at(102)), "what was under way changes nothing");
    }

    #[test]
    fn a_restart_does_not_make_it_stay_longer() {
        let mut breaker = Breaker::new(Limits { failures: 1, open_ms: 100, probes: 1 });
        breaker.restore(BreakerState::Open, Duration::from_secs(3_600), at(5));
        assert_eq!(breaker.left(at(5)), Some(at(100)));
    }
}
