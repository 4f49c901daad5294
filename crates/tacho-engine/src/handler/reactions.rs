//! The handlers of an engine: how they are started, asked, and stopped.

use super::chooser::Chooser;
use super::control::Asker;
use super::core::{Core, Moment};
use super::dispatcher::{Dispatcher, Message, ToChoose};
use super::minutes::Minutes;
use super::pool::{Pool, Tell};
use super::restore::{is_new, restore};
use super::slot::Slot;
use super::{Deed, Definition, Pending, returned};
use crate::delivery::{
    Deliver, Delivery, Failure, HandlerError, HandlerState, HandlerStatus, Role, WorkerCount, check_name,
};
use crate::engine::Engine;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};
use tacho_event::{Event, Position, Recorded};
use thiserror::Error;

/// Most handlers of a process.
const MAX_HANDLERS: usize = 5_000;
/// Threads that wait for programs.
const CHOOSERS: usize = 2;
/// How long the thread of the handlers may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Every handler that runs.
#[derive(Default)]
pub(crate) struct Reactions {
    running: Mutex<Option<Running>>,
    sender: std::sync::OnceLock<Sender<Message>>,
    is_woken: Arc<AtomicBool>,
}

struct Running {
    ended: Receiver<()>,
    /// Ends when every thread of a worker has ended.
    labour: Receiver<()>,
    alive: Sender<()>,
}

/// Why something that was asked of a handler is not done.
#[derive(Debug, Error)]
pub enum ControlError {
    #[error("no handler is named {0:?}: see `tacho handler list`")]
    Unknown(String),
    #[error("{0:?} is a sink: it takes no orders")]
    Sink(String),
    #[error("the engine is stopping")]
    Stopped,
}

/// What went into a handler and what came out, by type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Throughput {
    pub name: String,
    pub incoming: Vec<(String, u64)>,
    pub outgoing: Vec<(String, u64)>,
}

/// How one event went that was delivered for a test.
#[derive(Debug)]
pub struct Tested {
    pub took: Duration,
    /// What it returned, as it would be appended.
    pub result: Result<Vec<Event>, Failure>,
}

impl Engine {
    /// Starts handlers. Where each begins is fixed when this returns.
    pub fn start_reactions(&self, definitions: Vec<Definition>) -> Result<(), HandlerError> {
        for definition in definitions {
            self.start_reaction(definition)?;
        }
        Ok(())
    }

    /// Ends a handler when what it is doing is done. Its place on the log stays.
    pub(crate) fn end_reaction(&self, name: &str) {
        let until = Instant::now() + Duration::from_millis(self.shared.config.delivery.stop_ms);
        loop {
            let wanted = name.to_owned();
            let is_over = self.ask(move |dispatcher| {
                let Some(handler) = find(dispatcher, &wanted) else { return true };
                let is_late = Instant::now() >= until;
                if let Some(slot) = dispatcher.slots.get_mut(&handler) {
                    slot.is_ending = true;
                }
                let is_over = dispatcher.slots.get(&handler).is_none_or(Slot::is_over);
                dispatcher.touch(handler);
                if is_over || is_late {
                    drop(dispatcher.forget(handler));
                }
                is_over || is_late
            });
            if is_over != Some(false) {
                return;
            }
            std::thread::park_timeout(Duration::from_millis(5));
        }
    }

    pub(crate) fn start_reaction(&self, definition: Definition) -> Result<(), HandlerError> {
        check_name(&definition.name)?;
        let name = definition.name.clone();
        if self.handler(&name).is_some() {
            return Err(HandlerError::Twice(name));
        }
        let alive = self.ensure_dispatcher(&name)?;
        let (shared, policy) = (&self.shared, definition.policy.clone());
        let conditions = shared.conditions.clone();
        let chooser = Chooser::new(&name, definition.filter.clone(), &policy, conditions, shared.log.clone());
        let chooser = chooser.map_err(|source| HandlerError::Thread { name: name.clone(), source })?;
        let moment = Moment { elapsed: shared.clock.elapsed(), now: shared.clock.now() };
        let fault = |source| HandlerError::Journal { name: name.clone(), source };
        let mut core = restore(&shared.log, &definition, &chooser, moment)?;
        if core.unsaved().is_none() && is_new(&shared.log, &name).map_err(fault)? {
            let events = core.save(moment).unwrap_or_default();
            let appended = self.append_and_wait(events);
            let appended = appended.map_err(|source| HandlerError::Append { name: name.clone(), source })?;
            core.saved(appended.events.last().map_or(Position::ZERO, |last| last.position), moment);
        }
        let added = self.ask(move |dispatcher| {
            if dispatcher.slots.len() >= MAX_HANDLERS {
                return Err(HandlerError::TooMany);
            }
            dispatcher.add(definition, core, chooser, alive);
            Ok(())
        });
        added.unwrap_or(Err(HandlerError::Stopped))
    }

