//! The thread that runs all handlers: it reads the log once for all of them, hands work to workers, takes their answers,
//! and sends what is to be told to the log. It waits for nobody.

use super::chooser::SharedChooser;
use super::core::{Item, Moment};
use super::feed::Feed;
use super::matcher::Matcher;
use super::pool::Told;
use super::slot::Slot;
use crate::clock::Clock;
use crate::delivery::Failure;
use crate::log::Log;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Duration;
use tacho_event::{Event, Position, Recorded};
use tacho_journal::{AppendError, Appended};

/// The longest time without a look at everything: an event that was missed is found then.
const LONGEST_WAIT: Duration = Duration::from_secs(1);
/// How long the log is left alone after it refused something.
const RESEND: Duration = Duration::from_millis(100);

/// What the dispatcher is told.
pub(crate) enum Message {
    /// There is more on the log.
    Committed,
    Worker(usize, Told),
    /// Candidates were looked at; what was not is given back.
    Chosen {
        handler: usize,
        result: Result<Vec<Item>, (Vec<Recorded>, Failure)>,
        to: Position,
        looked_at: u64,
    },
    Appended {
        handler: usize,
        result: Result<Appended, AppendError>,
    },
    /// Something to do where all is at hand.
    Do(Box<dyn FnOnce(&mut Dispatcher) + std::marker::Send>),
    /// Begin nothing new, and end when all is told.
    Stop,
    /// End now.
    Abandon,
}

/// Candidates whose programs are to be run.
pub(crate) struct ToChoose {
    pub(crate) handler: usize,
    pub(crate) chooser: SharedChooser,
    pub(crate) events: Vec<Recorded>,
    pub(crate) to: Position,
    pub(crate) looked_at: u64,
}

/// Queues events; the answer comes as a message.
pub(crate) type Send = Box<dyn Fn(usize, Vec<Event>) -> Result<(), AppendError> + std::marker::Send>;

pub(crate) struct Dispatcher {
    pub(crate) slots: HashMap<usize, Slot>,
    pub(crate) next_slot: usize,
    pub(crate) matcher: Matcher,
    pub(crate) feed: Feed,
    pub(crate) log: Log,
    pub(crate) choosers: Sender<ToChoose>,
    /// How it is told something.
    pub(crate) messages: Sender<Message>,
    send: Send,
    clock: Arc<dyn Clock>,
    random: Box<dyn FnMut() -> u64 + std::marker::Send>,
    /// Handlers to look at.
    dirty: BTreeSet<usize>,
    /// When to look at a handler again though nobody tells anything.
    wakes: BTreeSet<(Duration, usize)>,
    wake_of: HashMap<usize, Duration>,
    is_stopping: bool,
    /// The log takes nothing any more.
    is_closed: bool,
    /// Set by a commit, so that many commits are one message.
    is_woken: Arc<AtomicBool>,
}

impl Dispatcher {
    pub(crate) fn new(
        log: Log,
        clock: Arc<dyn Clock>,
        choosers: Sender<ToChoose>,
        send: Send,
        random: Box<dyn FnMut() -> u64 + std::marker::Send>,
        is_woken: Arc<AtomicBool>,
        messages: Sender<Message>,
    ) -> Self {
        Self {
            slots: HashMap::new(),
            next_slot: 0,
            matcher: Matcher::default(),
            feed: Feed::new(log.head()),
            log,
            choosers,
            send,
            clock,
            random,
            dirty: BTreeSet::new(),
            wakes: BTreeSet::new(),
            wake_of: HashMap::new(),
            is_stopping: false,
            is_closed: false,
            is_woken,
            messages,
        }
    }

    pub(crate) fn moment(&self) -> Moment {
        Moment { elapsed: self.clock.elapsed(), now: self.clock.now() }
    }

    pub(crate) fn touch(&mut self, handler: usize) {
        self.dirty.insert(handler);
    }

