//! The threads of the handlers, and what the engine offers of them.

use super::runner::{Next, Runner, Snapshot, Surroundings};
use super::selection::Selection;
use super::{Deliver, Failure, HandlerStatus, Policy, Role};
use crate::engine::Engine;
use crate::handler::BreakerState;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, RwLock};
use std::thread::{JoinHandle, Thread};
use std::time::{Duration, Instant};
use tacho_event::{Filter, Position};
use tacho_journal::JournalError;
use thiserror::Error;

/// Longest name of a handler, in bytes.
const MAX_NAME_BYTES: usize = 64;
/// Most handlers of a process.
const MAX_HANDLERS: usize = 256;
/// The longest rest in which nothing is counted.
const LONGEST_REST: Duration = Duration::from_secs(1);

/// A handler that is to be started.
pub struct Handler {
    /// `[a-z0-9][a-z0-9._-]*`, at most 64 bytes; names its cursor on the log, so it must not change.
    pub name: String,
    pub kind: &'static str,
    /// Which events it gets. `phase` means the one that the payload names.
    pub filter: Filter,
    pub policy: Policy,
    pub deliver: Box<dyn Deliver>,
}

/// Why handlers are not started.
#[derive(Debug, Error)]
pub enum HandlerError {
    #[error("{0:?} is no name of a handler: write a-z, 0-9, `.`, `_`, `-`, at most {MAX_NAME_BYTES} of them")]
    Name(String),
    #[error("two handlers are named {0:?}: give one of them another name")]
    Twice(String),
    #[error("more than {MAX_HANDLERS} handlers: start fewer")]
    TooMany,
    #[error("handler {name}: the log could not be read: {source}")]
    Journal { name: String, source: JournalError },
    #[error("handler {name}: {source}")]
    Thread { name: String, source: std::io::Error },
    #[error("handler {name}: the log does not take its start: {source}")]
    Append { name: String, source: tacho_journal::AppendError },
    #[error("handler {name}: which events are meant cannot be told: {}", failure.message)]
    Choice { name: String, failure: Failure },
    #[error("the engine is stopping")]
    Stopped,
}

/// Whether a handler may be named so.
pub fn check_name(name: &str) -> Result<(), HandlerError> {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_name = name.bytes().next().is_some_and(is_plain)
        && name.len() <= MAX_NAME_BYTES
        && name.bytes().all(|byte| is_plain(byte) || b"._-".contains(&byte));
    if is_name { Ok(()) } else { Err(HandlerError::Name(name.to_owned())) }
}

/// Every handler that runs.
#[derive(Default)]
pub(crate) struct Deliveries {
    running: RwLock<Vec<Arc<Running>>>,
    /// Read on every commit.
    count: AtomicUsize,
}

struct Running {
    name: String,
    kind: &'static str,
    types: Vec<String>,
    snapshot: Mutex<Snapshot>,
    stop: AtomicBool,
    /// Set while the thread waits for a commit.
    waits: AtomicBool,
    thread: OnceLock<Thread>,
    handle: Mutex<Option<(JoinHandle<()>, Receiver<()>)>>,
}

impl Engine {
    /// Starts handlers. Where each begins is fixed when this returns.
    pub fn start_handlers(&self, handlers: Vec<Handler>) -> Result<(), HandlerError> {
        for handler in handlers {
            self.start_handler(handler)?;
        }
        Ok(())
    }

    /// The handlers that run, then the sinks, in the order of their start.
    pub fn handlers(&self) -> Vec<HandlerStatus> {
        let running = self.shared.deliveries.all();
        let sinks = running.iter().map(|running| self.status(running));
        self.reactions().into_iter().chain(sinks).collect()
    }

    /// One handler or sink.
    pub fn handler(&self, name: &str) -> Option<HandlerStatus> {
        let running = self.shared.deliveries.all();
        let sink = running.iter().find(|running| running.name == name);
        sink.map(|running| self.status(running)).or_else(|| self.reaction(name))
    }

    /// Whether there is somebody to deliver to.
    pub(crate) fn is_known_handler(&self, name: &str) -> bool {
        self.handler(name).is_some()
    }

    /// Whether a sink is named so.
    pub(crate) fn is_sink(&self, name: &str) -> bool {
        self.shared.deliveries.read().iter().any(|running| running.name == name)
    }

