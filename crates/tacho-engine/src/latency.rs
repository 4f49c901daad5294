//! How long things took, in a few counters.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Upper limits, in microseconds.
const LIMITS_US: [u64; 10] = [250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 1_000_000];

#[derive(Debug, Default)]
pub(crate) struct LatencyCounters {
    counts: [AtomicU64; LIMITS_US.len()],
    count: AtomicU64,
    microseconds: AtomicU64,
}

/// How many took at most how long.
#[derive(Debug, Clone, PartialEq)]
pub struct Latency {
    /// Limits in seconds, each with the number of all that stayed within it.
    pub at_most: Vec<(f64, u64)>,
    pub count: u64,
    /// All together.
    pub seconds: f64,
}

impl LatencyCounters {
    pub(crate) fn add(&self, took: Duration) {
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        if let Some(index) = LIMITS_US.iter().position(|limit| took <= *limit) {
            self.counts[index].fetch_add(1, Relaxed);
        }
        self.count.fetch_add(1, Relaxed);
        self.microseconds.fetch_add(took, Relaxed);
    }

    pub(crate) fn read(&self) -> Latency {
        let mut within = 0;
        let at_most = LIMITS_US.iter().zip(&self.counts).map(|(limit, count)| {
            within += count.load(Relaxed);
            (*limit as f64 / 1e6, within)
        });
        Latency {
            at_most: at_most.collect(),
            count: self.count.load(Relaxed),
            seconds: self.microseconds.load(Relaxed) as f64 / 1e6,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_cumulative() {
        let counters = LatencyCounters::default();
        for microseconds in [100, 250, 251, 2_000_000] {
            counters.add(Duration::from_micros(microseconds));
        }
        let latency = counters.read();
        assert_eq!(latency.at_most[..2], [(0.00025, 2), (0.0005, 3)]);
        assert_eq!((latency.at_most[9], latency.count), ((1.0, 3), 4));
        assert!((latency.seconds - 2.000601).abs() < 1e-9);
    }
}
