//! What of the log is settled for a handler, and what is open.

use super::progress::{OpenRun, Progress, RetryMark};
use std::collections::BTreeMap;
use tacho_event::{Position, Timestamp};

/// Everything that is meant up to `read_to` is in one of four: done, dead, skipped, or open.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// Everything up to here was looked at.
    pub(crate) read_to: Position,
    pub(crate) done: u64,
    pub(crate) dead: u64,
    pub(crate) skipped: u64,
    open: BTreeMap<Position, Open>,
    /// Numbers what is meant, in the order of the log, so that neighbours are known.
    next_number: u64,
    /// Everything behind it waits for its first attempt: it is one run, however long it is.
    touched: Position,
}

/// What is settled, as it is told: never more than the log holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Everything up to here is settled.
    pub(crate) position: Position,
    pub(crate) done: u64,
    pub(crate) dead: u64,
    pub(crate) skipped: u64,
}

/// An event that is meant and not settled.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Open {
    number: u64,
    /// Attempts that failed.
    pub(crate) attempts: u32,
    /// It goes alone, since it was refused together with others.
    pub(crate) alone: bool,
    /// When its next attempt is due.
    pub(crate) next: Option<Timestamp>,
    /// Why the last attempt failed: code and message.
    pub(crate) error: Option<(String, String)>,
}

/// How an event is settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settled {
    Done,
    Dead,
    Skipped,
}

impl Ledger {
    pub(crate) fn new(progress: &Progress) -> Self {
        Self {
            read_to: progress.read_to,
            done: progress.done,
            dead: progress.dead,
            skipped: progress.skipped,
            open: BTreeMap::new(),
            next_number: 1,
            touched: progress.read_to,
        }
    }

    /// An event is meant.
    pub(crate) fn open(&mut self, position: Position, mark: Option<&RetryMark>) {
        let mut open = Open { number: self.next_number, ..Open::default() };
        if let Some(mark) = mark {
            open.attempts = mark.attempts;
            open.alone = mark.alone;
            open.next = mark.next;
            open.error.clone_from(&mark.error);
        }
        self.next_number += 1;
        self.open.insert(position, open);
    }

    /// What is opened next is no neighbour of what was opened before.
    pub(crate) fn gap(&mut self) {
        self.next_number += 1;
    }

    /// Something was done with the event.
    pub(crate) fn touch(&mut self, position: Position) {
        self.touched = self.touched.max(position);
    }

    pub(crate) fn settle(&mut self, position: Position, how: Settled) {
        self.touch(position);
        if self.open.remove(&position).is_some() {
            self.count(how);
        }
    }

    /// An event is meant and settled at once.
    pub(crate) fn settle_unopened(&mut self, position: Position, how: Settled) {
        self.touch(position);
        self.next_number += 1;
        self.count(how);
    }

    pub(crate) fn get(&self, position: Position) -> Option<&Open> {
        self.open.get(&position)
    }

    pub(crate) fn get_mut(&mut self, position: Position) -> Option<&mut Open> {
        self.open.get_mut(&position)
    }

    pub(crate) fn pending(&self) -> u64 {
        self.open.len() as u64
    }

    pub(crate) fn settled(&self) -> u64 {
        self.done + self.dead + self.skipped
    }

    pub(crate) fn open_from(&self, position: Position) -> impl Iterator<Item = (Position, &Open)> {
        self.open.range(position..).map(|(position, open)| (*position, open))
    }

    /// Everything up to here is settled.
    pub(crate) fn position(&self) -> Position {
        let first = self.open.first_key_value().map(|(first, _)| *first);
        first.map_or(self.read_to, |first| Position(first.0.saturating_sub(1)))
    }

    pub(crate) fn counts(&self) -> Counts {
        let Self { done, dead, skipped, .. } = *self;
        Counts { position: self.position(), done, dead, skipped }
    }

    /// As it goes to the log.
    pub(crate) fn write(&self, progress: &mut Progress) {
        progress.position = self.position();
        progress.read_to = self.read_to;
        (progress.done, progress.dead, progress.skipped) = (self.done, self.dead, self.skipped);
        let mut last = 0;
        for (position, open) in self.open.range(..=self.touched) {
            match progress.open.last_mut() {
                Some(run) if last + 1 == open.number => run.last = *position,
                _ => progress.open.push(OpenRun { first: *position, last: *position }),
            }
            last = open.number;
            if open.attempts > 0 || open.alone {
                progress.retries.push(RetryMark {
                    position: *position,
                    attempts: open.attempts,
                    alone: open.alone,
                    next: open.next,
                    error: open.error.clone(),
                });
            }
        }
        let mut untouched = self.open.range(self.touched.next()..).map(|(position, _)| *position);
        if let Some(first) = untouched.next() {
            let last = untouched.next_back().unwrap_or(first);
            progress.open.push(OpenRun { first, last });
        }
    }

    fn count(&mut self, how: Settled) {
        match how {
            Settled::Done => self.done += 1,
            Settled::Dead => self.dead += 1,
            Settled::Skipped => self.skipped += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_open_is_written_in_runs_of_neighbours() {
        let mut ledger = Ledger { next_number: 1, ..Ledger::default() };
        ledger.touch(Position(5));
        for position in [3, 5, 9, 12, 13] {
            ledger.open(Position(position), None);
        }
        ledger.settle_unopened(Position(15), Settled::Skipped);
        ledger.open(Position(20), None);
        ledger.read_to = Position(25);
        ledger.settle(Position(9), Settled::Done);
        ledger.settle(Position(9), Settled::Done);
        let mut progress = Progress::default();
        ledger.write(&mut progress);
        let runs: Vec<_> = progress.open.iter().map(|run| (run.first.0, run.last.0)).collect();
        assert_eq!(runs, [(3, 5), (12, 13), (20, 20)]);
        assert_eq!((progress.position, progress.read_to), (Position(2), Position(25)));
        assert_eq!((ledger.done, ledger.skipped, ledger.pending(), ledger.settled()), (1, 1, 5, 2));
    }
}
