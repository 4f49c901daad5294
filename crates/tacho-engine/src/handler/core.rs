//! One handler: what waits, what is under way, what is settled. A state that is stepped, by a thread or by a
//! simulation; it reads no clock and starts no task.

use super::breaker::{Breaker, BreakerState};
use super::bucket::Bucket;
use super::deed::{Deed, Deeds};
use super::lanes::{LaneName, Lanes, Waiting};
use super::ledger::{Ledger, Settled};
use super::outbox::Outbox;
use super::policy::{Order, Policy, Priority};
use super::progress::{Paused, Progress, RetryMark};
use super::seen::{Mark, Seen};
use crate::delivery::Failure;
use crate::delivery::Rate;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tacho_event::{Position, Recorded, Timestamp, derived_id};

/// An event that a handler is meant to get.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    /// Where the log says that it is to be delivered: its own position, or that of the retry of its letter.
    pub(crate) position: Position,
    /// What is delivered.
    pub(crate) event: Recorded,
    /// The letter that is tried again.
    pub(crate) retry_of: Option<String>,
    /// Why it cannot be decided whether it is meant.
    pub(crate) refusal: Option<Failure>,
    /// What must not overtake each other, where the order or a limit goes by a key.
    pub(crate) lane: Option<Arc<str>>,
    /// What goes out together.
    pub(crate) group: Option<Arc<str>>,
    /// What it is known by, where the handler dedupes.
    pub(crate) seen: Option<u64>,
}

impl Item {
    pub(crate) fn new(event: Recorded) -> Self {
        let position = event.position;
        Self { position, event, retry_of: None, refusal: None, lane: None, group: None, seen: None }
    }
}

/// Events to deliver now.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) ticket: u64,
    pub(crate) events: Vec<Recorded>,
    pub(crate) attempt: u32,
    pub(crate) key: String,
    pub(crate) timeout: Duration,
}

/// The moment of a step: by the clock that never jumps, and by the time of day.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    pub(crate) elapsed: Duration,
    pub(crate) now: Timestamp,
}

impl Moment {
    /// The time of day after a pause.
    pub(super) fn after(self, pause: Duration) -> Timestamp {
        let ns = i64::try_from(pause.as_nanos()).unwrap_or(i64::MAX);
        Timestamp(self.now.0.saturating_add(ns))
    }

    /// How long it is until a time of day.
    pub(super) fn until(self, time: Timestamp) -> Duration {
        Duration::from_nanos(u64::try_from(time.0.saturating_sub(self.now.0)).unwrap_or(0))
    }
}

pub(crate) struct Core {
    pub(super) name: String,
    pub(super) policy: Policy,
    pub(super) ledger: Ledger,
    pub(super) items: HashMap<Position, Held>,
    /// Of the events that are held.
    pub(super) bytes: usize,
    pub(super) lanes: Lanes,
    pub(super) flights: HashMap<u64, Flight>,
    next_ticket: u64,
    /// What is due later, by when.
    pub(super) resting: BTreeSet<(Duration, Position)>,
    pub(super) breaker: Option<Breaker>,
    pub(super) bucket: Option<Bucket>,
    pub(super) seen: Option<Seen>,
    pub(super) paused: Option<Paused>,
    pub(super) outbox: Outbox,
    pub(super) deeds: Deeds,
    pub(super) rate: Rate,
    pub(super) retried: u64,
    /// Failures in a row, and the last one in words.
    pub(super) failures: u32,
    pub(super) last_error: Option<String>,
    /// A window is open until then, when that is what deliveries wait for.
    pub(super) window_left: Option<Duration>,
}

/// An event that waits or is under way.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) item: Item,
    pub(super) lane: LaneName,
    pub(super) since: Duration,
    pub(super) resumes_at: Option<Duration>,
}

#[derive(Debug)]
pub(super) struct Flight {
    pub(super) positions: Vec<Position>,
    pub(super) key: String,
    pub(super) attempt: u32,
    pub(super) began: Moment,
}

impl Core {
    /// As the log says; `seen` are the marks of earlier saves, the oldest first.
    pub(crate) fn new(name: &str, policy: Policy, progress: Progress, seen: &[Mark], moment: Moment) -> Self {
        let limit = match (&policy.order, &policy.per_key) {
            (Order::None, Some(per_key)) => per_key.limit,
            (Order::None, None) => usize::MAX,
            _ => 1,
        };
        let mut breaker = policy.breaker.map(Breaker::new);
        if let (Some(breaker), Some((state, until))) = (&mut breaker, progress.breaker) {
            breaker.restore(state, until.map_or(Duration::ZERO, |until| moment.until(until)), moment.elapsed);
        }
        let mut known = policy.dedupe.as_ref().map(|dedupe| Seen::new(dedupe.window_ms));
        if let Some(known) = &mut known {
            seen.iter().chain(&progress.seen).for_each(|mark| known.remember(*mark));
        }
        Self {
            ledger: Ledger::new(&progress),
            lanes: Lanes::new(limit),
            bucket: policy.rate.map(Bucket::new),
            breaker,
            seen: known,
            paused: progress.paused.clone(),
            outbox: Outbox::new(&progress, moment.elapsed),
            name: name.to_owned(),
            policy,
            items: HashMap::new(),
            bytes: 0,
            flights: HashMap::new(),
            next_ticket: 1,
            resting: BTreeSet::new(),
            deeds: Deeds::default(),
            rate: Rate::default(),
            retried: 0,
            failures: 0,
            last_error: None,
            window_left: None,
        }
    }

