//! What people have a handler do: pause, go on, try again now.

use super::core::{Core, Moment};
use super::progress::Paused;
use super::record;
use tacho_event::Position;

/// Who asks for something, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asker {
    /// `user:ann`.
    pub by: String,
    pub reason: String,
}

impl Asker {
    fn at(self, moment: Moment) -> Paused {
        Paused { by: self.by, reason: self.reason, at: moment.now }
    }
}

impl Core {
    /// Begins no delivery until [`Self::resume`]; what is under way ends. Answers whether that changes anything.
    pub(crate) fn pause(&mut self, asker: Asker, moment: Moment) -> bool {
        if self.paused.is_some() {
            return false;
        }
        let paused = asker.at(moment);
        let id = self.outbox.next_id();
        self.outbox.events(record::control(&self.name, record::PAUSED, &id, &paused).ok());
        self.paused = Some(paused);
        true
    }

    pub(crate) fn resume(&mut self, asker: Asker, moment: Moment) -> bool {
        if self.paused.take().is_none() {
            return false;
        }
        let id = self.outbox.next_id();
        self.outbox.events(record::control(&self.name, record::RESUMED, &id, &asker.at(moment)).ok());
        true
    }

    /// Has what waits for its next attempt tried now: one event, or all of them. Answers how many.
    pub(crate) fn retry_now(&mut self, position: Option<Position>, asker: Asker, moment: Moment) -> usize {
        let due: Vec<_> = self
            .resting
            .iter()
            .filter(|(_, resting)| position.is_none_or(|position| position == *resting))
            .copied()
            .collect();
        for (at, position) in &due {
            self.resting.remove(&(*at, *position));
            self.wake(*position);
        }
        if !due.is_empty() {
            let id = self.outbox.next_id();
            self.outbox.events(record::control(&self.name, record::RETRIED, &id, &asker.at(moment)).ok());
        }
        due.len()
    }
}
