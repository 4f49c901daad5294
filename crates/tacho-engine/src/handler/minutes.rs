//! How many events of each type went in and out, minute by minute, over the last hour.

use std::collections::BTreeMap;
use std::time::Duration;

const MINUTES: usize = 60;
/// Most types that are counted; the rest is `other`.
const MAX_TYPES: usize = 64;

#[derive(Debug, Default)]
pub(crate) struct Minutes(BTreeMap<Box<str>, Ring>);

#[derive(Debug)]
struct Ring {
    counts: [u32; MINUTES],
    /// The minute that was counted last.
    last: u64,
}

impl Minutes {
    pub(crate) fn count(&mut self, kind: &str, now: Duration) {
        let kind = if self.0.len() < MAX_TYPES || self.0.contains_key(kind) { kind } else { "other" };
        let minute = now.as_secs() / 60;
        let ring = match self.0.get_mut(kind) {
            Some(ring) => ring,
            None => self.0.entry(kind.into()).or_insert(Ring { counts: [0; MINUTES], last: minute }),
        };
        ring.turn(minute);
        ring.counts[minute as usize % MINUTES] += 1;
    }

    /// Events of each type within so many minutes.
    pub(crate) fn of_last(&self, minutes: usize, now: Duration) -> Vec<(String, u64)> {
        let minute = now.as_secs() / 60;
        let minutes = minutes.clamp(1, MINUTES) as u64;
        let sum = |ring: &Ring| {
            let first =
                (minute + 1).saturating_sub(minutes).max((ring.last + 1).saturating_sub(MINUTES as u64));
            (first..=ring.last).map(|minute| u64::from(ring.counts[minute as usize % MINUTES])).sum::<u64>()
        };
        let sums = self.0.iter().map(|(kind, ring)| (kind.to_string(), sum(ring)));
        sums.filter(|(_, sum)| *sum > 0).collect()
    }
}

impl Ring {
    /// Empties the minutes in which nothing was counted.
    fn turn(&mut self, minute: u64) {
        let gone = minute.saturating_sub(self.last).min(MINUTES as u64);
        for step in 0..gone {
            self.counts[(minute - step) as usize % MINUTES] = 0;
        }
        self.last = self.last.max(minute);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_counts_its_minutes() {
        let mut minutes = Minutes::default();
        let at = |minute: u64| Duration::from_secs(minute * 60 + 5);
        for minute in [0, 0, 1, 59, 61] {
            minutes.count("a", at(minute));
        }
        let count = |window, now| minutes.of_last(window, at(now)).first().map_or(0, |(_, count)| *count);
        assert_eq!((count(60, 61), count(3, 61), count(1, 61), count(60, 120)), (2, 2, 1, 1));
        assert_eq!(count(60, 200), 0);
    }
}
