//! What a handler has to tell, until it is on the log.

use super::core::{Core, Moment};
use super::deed::Deed;
use super::ledger::Counts;
use super::progress::Progress;
use super::{BreakerState, record};
use std::time::Duration;
use tacho_event::{Event, Position, Timestamp};

/// Most events and bytes that wait for the log; behind them no delivery begins.
const MAX_EVENTS: usize = 1_000;
const MAX_BYTES: usize = 4 << 20;
/// Most deliveries that are told one by one in an event; the others are counted.
const MAX_DEEDS: usize = 64;
/// How long what nobody waits for is held back, so that it goes together.
const HELD_BACK: Duration = Duration::from_millis(100);
/// Events looked at behind which the cursor goes to the log though nothing was meant.
const LOOKED_AT: u64 = 50_000;

#[derive(Debug)]
pub(crate) struct Outbox {
    events: Vec<Event>,
    bytes: usize,
    /// Somebody waits for the events.
    is_urgent: bool,
    deeds: Vec<Deed>,
    others: u64,
    /// Events settled, and looked at, since the last save.
    pub(super) settled: u64,
    pub(super) looked_at: u64,
    saves: u64,
    saved_at: Duration,
    /// What is on its way to the log; sent again as it is where that fails.
    sent: Option<Vec<Event>>,
    /// Whether what is on its way says what was seen.
    sent_seen: bool,
    /// Where the last save with marks of what was seen stands.
    seen_before: Option<Position>,
    /// What is settled on the log, and what will be when what is on its way has arrived.
    on_the_log: Counts,
    sent_counts: Counts,
}

impl Outbox {
    pub(super) fn new(progress: &Progress, now: Duration) -> Self {
        Self {
            events: Vec::new(),
            bytes: 0,
            is_urgent: false,
            deeds: Vec::new(),
            others: 0,
            settled: 0,
            looked_at: 0,
            saves: progress.save,
            saved_at: now,
            sent: None,
            sent_seen: false,
            seen_before: progress.seen_before,
            on_the_log: Counts {
                position: progress.position,
                done: progress.done,
                dead: progress.dead,
                skipped: progress.skipped,
            },
            sent_counts: Counts::default(),
        }
    }

    /// Events that go to the log at once.
    pub(super) fn events(&mut self, events: impl IntoIterator<Item = Event>) {
        let before = self.events.len();
        self.events_later(events);
        self.is_urgent |= self.events.len() > before;
    }

    /// Events that may wait a moment for others.
    pub(super) fn events_later(&mut self, events: impl IntoIterator<Item = Event>) {
        for event in events {
            self.bytes += event.bytes().len();
            self.events.push(event);
        }
    }

    pub(super) fn deed(&mut self, deed: &Deed) {
        if self.deeds.len() < MAX_DEEDS {
            self.deeds.push(deed.clone());
        } else {
            self.others += 1;
        }
    }

    pub(super) fn breaker(
        &mut self,
        handler: &str,
        state: BreakerState,
        until: Option<Timestamp>,
        reason: Option<&str>,
        now: Timestamp,
    ) {
        let id = self.next_id();
        self.events(record::breaker(handler, &id, state, until, reason, now).ok());
    }

    /// What names the next event: it is the same nowhere else.
    pub(super) fn next_id(&self) -> String {
        format!("{}:{}", self.saves + 1, self.events.len())
    }

    pub(super) fn is_full(&self) -> bool {
        self.events.len() >= MAX_EVENTS || self.bytes >= MAX_BYTES
    }

    /// What is settled on the log.
    pub(super) fn on_the_log(&self) -> Counts {
        self.on_the_log
    }

    pub(super) fn is_sent(&self) -> bool {
        self.sent.is_some()
    }

    /// Where a save stands whose marks come before those of this process.
    pub(super) fn set_seen_before(&mut self, position: Option<Position>) {
        self.seen_before = position;
    }

    /// Whether there is anything that the log does not know.
    fn has_news(&self) -> bool {
        !self.events.is_empty() || self.settled > 0
    }
}

impl Core {
    /// When what is to be told goes to the log; `None` while there is nothing, or while it is on its way.
    pub(super) fn save_left(&self, moment: Moment) -> Option<Duration> {
        let outbox = &self.outbox;
        if outbox.sent.is_some() {
            return None;
        }
        let waits = !self.flights.is_empty();
        let left = (outbox.saved_at + HELD_BACK).saturating_sub(moment.elapsed);
        match () {
            () if outbox.is_urgent || outbox.looked_at >= LOOKED_AT || outbox.is_full() => {
                Some(Duration::ZERO)
            }
            () if outbox.settled == 0 && outbox.events.is_empty() => None,
            () if waits => Some(left),
            () => Some(Duration::ZERO),
        }
    }

    /// What goes to the log now: events, and the progress that they belong to, together or not at all. Nothing
    /// while something is on its way.
    pub(crate) fn flush(&mut self, moment: Moment) -> Option<Vec<Event>> {
        if self.save_left(moment) != Some(Duration::ZERO) {
            return None;
        }
        self.save(moment)
    }

    /// As [`Self::flush`], whatever there is to tell.
    pub(crate) fn save(&mut self, moment: Moment) -> Option<Vec<Event>> {
        if self.outbox.sent.is_some() {
            return None;
        }
        let mut progress = Progress { save: self.outbox.saves + 1, ..Progress::default() };
        self.ledger.write(&mut progress);
        self.outbox.sent_counts = self.ledger.counts();
        progress.breaker =
            self.breaker.as_ref().filter(|breaker| breaker.state() != BreakerState::Closed).map(|breaker| {
                (breaker.state(), breaker.left(moment.elapsed).map(|left| moment.after(left)))
            });
        progress.paused.clone_from(&self.paused);
        progress.seen = self.seen.as_mut().map(super::seen::Seen::take_new).unwrap_or_default();
        progress.seen_before = self.outbox.seen_before;
        let outbox = &mut self.outbox;
        let mut events = std::mem::take(&mut outbox.events);
        if !outbox.deeds.is_empty() {
            let deeds = std::mem::take(&mut outbox.deeds);
            events
                .extend(record::delivered(&self.name, progress.save, &deeds, outbox.others, moment.now).ok());
        }
        events.extend(progress.to_event(&self.name, moment.now).ok());
        (outbox.bytes, outbox.others, outbox.settled, outbox.looked_at) = (0, 0, 0, 0);
        outbox.is_urgent = false;
        outbox.saves = progress.save;
        outbox.sent_seen = !progress.seen.is_empty();
        outbox.sent = Some(events.clone());
        Some(events)
    }

    /// What was sent is on the log; the last event of it stands at the position.
    pub(crate) fn saved(&mut self, last: Position, moment: Moment) {
        self.outbox.sent = None;
        self.outbox.on_the_log = self.outbox.sent_counts;
        self.outbox.saved_at = moment.elapsed;
        if std::mem::take(&mut self.outbox.sent_seen) {
            self.outbox.seen_before = Some(last);
        }
    }

    /// What was sent did not reach the log: the same again.
    pub(crate) fn unsaved(&self) -> Option<Vec<Event>> {
        self.outbox.sent.clone()
    }

    /// Whether something is to be told that is not on the log.
    pub(crate) fn has_news(&self) -> bool {
        self.outbox.sent.is_some() || self.outbox.has_news()
    }
}
