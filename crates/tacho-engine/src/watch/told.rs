//! What was told before, as far as it is remembered; the log knows the rest.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use tacho_event::Event;

/// Ids that are remembered; then all are forgotten, and the log is asked again.
const MAX_REMEMBERED: usize = 100_000;

#[derive(Debug, Default)]
pub(crate) struct Told(Mutex<HashSet<String>>);

impl Told {
    pub(crate) fn knows(&self, event: &Event) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(event.id())
    }

    pub(crate) fn remember(&self, event: &Event) {
        let mut ids = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if ids.len() >= MAX_REMEMBERED {
            ids.clear();
        }
        ids.insert(event.id().to_owned());
    }
}