    /// Starts the thread of the handlers, once.
    fn ensure_dispatcher(&self, name: &str) -> Result<Sender<()>, HandlerError> {
        let reactions = &self.shared.reactions;
        let mut running = lock(&reactions.running);
        if let Some(running) = &*running {
            return Ok(running.alive.clone());
        }
        let fault = |source| HandlerError::Thread { name: name.to_owned(), source };
        let (messages, orders) = channel::<Message>();
        let (choosers, tasks) = channel::<ToChoose>();
        let tasks = Arc::new(Mutex::new(tasks));
        for _ in 0..CHOOSERS {
            let (tasks, messages) = (tasks.clone(), messages.clone());
            let work = move || choose_for_ever(&tasks, &messages);
            std::thread::Builder::new().name("tacho-choose".into()).spawn(work).map_err(fault)?;
        }
        let (engine, told) = (self.clone(), messages.clone());
        let send = move |handler, events| {
            let told = told.clone();
            engine.send_behind(events, move |result| {
                drop(told.send(Message::Appended { handler, result }));
            })
        };
        let random = || getrandom::u64().unwrap_or_default();
        let (log, clock) = (self.shared.log.clone(), self.shared.clock.clone());
        let woken = reactions.is_woken.clone();
        let mut dispatcher =
            Dispatcher::new(log, clock, choosers, Box::new(send), Box::new(random), woken, messages.clone());
        let (ends, ended) = sync_channel(0);
        let work = move || {
            dispatcher.run(&orders);
            drop(dispatcher);
            drop(ends);
        };
        std::thread::Builder::new().name("tacho-handlers".into()).spawn(work).map_err(fault)?;
        let (alive, labour) = channel();
        let _ = reactions.sender.set(messages);
        *running = Some(Running { ended, labour, alive: alive.clone() });
        Ok(alive)
    }

