//! The fan-out: subscribers' bounded buffers, and the thread that fills them.

use super::LiveEvent;
use crate::config::LiveLimits;
use crate::error::SubscribeError;
use crate::log::Log;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::thread::{JoinHandle, Thread};
use std::time::Duration;
use tacho_event::{Filter, Position};
use tacho_journal::ReadLimit;
use tokio::sync::Notify;

/// What the thread reads at once.
const CHUNK: ReadLimit = ReadLimit { events: 1024, bytes: 1 << 20 };
/// How long the thread rests after the log could not be read.
const RETRY: Duration = Duration::from_millis(200);

pub(crate) struct Hub {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

pub(super) struct Shared {
    pub(super) log: Log,
    limits: LiveLimits,
    state: Mutex<State>,
    /// The number of slots, read on every commit.
    slots: AtomicUsize,
    subscribers: AtomicUsize,
    gaps: AtomicU64,
    stop: AtomicBool,
    thread: OnceLock<Thread>,
}

struct State {
    /// Everything up to here was handed out.
    dispatched: Position,
    slots: Vec<Arc<Slot>>,
}

/// The buffer of one subscriber.
pub(super) struct Slot {
    /// What is cheap to check; the subscriber checks the rest, so that an expensive one slows itself alone.
    filter: Filter,
    queue: Mutex<Queue>,
    pub(super) filled: Notify,
}

#[derive(Default)]
struct Queue {
    events: VecDeque<Arc<LiveEvent>>,
    bytes: usize,
    /// The first event that did not fit. Nothing is added until the subscriber was told.
    missed: Option<Position>,
}

/// What a slot has for its subscriber.
pub(super) enum Taken {
    Events(VecDeque<Arc<LiveEvent>>),
    Gap { from: Position, to: Position },
    Nothing,
}

impl Hub {
    pub(crate) fn start(log: Log, limits: LiveLimits) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            state: Mutex::new(State { dispatched: log.head(), slots: Vec::new() }),
            log,
            limits,
            slots: AtomicUsize::new(0),
            subscribers: AtomicUsize::new(0),
            gaps: AtomicU64::new(0),
            stop: AtomicBool::new(false),
            thread: OnceLock::new(),
        });
        let follower = shared.clone();
        let thread =
            std::thread::Builder::new().name("tacho-live".into()).spawn(move || follower.follow())?;
        let _ = shared.thread.set(thread.thread().clone());
        Ok(Self { shared, thread: Mutex::new(Some(thread)) })
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    pub(crate) fn subscribers(&self) -> usize {
        self.shared.subscribers.load(SeqCst)
    }

    pub(crate) fn gaps(&self) -> u64 {
        self.shared.gaps.load(SeqCst)
    }

    /// Something to call after each commit, on the journal's thread.
    pub(crate) fn on_commit(&self) -> impl Fn(Position) + Send + Sync + 'static {
        let shared = self.shared.clone();
        move |_| {
            if shared.slots.load(SeqCst) > 0 {
                shared.wake();
            }
        }
    }

    /// Ends every subscription.
    pub(crate) fn stop(&self) {
        self.shared.stop.store(true, SeqCst);
        self.shared.wake();
        if let Some(thread) = lock(&self.thread).take() {
            let _ = thread.join();
        }
        for slot in &lock(&self.shared.state).slots {
            slot.filled.notify_one();
        }
    }
}

impl Shared {
    pub(super) fn stopped(&self) -> bool {
        self.stop.load(SeqCst)
    }

    /// Counts a subscriber in, within the limit.
    pub(super) fn enter(&self) -> Result<(), SubscribeError> {
        if self.stopped() {
            return Err(SubscribeError::Stopped);
        }
        if self.subscribers.fetch_add(1, SeqCst) >= self.limits.subscribers {
            self.subscribers.fetch_sub(1, SeqCst);
            return Err(SubscribeError::TooMany(self.limits.subscribers));
        }
        Ok(())
    }

    pub(super) fn leave(&self, slot: Option<&Arc<Slot>>) {
        self.subscribers.fetch_sub(1, SeqCst);
        if let Some(slot) = slot {
            let mut state = lock(&self.state);
            state.slots.retain(|known| !Arc::ptr_eq(known, slot));
            self.slots.store(state.slots.len(), SeqCst);
        }
    }

    /// Adds a slot. It gets every event behind the position that is answered.
    pub(super) fn register(&self, filter: Filter) -> (Arc<Slot>, Position) {
        let slot = Arc::new(Slot { filter, queue: Mutex::default(), filled: Notify::new() });
        let mut state = lock(&self.state);
        if state.slots.is_empty() {
            // Nobody listened, so nothing was read: what is on the log now is history to this one.
            state.dispatched = state.dispatched.max(self.log.head());
        }
        state.slots.push(slot.clone());
        self.slots.store(state.slots.len(), SeqCst);
        let from = state.dispatched;
        drop(state);
        // A commit between the look at the head and the store above woke nobody.
        self.wake();
        (slot, from)
    }

    /// Takes what waits. After a gap was answered, the slot fills again from behind it.
    pub(super) fn take(&self, slot: &Slot) -> Taken {
        {
            let mut queue = lock(&slot.queue);
            if !queue.events.is_empty() {
                queue.bytes = 0;
                return Taken::Events(std::mem::take(&mut queue.events));
            }
            if queue.missed.is_none() {
                return Taken::Nothing;
            }
        }
        let state = lock(&self.state);
        let mut queue = lock(&slot.queue);
        match queue.missed.take() {
            Some(from) => {
                self.gaps.fetch_add(1, SeqCst);
                Taken::Gap { from, to: state.dispatched }
            }
            None => Taken::Nothing,
        }
    }

    fn wake(&self) {
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }

    fn follow(&self) {
        while !self.stopped() {
            if self.slots.load(SeqCst) == 0 {
                std::thread::park();
                continue;
            }
            let dispatched = lock(&self.state).dispatched;
            if self.log.head() <= dispatched {
                std::thread::park();
                continue;
            }
            match self.log.read(dispatched.next(), CHUNK) {
                Ok(events) => self.dispatch(events.into_iter().map(|event| Arc::new(LiveEvent::new(event)))),
                Err(_) => std::thread::park_timeout(RETRY),
            }
        }
    }

    fn dispatch(&self, events: impl Iterator<Item = Arc<LiveEvent>>) {
        let events: Vec<_> = events.collect();
        let mut state = lock(&self.state);
        let Some(last) = events.last().map(|event| event.recorded.position) else { return };
        let dispatched = state.dispatched;
        for slot in &state.slots {
            let new = events.iter().filter(|event| event.recorded.position > dispatched);
            if slot.fill(new, &self.limits) {
                slot.filled.notify_one();
            }
        }
        state.dispatched = dispatched.max(last);
    }
}

impl Slot {
    /// Adds what is wanted and fits; answers whether there is something new to take.
    fn fill<'a>(&self, events: impl Iterator<Item = &'a Arc<LiveEvent>>, limits: &LiveLimits) -> bool {
        let mut queue = lock(&self.queue);
        let mut changed = false;
        for event in events {
            if queue.missed.is_some() {
                break;
            }
            if !self.filter.matches(&event.recorded, None) {
                continue;
            }
            changed = true;
            let bytes = event.recorded.bytes().len();
            let full =
                queue.events.len() >= limits.buffer_events || queue.bytes + bytes > limits.buffer_bytes;
            if full && !queue.events.is_empty() {
                queue.missed = Some(event.recorded.position);
            } else {
                queue.bytes += bytes;
                queue.events.push_back(event.clone());
            }
        }
        changed
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}
