//! A handler at work: its state, its workers, and how far the log was read for it.

use super::chooser::SharedChooser;
use super::core::{Core, Item, Moment};
use super::definition::Definition;
use super::minutes::Minutes;
use super::pool::Pool;
use crate::delivery::Failure;
use std::collections::BTreeSet;
use std::sync::mpsc::Sender;
use std::time::Duration;
use tacho_event::{Position, Recorded};

/// Most types that are remembered of what a handler returned.
const MAX_TYPES: usize = 64;

pub(crate) struct Slot {
    pub(crate) definition: Definition,
    pub(crate) core: Core,
    pub(crate) chooser: SharedChooser,
    pub(crate) pool: Pool,
    /// What may be meant and was not chosen yet, up to a position.
    pub(crate) inbox: Vec<Recorded>,
    pub(crate) inbox_to: Position,
    pub(crate) looked_at: u64,
    /// Its programs are being run, by somebody else.
    pub(crate) is_choosing: bool,
    /// It reads the log by itself, since it is not where the others are.
    pub(crate) is_behind: bool,
    /// Nothing is read or sent for it until then, since that failed.
    pub(crate) reads_at: Option<Duration>,
    pub(crate) sends_at: Option<Duration>,
    /// It begins nothing new: it is to end.
    pub(crate) is_ending: bool,
    /// Who waits until what is told now is on the log.
    pub(crate) waiters: Vec<Sender<()>>,
    /// Types of what it returned.
    pub(crate) returns: BTreeSet<String>,
    /// Events that it got and returned, by type.
    pub(crate) incoming: Minutes,
    pub(crate) outgoing: Minutes,
    /// What is told of its choosing or its idle workers.
    pub(crate) trouble: Option<String>,
}

impl Slot {
    /// Up to where the log was looked at for it.
    pub(crate) fn read_to(&self) -> Position {
        self.inbox_to.max(self.core.ledger.read_to)
    }

    /// Takes over what was chosen.
    pub(crate) fn chosen(&mut self, items: Vec<Item>, to: Position, looked_at: u64, moment: Moment) {
        self.trouble = None;
        self.core.offer(items, to, looked_at, moment);
    }

    /// The choosing failed, and is tried again.
    pub(crate) fn not_chosen(&mut self, failure: &Failure, moment: Moment) {
        const PAUSE: Duration = Duration::from_millis(500);
        self.trouble = Some(format!("{}: {}", failure.code, failure.message));
        self.reads_at = Some(moment.elapsed + PAUSE);
    }

    pub(crate) fn note_returned<'a>(&mut self, kinds: impl Iterator<Item = &'a str>, now: Duration) {
        for kind in kinds {
            self.outgoing.count(kind, now);
            if self.returns.len() < MAX_TYPES && !self.returns.contains(kind) {
                self.returns.insert(kind.to_owned());
            }
        }
    }

    /// Whether it may be ended: nothing is under way, and all is told.
    pub(crate) fn is_over(&self) -> bool {
        self.core.is_still() && !self.core.has_news() && !self.is_choosing
    }
}
