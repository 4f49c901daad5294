//! Who failed of late when it was asked for what it can do.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Failures in a row behind which it is asked nothing for a while.
const FAILURES: u32 = 3;
const REST: Duration = Duration::from_secs(10);

/// By name: failures in a row, and until when it rests.
#[derive(Debug, Default)]
pub(crate) struct Wellness(Mutex<HashMap<String, (u32, Duration)>>);

impl Wellness {
    pub(super) fn note(&self, name: &str, went_well: bool, now: Duration) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if went_well {
            known.remove(name);
            return;
        }
        let (failures, until) = known.entry(name.to_owned()).or_default();
        *failures += 1;
        if *failures >= FAILURES {
            *until = now + REST;
        }
    }

    pub(super) fn is_well(&self, name: &str, now: Duration) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(name).is_none_or(|(_, until)| now >= *until)
    }

    pub(super) fn forget(&self, name: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_failures_are_a_reason_to_rest() {
        let (wellness, at) = (Wellness::default(), Duration::from_secs);
        wellness.note("a", false, at(1));
        wellness.note("a", false, at(2));
        assert!(wellness.is_well("a", at(2)));
        wellness.note("a", false, at(3));
        assert!(
            !wellness.is_well("a", at(12)) && wellness.is_well("a", at(13)) && wellness.is_well("b", at(3))
        );
        wellness.note("a", true, at(13));
        wellness.note("a", false, at(14));
        assert!(wellness.is_well("a", at(14)));
    }
}