    fn start_handler(&self, handler: Handler) -> Result<(), HandlerError> {
        let Handler { name, kind, filter, policy, deliver } = handler;
        self.shared.deliveries.admit(&name)?;
        let thread_fault = |source| HandlerError::Thread { name: name.clone(), source };
        let conditions = Some(self.shared.conditions.clone());
        let types = filter.types.iter().map(|pattern| pattern.as_str().to_owned()).collect();
        let selection = Selection::new(&name, filter, conditions).map_err(thread_fault)?;
        let engine = self.clone();
        let around = Surroundings {
            log: self.shared.log.clone(),
            append: Box::new(move |events| engine.append_and_wait(events).map(drop)),
            clock: self.shared.clock.clone(),
            random: Box::new(random),
        };
        let runner = Runner::new(name.clone(), policy, selection, deliver, around);
        let mut runner = runner.map_err(|source| HandlerError::Journal { name: name.clone(), source })?;
        runner.fix_start();
        let running = Arc::new(Running {
            name: name.clone(),
            kind,
            types,
            snapshot: Mutex::default(),
            stop: AtomicBool::new(false),
            waits: AtomicBool::new(false),
            thread: OnceLock::new(),
            handle: Mutex::new(None),
        });
        runner.write_snapshot(&mut lock(&running.snapshot));
        let (ended, has_ended) = sync_channel::<()>(0);
        let (own, journal) = (running.clone(), self.shared.journal.clone());
        let work = move || {
            own.run(runner, &|| journal.head());
            drop(ended);
        };
        let thread = std::thread::Builder::new().name(format!("tacho-{kind}")).spawn(work);
        let thread = thread.map_err(|source| HandlerError::Thread { name, source })?;
        let _ = running.thread.set(thread.thread().clone());
        *lock(&running.handle) = Some((thread, has_ended));
        self.shared.deliveries.add(running);
        Ok(())
    }

    fn status(&self, running: &Running) -> HandlerStatus {
        let snapshot = lock(&running.snapshot).clone();
        let lag = snapshot.waits_since.map(|since| self.now().0.saturating_sub(since.0).max(0));
        HandlerStatus {
            name: running.name.clone(),
            kind: running.kind,
            role: Role::Sink,
            state: snapshot.state(),
            position: snapshot.progress.position,
            head: self.head(),
            pending: snapshot.pending,
            lag_ns: lag.unwrap_or(0),
            done: snapshot.progress.done,
            dead: snapshot.progress.dead,
            skipped: snapshot.progress.skipped,
            rate_per_second: snapshot.rate.at(self.shared.clock.elapsed()),
            retried: snapshot.retried,
            attempt: snapshot.attempt,
            last_error: snapshot.last_error,
            next_attempt: snapshot.next_attempt,
            in_flight: 0,
            latency_ms: None,
            success_rate: None,
            breaker: BreakerState::Closed,
            breaker_until: None,
            paused: None,
            workers: None,
            types: running.types.clone(),
            returns: Vec::new(),
            capabilities: Vec::new(),
            version: None,
        }
    }
}

impl Deliveries {
    /// Something to call after each commit, on the journal's thread.
    pub(crate) fn on_commit(self: &Arc<Self>) -> impl Fn(Position) + Send + Sync + 'static {
        let deliveries = self.clone();
        move |_| {
            if deliveries.count.load(SeqCst) > 0 {
                for running in deliveries.read().iter().filter(|running| running.waits.swap(false, SeqCst)) {
                    running.wake();
                }
            }
        }
    }

    /// Ends every handler; one that does not answer within `patience` is left behind, and its cursor with it.
    pub(crate) fn stop(&self, patience: Duration) {
        let until = Instant::now() + patience;
        let all = self.all();
        for running in &all {
            running.stop.store(true, SeqCst);
            running.wake();
        }
        for running in &all {
            let Some((thread, has_ended)) = lock(&running.handle).take() else { continue };
            // The other end says nothing; it goes away with the thread.
            let left = until.saturating_duration_since(Instant::now());
            if has_ended.recv_timeout(left) == Err(std::sync::mpsc::RecvTimeoutError::Disconnected) {
                let _ = thread.join();
            }
        }
    }

    fn admit(&self, name: &str) -> Result<(), HandlerError> {
        check_name(name)?;
        let running = self.read();
        if running.iter().any(|running| running.name == name) {
            return Err(HandlerError::Twice(name.to_owned()));
        }
        if running.len() >= MAX_HANDLERS { Err(HandlerError::TooMany) } else { Ok(()) }
    }

    fn add(&self, running: Arc<Running>) {
        let mut all = self.running.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        all.push(running.clone());
        self.count.store(all.len(), SeqCst);
        drop(all);
        // A commit before this woke nobody.
        running.wake();
    }

    fn all(&self) -> Vec<Arc<Running>> {
        self.read().clone()
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Vec<Arc<Running>>> {
        self.running.read().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Running {
    fn wake(&self) {
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }

    fn run(&self, mut runner: Runner, head: &dyn Fn() -> Position) {
        while !self.stop.load(SeqCst) {
            let seen = head();
            let next = runner.step();
            runner.write_snapshot(&mut lock(&self.snapshot));
            match next {
                Next::Again => {}
                Next::Wait(most) => self.wait(most, &|| head() == seen),
                Next::Rest(time) => std::thread::park_timeout(time.min(LONGEST_REST)),
                Next::Ended => return,
            }
        }
        runner.stop();
        runner.write_snapshot(&mut lock(&self.snapshot));
    }

    /// Waits for a commit, unless there was one since the head was looked at.
    fn wait(&self, most: Option<Duration>, nothing_new: &dyn Fn() -> bool) {
        self.waits.store(true, SeqCst);
        if nothing_new() && !self.stop.load(SeqCst) {
            match most {
                Some(most) => std::thread::park_timeout(most),
                None => std::thread::park(),
            }
        }
        self.waits.store(false, SeqCst);
    }
}

fn random() -> u64 {
    // Without randomness pauses do not differ, which is all that it is for.
    getrandom::u64().unwrap_or_default()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}
