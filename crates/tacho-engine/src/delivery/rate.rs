//! Events a second, as they were in the last seconds.

use std::time::Duration;

/// How long a delivery counts: it weighs a third of its weight after this time.
const MEMORY: f64 = 10.0;

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Rate {
    per_second: f64,
    at: Duration,
}

impl Rate {
    pub(crate) fn count(&mut self, events: u64, now: Duration) {
        self.per_second = self.at(now) + events as f64 / MEMORY;
        self.at = now;
    }

    pub(crate) fn at(&self, now: Duration) -> f64 {
        let rest = self.per_second * (-now.saturating_sub(self.at).as_secs_f64() / MEMORY).exp();
        if rest < 0.001 { 0.0 } else { rest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_rate_is_told_and_silence_ends_it() {
        let mut rate = Rate::default();
        for second in 0..100 {
            rate.count(20, Duration::from_secs(second));
        }
        let told = rate.at(Duration::from_secs(99));
        assert!((18.0..22.0).contains(&told), "{told}");
        assert_eq!(rate.at(Duration::from_secs(1_000)), 0.0);
    }
}
