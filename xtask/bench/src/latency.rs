//! Latencies and their percentiles.

use std::time::Duration;

#[derive(Default)]
pub struct Latencies {
    samples: Vec<Duration>,
}

impl Latencies {
    pub fn add(&mut self, sample: Duration) {
        self.samples.push(sample);
    }

    pub fn append(&mut self, mut other: Latencies) {
        self.samples.append(&mut other.samples);
    }

    pub fn len(&self) -> usize {
        self.samples.len()
    }

    pub fn sort(&mut self) {
        self.samples.sort_unstable();
    }

    /// The nearest-rank percentile, in milliseconds, of sorted samples; zero when there are none.
    pub fn percentile_ms(&self, percent: f64) -> f64 {
        let rank = (percent / 100.0 * self.samples.len() as f64).ceil() as usize;
        let sample = self.samples.get(rank.max(1) - 1).or(self.samples.last());
        sample.map_or(0.0, |sample| sample.as_secs_f64() * 1e3)
    }
}

impl FromIterator<Duration> for Latencies {
    fn from_iter<I: IntoIterator<Item = Duration>>(samples: I) -> Latencies {
        let mut latencies = Latencies { samples: samples.into_iter().collect() };
        latencies.sort();
        latencies
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_rank() {
        let latencies: Latencies = (1..=100).rev().map(Duration::from_millis).collect();
        assert_eq!(latencies.percentile_ms(50.0), 50.0);
        assert_eq!(latencies.percentile_ms(99.0), 99.0);
        assert_eq!(latencies.percentile_ms(100.0), 100.0);
        assert_eq!(Latencies::default().percentile_ms(99.0), 0.0);
    }
}
