//! How the log reaches handlers: read once for all that keep up, and again for each that does not.

use super::dispatcher::{Dispatcher, ToChoose};
use super::slot::Slot;
use super::{LETTER_RETRIED, REPLAYED};
use std::collections::BTreeSet;
use std::time::Duration;
use tacho_event::{Position, Recorded};
use tacho_journal::ReadLimit;

/// What is read at once.
const CHUNK: ReadLimit = ReadLimit { events: 1_024, bytes: 1 << 20 };
/// Candidates that wait for their programs; behind them the handler reads by itself.
const INBOX: usize = 4_096;
/// Events behind which idle handlers are told how far the log was read.
const SWEEP: u64 = 10_000;
/// How long the log is left alone after it could not be read.
const RETRY: Duration = Duration::from_millis(200);

pub(crate) struct Feed {
    /// Everything up to here was shown to those who keep up.
    position: Position,
    /// Events since the last sweep, bookkeeping left out.
    unswept: u64,
    reads_at: Duration,
    /// Handlers that read by themselves.
    behind: BTreeSet<usize>,
}

impl Feed {
    pub(crate) fn new(position: Position) -> Self {
        Self { position, unswept: 0, reads_at: Duration::ZERO, behind: BTreeSet::new() }
    }

    /// A handler reads by itself until it is where the others are.
    pub(crate) fn let_behind(&mut self, handler: usize) {
        self.behind.insert(handler);
    }

    pub(crate) fn forget(&mut self, handler: usize) {
        self.behind.remove(&handler);
    }
}

impl Dispatcher {
    /// Reads more of the log; answers whether there is more still.
    pub(crate) fn read(&mut self) -> bool {
        if self.feed.reads_at > self.moment().elapsed {
            return false;
        }
        let more = self.read_together();
        let behind: Vec<usize> = self.feed.behind.iter().copied().collect();
        let mut more_behind = false;
        for handler in behind {
            more_behind |= self.read_alone(handler);
        }
        more || more_behind
    }

    fn read_together(&mut self) -> bool {
        let head = self.log.head();
        if self.feed.position >= head {
            return false;
        }
        if self.feed.behind.len() >= self.slots.len() {
            self.feed.position = head;
            return false;
        }
        let Some(events) = self.events_behind(self.feed.position) else { return false };
        let Some(last) = events.last().map(|event| event.position) else { return false };
        let mut found = Vec::new();
        for event in &events {
            self.feed.unswept += u64::from(!event.is_bookkeeping());
            self.matcher.find(event.kind(), &mut found);
            if matches!(event.kind(), LETTER_RETRIED | REPLAYED) {
                found = self.slots.keys().copied().collect();
            }
            for handler in &found {
                if let Some(slot) = self.slots.get_mut(handler).filter(|slot| !slot.is_behind) {
                    show(slot, event);
                    if slot.is_behind {
                        self.feed.let_behind(*handler);
                    }
                    self.touch(*handler);
                }
            }
        }
        self.feed.position = last;
        if self.feed.unswept >= SWEEP {
            self.sweep();
        }
        true
    }

    /// Tells handlers that keep up how far the log was read.
    pub(crate) fn sweep(&mut self) {
        let (position, looked_at) = (self.feed.position, std::mem::take(&mut self.feed.unswept));
        let mut touched = Vec::new();
        for (handler, slot) in self.slots.iter_mut().filter(|(_, slot)| !slot.is_behind) {
            slot.looked_at += looked_at;
            slot.inbox_to = slot.inbox_to.max(position);
            touched.push(*handler);
        }
        touched.into_iter().for_each(|handler| self.touch(handler));
    }

    fn read_alone(&mut self, handler: usize) -> bool {
        let (moment, position) = (self.moment(), self.feed.position);
        let Some(slot) = self.slots.get_mut(&handler) else { return false };
        let waits = slot.reads_at.is_some_and(|at| at > moment.elapsed) || slot.is_ending;
        if waits || slot.inbox.len() >= INBOX || slot.is_choosing || !slot.core.has_room() {
            return false;
        }
        slot.reads_at = None;
        let from = slot.read_to();
        if from >= position {
            slot.is_behind = false;
            self.feed.forget(handler);
            return false;
        }
        let Some(events) = self.events_behind(from) else { return false };
        let Some(slot) = self.slots.get_mut(&handler) else { return false };
        let Some(last) = events.last().map(|event| event.position) else { return false };
        slot.looked_at += events.iter().filter(|event| !event.is_bookkeeping()).count() as u64;
        slot.inbox.extend(events.into_iter().filter(|event| slot.chooser.may_want(event)));
        slot.inbox_to = last;
        self.touch(handler);
        true
    }

    fn events_behind(&mut self, position: Position) -> Option<Vec<Recorded>> {
        match self.log.read(position.next(), CHUNK) {
            Ok(events) => Some(events),
            Err(_) => {
                // Readiness and whoever reads tell of it.
                self.feed.reads_at = self.moment().elapsed + RETRY;
                None
            }
        }
    }

    /// Has what came for a handler chosen, and tells it how far the log was read.
    pub(crate) fn choose(&mut self, handler: usize) {
        let moment = self.moment();
        let feed = self.feed.position;
        let Some(slot) = self.slots.get_mut(&handler) else { return };
        if slot.is_choosing || slot.reads_at.is_some_and(|at| at > moment.elapsed) {
            return;
        }
        if !slot.is_behind {
            slot.inbox_to = slot.inbox_to.max(feed);
        }
        let (to, looked_at) = (slot.read_to(), std::mem::take(&mut slot.looked_at));
        let events = std::mem::take(&mut slot.inbox);
        if events.is_empty() || !slot.chooser.has_programs {
            match slot.chooser.choose(events.clone()) {
                Ok(items) => slot.chosen(items, to, looked_at, moment),
                Err(failure) => {
                    slot.inbox = events;
                    slot.not_chosen(&failure, moment);
                }
            }
            return;
        }
        slot.is_choosing = true;
        let task = ToChoose { handler, chooser: slot.chooser.clone(), events, to, looked_at };
        // They are gone only when the engine stops.
        let _ = self.choosers.send(task);
    }
}

/// An event for a handler that keeps up, or the end of that.
fn show(slot: &mut Slot, event: &Recorded) {
    if event.position <= slot.read_to() || !slot.chooser.may_want(event) {
        return;
    }
    if slot.inbox.len() >= INBOX || !slot.core.has_room() || slot.is_ending {
        slot.is_behind = true;
        return;
    }
    slot.inbox.push(event.clone());
    slot.inbox_to = slot.inbox_to.max(event.position);
}