    /// Whether more of the log is to be read.
    pub(crate) fn has_room(&self) -> bool {
        self.items.len() < self.policy.waiting_events.max(1) && self.bytes < self.policy.waiting_bytes.max(1)
    }

    /// What is meant and was open when the handler stopped, of one run.
    pub(crate) fn reopen(&mut self, items: Vec<Item>, marks: &[RetryMark], moment: Moment) {
        self.ledger.gap();
        for item in items {
            let mark = marks.iter().find(|mark| mark.position == item.position);
            self.ledger.open(item.position, mark);
            let next = mark.and_then(|mark| mark.next);
            // A clock that was set back does not make anybody wait longer than a pause can be.
            let longest = Duration::from_millis(self.policy.retry.longest_ms.saturating_mul(2));
            let pause = next.map(|next| moment.until(next).min(longest)).filter(|pause| !pause.is_zero());
            self.hold(item, pause.map(|pause| moment.elapsed + pause), moment.elapsed);
        }
        self.ledger.gap();
    }

    /// What is meant of the log up to `read_to`, in its order; `looked_at` is how much of it is no bookkeeping.
    pub(crate) fn offer(&mut self, items: Vec<Item>, read_to: Position, looked_at: u64, moment: Moment) {
        for item in items {
            let mark = item.seen.map(|hash| Mark { hash, at: item.event.recorded });
            let is_known = match (&mut self.seen, mark) {
                (Some(seen), Some(mark)) if item.position == item.event.position => seen.is_known(mark),
                _ => false,
            };
            if is_known {
                self.ledger.settle_unopened(item.position, Settled::Skipped);
                self.outbox.settled += 1;
                continue;
            }
            self.ledger.open(item.position, None);
            self.hold(item, None, moment.elapsed);
        }
        self.ledger.read_to = self.ledger.read_to.max(read_to);
        self.outbox.looked_at += looked_at;
    }

    fn hold(&mut self, item: Item, resumes_at: Option<Duration>, since: Duration) {
        let (position, priority) = (item.position, self.priority(&item));
        let lane = self.lane(&item, priority);
        self.bytes += item.event.bytes().len();
        self.items.insert(position, Held { item, lane: lane.clone(), since, resumes_at });
        match resumes_at {
            Some(at) => self.rest_until(position, at, true),
            None => self.lanes.push(&lane, Waiting { position, priority }),
        }
    }

    /// Has an event wait until a moment; where order counts, its lane waits with it.
    pub(super) fn rest_until(&mut self, position: Position, at: Duration, is_behind: bool) {
        let is_ordered = self.is_ordered();
        let Some(held) = self.items.get_mut(&position) else { return };
        held.resumes_at = Some(at);
        self.resting.insert((at, position));
        if is_ordered {
            let (lane, waiting) = (held.lane.clone(), self.waiting(position));
            match is_behind {
                true => self.lanes.push(&lane, waiting),
                false => self.lanes.push_front(&lane, waiting),
            }
            self.release(&lane);
        }
    }

    pub(super) fn waiting(&self, position: Position) -> Waiting {
        let priority =
            self.items.get(&position).map_or(self.policy.priority, |held| self.priority(&held.item));
        Waiting { position, priority }
    }

    pub(super) fn is_ordered(&self) -> bool {
        !matches!(self.policy.order, Order::None)
    }

    fn priority(&self, item: &Item) -> Priority {
        let named = item.event.text("priority").and_then(|name| Priority::find(&name));
        named.unwrap_or(self.policy.priority)
    }

    fn lane(&self, item: &Item, priority: Priority) -> LaneName {
        match (&self.policy.order, &item.lane) {
            (Order::Stream, _) => item.event.stream().into(),
            (_, Some(lane)) => lane.clone(),
            (_, None) => priority.as_str().into(),
        }
    }

    /// Lets time go by.
    pub(crate) fn tick(&mut self, moment: Moment) {
        let now = moment.elapsed;
        while let Some((at, position)) = self.resting.first().copied()
            && at <= now
        {
            self.resting.remove(&(at, position));
            self.wake(position);
        }
        if self.breaker.as_mut().is_some_and(|breaker| breaker.tick(now)) {
            self.tell_breaker(None, moment);
        }
    }