    /// Runs until it is told to stop.
    pub(crate) fn run(&mut self, messages: &Receiver<Message>) {
        loop {
            self.is_woken.store(false, SeqCst);
            let reads_more = !self.is_stopping && self.read();
            self.step_dirty();
            if self.is_closed || (self.is_stopping && self.slots.values().all(Slot::is_over)) {
                return;
            }
            let patience = if reads_more { Duration::ZERO } else { self.patience() };
            match messages.recv_timeout(patience) {
                Ok(message) => {
                    self.take(message);
                    while let Ok(message) = messages.try_recv() {
                        self.take(message);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            self.wake();
        }
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Committed => {}
            Message::Worker(handler, told) => self.told(handler, told),
            Message::Chosen { handler, result, to, looked_at } => self.chosen(handler, result, to, looked_at),
            Message::Appended { handler, result } => self.appended(handler, result),
            Message::Do(work) => work(self),
            Message::Abandon => self.is_closed = true,
            Message::Stop => {
                self.is_stopping = true;
                for (handler, slot) in &mut self.slots {
                    slot.is_ending = true;
                    self.dirty.insert(*handler);
                }
            }
        }
    }

    fn told(&mut self, handler: usize, told: Told) {
        let (moment, random) = (self.moment(), (self.random)());
        let Some(slot) = self.slots.get_mut(&handler) else { return };
        match told {
            Told::Answer { worker, ticket, answer } => {
                slot.pool.is_free(worker, moment.elapsed);
                slot.trouble = None;
                slot.core.finish(ticket, answer, random, moment);
            }
            Told::Unwell { worker, failure } => {
                slot.pool.is_free(worker, moment.elapsed);
                slot.trouble = Some(format!("{}: {}", failure.code, failure.message));
            }
        }
        self.touch(handler);
    }

    fn chosen(
        &mut self,
        handler: usize,
        result: Result<Vec<Item>, (Vec<Recorded>, Failure)>,
        to: Position,
        looked_at: u64,
    ) {
        let moment = self.moment();
        let Some(slot) = self.slots.get_mut(&handler) else { return };
        slot.is_choosing = false;
        match result {
            Ok(items) => slot.chosen(items, to, looked_at, moment),
            Err((mut events, failure)) => {
                events.append(&mut slot.inbox);
                slot.inbox = events;
                slot.looked_at += looked_at;
                slot.not_chosen(&failure, moment);
            }
        }
        self.touch(handler);
    }

    fn appended(&mut self, handler: usize, result: Result<Appended, AppendError>) {
        let moment = self.moment();
        let Some(slot) = self.slots.get_mut(&handler) else { return };
        match result {
            Ok(appended) => {
                let last = appended.events.last().map_or(Position::ZERO, |receipt| receipt.position);
                slot.core.saved(last, moment);
                slot.waiters.drain(..).for_each(|waiter| {
                    // Who went away does not wait.
                    let _ = waiter.send(());
                });
            }
            Err(AppendError::Closed) => self.is_closed = true,
            Err(error) => {
                slot.trouble = Some(format!("log_refused: {error}"));
                slot.sends_at = Some(moment.elapsed + RESEND);
            }
        }
        self.touch(handler);
    }

    fn step_dirty(&mut self) {
        for handler in std::mem::take(&mut self.dirty) {
            self.step(handler);
        }
    }

    fn step(&mut self, handler: usize) {
        self.choose(handler);
        let moment = self.moment();
        let Some(slot) = self.slots.get_mut(&handler) else { return };
        slot.core.tick(moment);
        if !slot.is_ending {
            begin(slot, moment);
        }
        let has_waiters = !slot.waiters.is_empty();
        let may_send = slot.sends_at.is_none_or(|at| at <= moment.elapsed);
        let events = match slot.sends_at.take_if(|at| *at <= moment.elapsed) {
            Some(_) => slot.core.unsaved(),
            None if slot.is_ending && slot.core.has_news() && may_send => slot.core.save(moment),
            None if has_waiters && may_send => slot.core.save(moment),
            None if may_send => slot.core.flush(moment),
            None => None,
        };
        if let Some(events) = events {
            let own = |event: &&Event| event.source().starts_with("/handlers/");
            slot.note_returned(events.iter().filter(own).map(Event::kind), moment.elapsed);
            if let Err(error) = (self.send)(handler, events) {
                self.appended(handler, Err(error));
            }
        }
        self.plan(handler, moment);
    }

    /// Notes when to look at the handler again.
    fn plan(&mut self, handler: usize, moment: Moment) {
        let Some(slot) = self.slots.get_mut(&handler) else { return };
        let until = |at: Option<Duration>| at.map(|at| at.saturating_sub(moment.elapsed));
        let core = slot.core.wakes_in(moment);
        let core = if slot.sends_at.is_some() { core.filter(|left| !left.is_zero()) } else { core };
        let shrinks = slot.pool.shrink(moment.elapsed);
        let wake = [core, shrinks, until(slot.reads_at), until(slot.sends_at)].into_iter().flatten().min();
        if let Some(old) = self.wake_of.remove(&handler) {
            self.wakes.remove(&(old, handler));
        }
        if let Some(left) = wake {
            // What is due now was looked at just now: it waits for something else.
            let at = moment.elapsed + left.max(Duration::from_millis(1));
            self.wake_of.insert(handler, at);
            self.wakes.insert((at, handler));
        }
    }

    fn wake(&mut self) {
        let now = self.clock.elapsed();
        while let Some((at, handler)) = self.wakes.first().copied()
            && at <= now
        {
            self.wakes.remove(&(at, handler));
            self.wake_of.remove(&handler);
            self.touch(handler);
        }
    }

    fn patience(&self) -> Duration {
        if !self.dirty.is_empty() {
            return Duration::ZERO;
        }
        let next = self.wakes.first().map(|(at, _)| at.saturating_sub(self.clock.elapsed()));
        next.map_or(LONGEST_WAIT, |next| next.min(LONGEST_WAIT))
    }

    /// Forgets a handler; its workers end.
    pub(crate) fn forget(&mut self, handler: usize) -> Option<Slot> {
        self.matcher.remove(handler);
        self.feed.forget(handler);
        self.dirty.remove(&handler);
        if let Some(at) = self.wake_of.remove(&handler) {
            self.wakes.remove(&(at, handler));
        }
        self.slots.remove(&handler)
    }
}

/// Begins what may begin.
fn begin(slot: &mut Slot, moment: Moment) {
    while slot.pool.has_hands() {
        let Some(work) = slot.core.take(moment) else { break };
        let ticket = work.ticket;
        work.events.iter().for_each(|event| slot.incoming.count(event.kind(), moment.elapsed));
        if let Err(error) = slot.pool.give(work) {
            let failure = Failure::retry("no_worker", format!("a worker cannot be started: {error}"));
            slot.core.finish(ticket, Err(failure), 0, moment);
            break;
        }
    }
}