    /// Does something where all handlers are at hand; `None` when there is none, or the engine is stopping.
    pub(super) fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Dispatcher) -> T + Send + 'static,
    ) -> Option<T> {
        let (answer, answers) = sync_channel(1);
        let work = move |dispatcher: &mut Dispatcher| drop(answer.send(work(dispatcher)));
        self.shared.reactions.sender.get()?.send(Message::Do(Box::new(work))).ok()?;
        answers.recv_timeout(PATIENCE).ok()
    }

    /// The handlers that run, in the order of their start.
    pub(crate) fn reactions(&self) -> Vec<HandlerStatus> {
        let all = self.ask(|dispatcher| {
            let mut handlers: Vec<usize> = dispatcher.slots.keys().copied().collect();
            handlers.sort_unstable();
            handlers.into_iter().filter_map(|handler| dispatcher.status(handler)).collect()
        });
        all.unwrap_or_default()
    }

    /// Handlers that have not settled all up to a position, or not on the log.
    pub(crate) fn unsettled(&self, last: Position) -> Vec<String> {
        let open = self.ask(move |dispatcher| {
            let handlers: Vec<usize> = dispatcher.slots.keys().copied().collect();
            handlers.iter().for_each(|handler| dispatcher.choose(*handler));
            let is_open = |slot: &&Slot| slot.core.ledger.position() < last || slot.core.has_news();
            dispatcher.slots.values().filter(is_open).map(|slot| slot.definition.name.clone()).collect()
        });
        open.unwrap_or_default()
    }

    pub(crate) fn reaction(&self, name: &str) -> Option<HandlerStatus> {
        let name = name.to_owned();
        self.ask(move |dispatcher| dispatcher.status(find(dispatcher, &name)?)).flatten()
    }

    /// What a handler has not settled, in the order of the log, and how many there are.
    pub fn pending_of(&self, name: &str, limit: usize) -> Result<(Vec<Pending>, u64), ControlError> {
        self.order(name, move |dispatcher, handler| {
            let moment = dispatcher.moment();
            let core = &dispatcher.slots[&handler].core;
            (core.pending(limit, moment), core.ledger.pending())
        })
    }

    /// The last deliveries of a handler, the newest first.
    pub fn deliveries_of(&self, name: &str, limit: usize) -> Result<Vec<Deed>, ControlError> {
        self.order(name, move |dispatcher, handler| {
            dispatcher.slots[&handler].core.recent().take(limit).cloned().collect()
        })
    }

    /// What went through each handler within so many minutes, 60 at most, since this process began.
    pub fn throughput(&self, minutes: usize) -> Vec<Throughput> {
        let all = self.ask(move |dispatcher| {
            let now = dispatcher.moment().elapsed;
            let mut handlers: Vec<_> = dispatcher.slots.iter().collect();
            handlers.sort_unstable_by_key(|(handler, _)| **handler);
            let one = |slot: &Slot| Throughput {
                name: slot.definition.name.clone(),
                incoming: slot.incoming.of_last(minutes, now),
                outgoing: slot.outgoing.of_last(minutes, now),
            };
            handlers.into_iter().map(|(_, slot)| one(slot)).collect()
        });
        all.unwrap_or_default()
    }

    /// Has a handler begin no delivery. Returns when that is on the log.
    pub fn pause_handler(&self, name: &str, asker: Asker) -> Result<(), ControlError> {
        self.control(name, move |core, moment| core.pause(asker, moment))
    }

    /// Has a handler go on. Returns when that is on the log.
    pub fn resume_handler(&self, name: &str, asker: Asker) -> Result<(), ControlError> {
        self.control(name, move |core, moment| core.resume(asker, moment))
    }

    /// Has what waits for its next attempt tried now: one event, or all of them.
    pub fn retry_pending(
        &self,
        name: &str,
        position: Option<Position>,
        asker: Asker,
    ) -> Result<(), ControlError> {
        self.control(name, move |core, moment| core.retry_now(position, asker, moment) > 0)
    }

    /// Delivers an event to a worker of its own, and appends nothing. Blocks as long as that takes.
    pub fn test_handler(&self, name: &str, event: Recorded) -> Result<Tested, ControlError> {
        let definition = self.definition_of(name)?;
        let begun = Instant::now();
        let key = format!("test:{}", event.id());
        let timeout = Some(Duration::from_millis(definition.policy.timeout_ms.max(1)));
        let delivered = definition.workers.start().and_then(|mut worker: Box<dyn Deliver>| {
            worker.deliver(&Delivery { events: std::slice::from_ref(&event), attempt: 1, key: &key, timeout })
        });
        let result = delivered
            .and_then(|delivered| returned::events(name, &key, &[&event], &delivered.returned, self.now()));
        Ok(Tested { took: begun.elapsed(), result })
    }

    /// As a handler was configured.
    pub(crate) fn definition_of(&self, name: &str) -> Result<Definition, ControlError> {
        self.order(name, |dispatcher, handler| dispatcher.slots[&handler].definition.clone())
    }

    fn control(
        &self,
        name: &str,
        work: impl FnOnce(&mut Core, Moment) -> bool + Send + 'static,
    ) -> Result<(), ControlError> {
        let (told, is_told) = channel();
        self.order(name, move |dispatcher, handler| {
            let moment = dispatcher.moment();
            if let Some(slot) = dispatcher.slots.get_mut(&handler)
                && work(&mut slot.core, moment)
            {
                slot.waiters.push(told);
            }
            dispatcher.touch(handler);
        })?;
        match is_told.recv_timeout(PATIENCE) {
            Ok(()) | Err(RecvTimeoutError::Disconnected) => Ok(()),
            Err(RecvTimeoutError::Timeout) => Err(ControlError::Stopped),
        }
    }

    fn order<T: Send + 'static>(
        &self,
        name: &str,
        work: impl FnOnce(&mut Dispatcher, usize) -> T + Send + 'static,
    ) -> Result<T, ControlError> {
        if self.is_sink(name) {
            return Err(ControlError::Sink(name.to_owned()));
        }
        let wanted = name.to_owned();
        let answer =
            self.ask(move |dispatcher| find(dispatcher, &wanted).map(|handler| work(dispatcher, handler)));
        answer.flatten().ok_or_else(|| ControlError::Unknown(name.to_owned()))
    }
}

