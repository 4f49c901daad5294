//! The workers: started when they are needed, kept a while for the next question with the same program.

use super::ConditionError;
use super::protocol::{Asked, Task};
use super::worker::{Failure, Worker};
use crate::config::ConditionLimits;
use std::collections::HashMap;
use std::ffi::OsString;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

pub(super) struct Pool {
    command: Vec<OsString>,
    limits: ConditionLimits,
    state: Mutex<State>,
    /// Wakes the thread that ends idle workers.
    closed: Condvar,
}

#[derive(Default)]
struct State {
    /// The one that has rested longest is first.
    idle: Vec<Idle>,
    /// The lines to those at work, to cut them off.
    busy: HashMap<u64, UnixStream>,
    started: u64,
    is_tidied: bool,
    is_closed: bool,
}

/// What tells workers apart.
type Program = (Asked, String);

struct Idle {
    program: Program,
    worker: Worker,
    since: Instant,
}

impl Pool {
    pub(super) fn new(command: Vec<OsString>, limits: ConditionLimits) -> Self {
        Self { command, limits, state: Mutex::default(), closed: Condvar::new() }
    }

    /// Asks a worker. One that fails is ended, and its program is refused.
    pub(super) fn check(
        self: &Arc<Self>,
        program: &str,
        events: &[impl AsRef<[u8]>],
    ) -> Result<Vec<bool>, ConditionError> {
        let limit = Duration::from_millis(self.limits.batch_ms);
        self.with_worker((Asked::Holds, program.to_owned()), |worker| {
            worker.ask(events, limit).map_err(|failure| self.told(failure))
        })
    }

    /// Asks a worker for texts.
    pub(super) fn answers(
        self: &Arc<Self>,
        asked: Asked,
        program: &str,
        texts: &[impl AsRef<[u8]>],
    ) -> Result<Vec<Result<String, String>>, ConditionError> {
        let limit = Duration::from_millis(self.limits.batch_ms);
        let count = if asked == Asked::Fold { 1 } else { texts.len() };
        self.with_worker((asked, program.to_owned()), |worker| {
            worker.answers(texts, count, limit).map_err(|failure| self.told(failure))
        })
    }

    /// Has a worker that rests and knows the program.
    pub(super) fn prepare(self: &Arc<Self>, program: &str) -> Result<(), ConditionError> {
        self.with_worker((Asked::Holds, program.to_owned()), |_| Ok(()))
    }

    fn with_worker<T>(
        self: &Arc<Self>,
        program: Program,
        work: impl FnOnce(&mut Worker) -> Result<T, ConditionError>,
    ) -> Result<T, ConditionError> {
        let (mut worker, is_new) = match self.take_idle(&program)? {
            Some(worker) => (worker, false),
            None => (self.start()?, true),
        };
        let number = self.enter(&worker)?;
        let taught = if is_new { self.teach(&mut worker, &program) } else { Ok(()) };
        let answer = taught.and_then(|()| work(&mut worker));
        let is_closed = {
            let mut state = self.lock();
            state.busy.remove(&number);
            state.is_closed
        };
        match answer {
            Ok(answer) => {
                self.rest(program, worker);
                Ok(answer)
            }
            Err(_) if is_closed => Err(ConditionError::Stopped),
            Err(error) => Err(error),
        }
    }

    /// Ends every worker. Those at work lose their line, and whoever waits for them ends them.
    pub(super) fn close(&self) {
        let idle = {
            let mut state = self.lock();
            state.is_closed = true;
            for line in state.busy.values() {
                let _ = line.shutdown(Shutdown::Both);
            }
            std::mem::take(&mut state.idle)
        };
        drop(idle);
        self.closed.notify_all();
    }

    fn take_idle(&self, program: &Program) -> Result<Option<Worker>, ConditionError> {
        let mut dead = Vec::new();
        let mut state = self.lock();
        if state.is_closed {
            return Err(ConditionError::Stopped);
        }
        while let Some(index) = state.idle.iter().rposition(|idle| idle.program == *program) {
            let mut idle = state.idle.remove(index);
            if idle.worker.is_alive() {
                return Ok(Some(idle.worker));
            }
            dead.push(idle);
        }
        Ok(None)
    }

    /// Starts a worker; another that rests makes room for it.
    fn start(&self) -> Result<Worker, ConditionError> {
        let displaced = {
            let mut state = self.lock();
            let most = self.limits.workers.saturating_sub(state.busy.len() + 1);
            let excess = state.idle.len().saturating_sub(most);
            state.idle.drain(..excess).collect::<Vec<_>>()
        };
        drop(displaced);
        Worker::start(&self.command).map_err(unusable)
    }

    fn teach(&self, worker: &mut Worker, (asked, program): &Program) -> Result<(), ConditionError> {
        let task = Task {
            memory_bytes: self.limits.memory_bytes,
            batch_ms: self.limits.batch_ms,
            asked: *asked,
            program: program.clone(),
        };
        worker.prepare(&task, Duration::from_millis(self.limits.start_ms)).map_err(|failure| match failure {
            Failure::Late => {
                unusable(std::io::Error::other(format!("it was not ready in {} ms", self.limits.start_ms)))
            }
            failure => self.told(failure),
        })
    }

    /// Registers a worker as one that is at work.
    fn enter(&self, worker: &Worker) -> Result<u64, ConditionError> {
        let line = worker.line().map_err(unusable)?;
        let mut state = self.lock();
        if state.is_closed {
            return Err(ConditionError::Stopped);
        }
        state.started += 1;
        let number = state.started;
        state.busy.insert(number, line);
        Ok(number)
    }

    fn rest(self: &Arc<Self>, program: Program, worker: Worker) {
        let mut state = self.lock();
        if state.is_closed {
            return;
        }
        if !state.is_tidied {
            let pool = self.clone();
            let tidier = std::thread::Builder::new().name("tacho-conditions".into());
            if tidier.spawn(move || pool.tidy()).is_err() {
                // Nobody would end it.
                return;
            }
            state.is_tidied = true;
        }
        state.idle.push(Idle { program, worker, since: Instant::now() });
    }

    /// Ends those that rested too long, until none rests.
    fn tidy(&self) {
        let most = Duration::from_millis(self.limits.idle_ms);
        let mut state = self.lock();
        loop {
            let now = Instant::now();
            let old = state.idle.partition_point(|idle| now.duration_since(idle.since) >= most);
            let ended: Vec<Idle> = state.idle.drain(..old).collect();
            let Some(next) = state.idle.first().map(|idle| idle.since + most) else {
                state.is_tidied = false;
                drop(state);
                return;
            };
            if ended.is_empty() {
                let waited = self.closed.wait_timeout(state, next.saturating_duration_since(now));
                state = waited.unwrap_or_else(|poisoned| poisoned.into_inner()).0;
            } else {
                drop(state);
                drop(ended);
                state = self.lock();
            }
        }
    }

    fn told(&self, failure: Failure) -> ConditionError {
        match failure {
            Failure::Late => ConditionError::TooSlow { limit_ms: self.limits.batch_ms },
            Failure::Gone => ConditionError::Died { memory_bytes: self.limits.memory_bytes },
            Failure::Refused(reason) => ConditionError::Refused(reason),
            Failure::Io(error) => unusable(error),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

fn unusable(error: std::io::Error) -> ConditionError {
    ConditionError::Worker(Arc::new(error))
}
