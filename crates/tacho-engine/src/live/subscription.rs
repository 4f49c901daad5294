//! One subscriber's stream: history from the log, then live, without loss or repeat at the seam.

use super::hub::{Shared, Slot, Taken};
use super::phase::Phases;
use super::sieve::Sieve;
use super::{From, Hub, LiveEvent};
use crate::condition::Conditions;
use crate::error::SubscribeError;
use std::collections::VecDeque;
use std::sync::Arc;
use tacho_event::{Filter, Position, Recorded};
use tacho_journal::ReadLimit;
use tokio::sync::Semaphore;

/// What is read of the history at once.
const CHUNK: ReadLimit = ReadLimit { events: 1000, bytes: 1 << 20 };
/// How near to the head history must be for the buffer to be opened, in events. Opened earlier, it would
/// overflow while the rest is read.
const SEAM_EVENTS: u64 = 1000;

/// What a subscriber is told.
#[derive(Debug, Clone)]
pub enum Item {
    Event(Arc<LiveEvent>),
    /// History ended here; what follows happens now.
    CaughtUp(Position),
    /// The subscriber was too slow. Events from `from` to `to`, both included, were left out; they can be read.
    Gap {
        from: Position,
        to: Position,
    },
    /// The resume position is not of this log. The subscription goes on behind `head`.
    Reset {
        head: Position,
    },
}

/// A stream of events. Dropping it ends it.
pub struct Subscription {
    shared: Arc<Shared>,
    reads: Arc<Semaphore>,
    filter: Arc<Filter>,
    phases: Option<Phases>,
    /// Whether [`Hub`] checks only a part of the filter, the condition in jq aside.
    recheck: bool,
    slot: Option<Arc<Slot>>,
    /// Everything up to here was handed over or is none of this subscriber's business.
    position: Position,
    /// Where history ends, once the buffer is open; `None` as well when history is over.
    until: Option<Position>,
    live: bool,
    waiting: VecDeque<Item>,
    /// Decides by the filter's condition in jq what comes to wait; present with such a condition.
    sieve: Option<Sieve>,
}

impl Subscription {
    pub(crate) fn new(
        hub: &Hub,
        reads: Arc<Semaphore>,
        conditions: &Conditions,
        filter: Filter,
        from: From,
        phases: Option<Phases>,
    ) -> Result<Self, SubscribeError> {
        let shared = hub.shared().clone();
        shared.enter()?;
        let head = shared.log.head();
        let mut waiting = VecDeque::new();
        let position = match from {
            From::Head => head,
            From::Start => Position::ZERO,
            From::After(position) if position <= head => position,
            From::After(_) => {
                waiting.push_back(Item::Reset { head });
                head
            }
        };
        let recheck = !filter.search.is_empty() || filter.phase.is_some();
        let sieve = filter.where_jq.clone().map(|condition| Sieve::new(conditions.clone(), condition));
        let mut subscription = Self {
            shared,
            reads,
            filter: Arc::new(filter),
            phases,
            recheck,
            slot: None,
            position,
            until: None,
            live: false,
            waiting,
            sieve,
        };
        subscription.open_buffer_near(head);
        Ok(subscription)
    }

    /// The next item; waits for it. An error ends the subscription.
    ///
    /// Cancel safe: an item is handed over or stays.
    pub async fn next(&mut self) -> Result<Item, SubscribeError> {
        loop {
            if let Some(item) = self.take_ready() {
                return Ok(item);
            }
            if self.shared.stopped() {
                return Err(SubscribeError::Stopped);
            }
            if let Some(sieve) = self.sieve.as_mut().filter(|sieve| !sieve.is_empty()) {
                let sifted = sieve.sift().await?;
                self.waiting.extend(sifted);
            } else if !self.live {
                self.read_history().await?;
            } else if let Some(slot) = &self.slot {
                slot.filled.notified().await;
            }
        }
    }

    /// The next item if it needs no waiting; for those who gather items into one write.
    pub fn take_ready(&mut self) -> Option<Item> {
        while self.waiting.is_empty() {
            if let Some(sieve) = self.sieve.as_mut().filter(|sieve| !sieve.is_empty()) {
                return sieve.take_mark();
            }
            if !self.live {
                return None;
            }
            let slot = self.slot.clone()?;
            match self.shared.take(&slot) {
                Taken::Events(events) => self.accept_live(events),
                Taken::Gap { from, to } => {
                    self.position = to;
                    if let Some(phases) = &mut self.phases {
                        phases.forget();
                    }
                    self.hold(Item::Gap { from, to });
                }
                Taken::Nothing => return None,
            }
        }
        self.waiting.pop_front()
    }

    /// Everything up to here was handed over.
    pub fn position(&self) -> Position {
        self.position
    }

    fn open_buffer_near(&mut self, head: Position) {
        if self.slot.is_none() && head.0.saturating_sub(self.position.0) <= SEAM_EVENTS {
            let (slot, from) = self.shared.register(cheap_part(&self.filter));
            self.slot = Some(slot);
            self.until = Some(from.max(self.position));
        }
    }

    async fn read_history(&mut self) -> Result<(), SubscribeError> {
        if let Some(until) = self.until
            && self.position >= until
        {
            self.until = None;
            self.live = true;
            self.hold(Item::CaughtUp(self.position));
            return Ok(());
        }
        let permit = self.reads.clone().acquire_owned().await.map_err(|_| SubscribeError::Stopped)?;
        let (log, from) = (self.shared.log.clone(), self.position.next());
        let read = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            log.read(from, CHUNK)
        });
        let events = read.await.map_err(|_| SubscribeError::Stopped)?;
        for event in events.map_err(|error| SubscribeError::Journal(Arc::new(error)))? {
            if self.until.is_some_and(|until| event.position > until) {
                break;
            }
            self.position = event.position;
            if self.is_wanted(&event) {
                self.hold(Item::Event(Arc::new(LiveEvent::new(event))));
            }
        }
        self.open_buffer_near(self.shared.log.head());
        Ok(())
    }

    fn accept_live(&mut self, events: VecDeque<Arc<LiveEvent>>) {
        for event in events {
            // The buffer opened before history ended, so its first events may be history's last.
            if event.recorded.position <= self.position {
                continue;
            }
            self.position = event.recorded.position;
            if !self.recheck || self.is_wanted(&event.recorded) {
                self.hold(Item::Event(event));
            }
        }
    }

    /// What is handed over next, once it is decided.
    fn hold(&mut self, item: Item) {
        match &mut self.sieve {
            Some(sieve) => sieve.push(item),
            None => self.waiting.push_back(item),
        }
    }

    fn is_wanted(&mut self, event: &Recorded) -> bool {
        let phase = self.phases.as_mut().and_then(|phases| phases.of(event));
        self.filter.matches_but_for_where(event, phase)
    }
}

/// What the fan-out checks: conditions that cost little and need no memory. Where a phase is asked for, every
/// event of the streams must come through, because any may change the phase.
fn cheap_part(filter: &Filter) -> Filter {
    if filter.phase.is_some() {
        return Filter { stream: filter.stream.clone(), system: true, ..Filter::default() };
    }
    Filter { where_jq: None, search: Vec::new(), ..filter.clone() }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.shared.leave(self.slot.as_ref());
    }
}