impl Reactions {
    /// Something to call after each commit, on the journal's thread.
    pub(crate) fn on_commit(self: &Arc<Self>) -> impl Fn(Position) + Send + Sync + 'static {
        let reactions = self.clone();
        move |_| {
            if let Some(sender) = reactions.sender.get()
                && !reactions.is_woken.swap(true, SeqCst)
            {
                let _ = sender.send(Message::Committed);
            }
        }
    }

    /// Ends every handler; what is not done within `patience` is delivered again after the next start.
    pub(crate) fn stop(&self, patience: Duration) {
        let until = Instant::now() + patience;
        let Some(running) = lock(&self.running).take() else { return };
        let Some(sender) = self.sender.get() else { return };
        let _ = sender.send(Message::Stop);
        let has_ended = |ended: &Receiver<()>, until: Instant| {
            let left = until.saturating_duration_since(Instant::now());
            ended.recv_timeout(left) == Err(RecvTimeoutError::Disconnected)
        };
        if !has_ended(&running.ended, until) {
            let _ = sender.send(Message::Abandon);
            has_ended(&running.ended, until + Duration::from_millis(500));
        }
        // Processes end with the threads that use them.
        drop(running.alive);
        has_ended(&running.labour, until.max(Instant::now() + Duration::from_secs(1)));
    }
}

impl Dispatcher {
    fn add(&mut self, definition: Definition, core: Core, chooser: Chooser, alive: Sender<()>) {
        let handler = self.next_slot;
        self.next_slot += 1;
        let messages = self.messages.clone();
        let tell: Tell = Arc::new(move |told| drop(messages.send(Message::Worker(handler, told))));
        let (most, kept) = (definition.policy.concurrency, definition.policy.workers_min);
        let mut pool = Pool::new(&definition.name, definition.workers.clone(), most, kept, tell, alive);
        pool.warm_up(self.moment().elapsed);
        self.matcher.add(&definition.filter, handler);
        let slot = Slot {
            core,
            chooser: Arc::new(chooser),
            pool,
            definition,
            inbox: Vec::new(),
            inbox_to: Position::ZERO,
            looked_at: 0,
            is_choosing: false,
            is_behind: true,
            reads_at: None,
            sends_at: None,
            is_ending: false,
            waiters: Vec::new(),
            returns: BTreeSet::new(),
            incoming: Minutes::default(),
            outgoing: Minutes::default(),
            trouble: None,
        };
        self.slots.insert(handler, slot);
        self.feed.let_behind(handler);
        self.touch(handler);
    }

    fn status(&mut self, handler: usize) -> Option<HandlerStatus> {
        self.choose(handler);
        let (moment, head) = (self.moment(), self.log.head());
        let slot = self.slots.get(&handler)?;
        let (status, definition) = (slot.core.status(moment), &slot.definition);
        let state = match () {
            () if status.paused.is_some() => HandlerState::Paused,
            () if status.is_broken => HandlerState::Broken,
            () => HandlerState::Running,
        };
        let lag = status.waits_since.map(|since| moment.now.0.saturating_sub(since.0).max(0));
        Some(HandlerStatus {
            name: definition.name.clone(),
            kind: definition.kind,
            role: Role::Handler,
            state,
            position: status.position,
            head,
            pending: status.pending,
            lag_ns: lag.unwrap_or(0),
            done: status.done,
            dead: status.dead,
            skipped: status.skipped,
            rate_per_second: status.rate_per_second,
            retried: status.retried,
            attempt: status.failures,
            last_error: slot.trouble.clone().or(status.last_error),
            next_attempt: status.next_attempt,
            in_flight: status.in_flight,
            latency_ms: status.latency_ms,
            success_rate: status.success_rate,
            breaker: status.breaker,
            breaker_until: status.breaker_until,
            paused: status.paused,
            workers: Some(WorkerCount {
                alive: slot.pool.alive(),
                busy: slot.pool.busy(),
                most: slot.pool.most(),
            }),
            types: definition.filter.types.iter().map(|pattern| pattern.as_str().to_owned()).collect(),
            returns: slot.returns.iter().cloned().collect(),
            capabilities: definition.capabilities.clone(),
            version: definition.version.clone(),
        })
    }
}

fn find(dispatcher: &Dispatcher, name: &str) -> Option<usize> {
    dispatcher.slots.iter().find(|(_, slot)| slot.definition.name == name).map(|(handler, _)| *handler)
}

/// The life of a thread that waits for programs.
fn choose_for_ever(tasks: &Mutex<Receiver<ToChoose>>, messages: &Sender<Message>) {
    loop {
        let task = lock(tasks).recv();
        let Ok(ToChoose { handler, chooser, events, to, looked_at }) = task else { return };
        let result = chooser.choose(events.clone()).map_err(|failure| (events, failure));
        if messages.send(Message::Chosen { handler, result, to, looked_at }).is_err() {
            return;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}