    /// Ends the rest of an event.
    pub(super) fn wake(&mut self, position: Position) {
        let Some(held) = self.items.get_mut(&position) else { return };
        held.resumes_at = None;
        let lane = held.lane.clone();
        if let Some(open) = self.ledger.get_mut(position) {
            open.next = None;
        }
        if self.is_ordered() {
            self.release(&lane);
        } else {
            let waiting = self.waiting(position);
            self.lanes.push_front(&lane, waiting);
        }
    }

    /// A lane is held exactly while its first event rests.
    pub(super) fn release(&mut self, lane: &LaneName) {
        let first = self.lanes.first(lane).and_then(|first| self.items.get(&first.position));
        let rests = first.is_some_and(|held| held.resumes_at.is_some());
        self.lanes.hold(lane, rests);
    }

    /// Begins the next delivery, if one may begin now.
    pub(crate) fn take(&mut self, moment: Moment) -> Option<Work> {
        self.window_left = None;
        let may_begin = self.paused.is_none()
            && self.flights.len() < self.policy.concurrency.max(1)
            && self.breaker.as_ref().is_none_or(Breaker::permits);
        let tokens = self.bucket.as_ref().map_or(usize::MAX, |bucket| bucket.tokens(moment.elapsed));
        if !may_begin || tokens == 0 || self.outbox.is_full() {
            return None;
        }
        loop {
            let positions = self.choose(tokens, moment.elapsed)?;
            match self.refusal(&positions) {
                Some((position, failure)) => self.bury(position, &failure, 1, None, moment),
                None => return Some(self.begin(positions, moment)),
            }
        }
    }

    /// Why an event cannot be delivered at all.
    fn refusal(&self, positions: &[Position]) -> Option<(Position, Failure)> {
        let refusal = |position: &Position| {
            let failure = self.items.get(position)?.item.refusal.clone()?;
            Some((*position, failure))
        };
        positions.iter().find_map(refusal)
    }

    fn begin(&mut self, positions: Vec<Position>, moment: Moment) -> Work {
        if let Some(bucket) = &mut self.bucket {
            bucket.take(positions.len(), moment.elapsed);
        }
        if let Some(breaker) = &mut self.breaker {
            breaker.begin();
        }
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        let attempts =
            positions.first().and_then(|first| self.ledger.get(*first)).map_or(0, |open| open.attempts);
        let held = positions.iter().filter_map(|position| self.items.get(position));
        let events: Vec<Recorded> = held.clone().map(|held| held.item.event.clone()).collect();
        let items: Vec<&Item> = held.map(|held| &held.item).collect();
        let key = key(&self.name, &items);
        positions.iter().for_each(|position| self.ledger.touch(*position));
        let flight = Flight { positions, key: key.clone(), attempt: attempts + 1, began: moment };
        self.flights.insert(ticket, flight);
        let timeout = Duration::from_millis(self.policy.timeout_ms.max(1));
        Work { ticket, events, attempt: attempts + 1, key, timeout }
    }

    /// When there may be something to do that nobody tells of.
    pub(crate) fn wakes_in(&self, moment: Moment) -> Option<Duration> {
        let now = moment.elapsed;
        let rest = self.resting.first().map(|(at, _)| at.saturating_sub(now));
        let breaker = self.breaker.as_ref().and_then(|breaker| breaker.left(now));
        let waits = self.items.len() > self.resting.len() + self.flights.len();
        let bucket = self.bucket.as_ref().filter(|_| waits).map(|bucket| bucket.left(now));
        let bucket = bucket.filter(|left| !left.is_zero());
        let save = self.save_left(moment);
        [rest, breaker, bucket, self.window_left, save].into_iter().flatten().min()
    }

    /// Whether nothing is under way and nothing is to be told.
    pub(crate) fn is_still(&self) -> bool {
        self.flights.is_empty() && !self.outbox.is_sent()
    }

    pub(super) fn tell_breaker(&mut self, reason: Option<&str>, moment: Moment) {
        let Some(breaker) = &self.breaker else { return };
        let (state, left) = (breaker.state(), breaker.left(moment.elapsed));
        let until = left.map(|left| moment.after(left));
        self.outbox.breaker(&self.name, state, until, reason, moment.now);
    }

    pub(crate) fn breaker_state(&self) -> BreakerState {
        self.breaker.as_ref().map_or(BreakerState::Closed, Breaker::state)
    }

    /// The last deliveries, the newest first.
    pub(crate) fn recent(&self) -> impl Iterator<Item = &Deed> {
        self.deeds.recent()
    }
}

/// The same for every attempt of the same events.
fn key(handler: &str, items: &[&Item]) -> String {
    let mut parts = vec![handler.to_owned()];
    for item in items {
        parts.push(item.event.source().to_owned());
        parts.push(item.event.id().to_owned());
        if item.position != item.event.position {
            // Another delivery of the same event: what was answered to the first one does not stand for it.
            parts.push(item.position.to_string());
        }
    }
    derived_id("delivery", &parts.iter().map(String::as_str).collect::<Vec<_>>())
}
