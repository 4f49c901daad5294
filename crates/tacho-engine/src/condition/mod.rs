//! Conditions in jq, evaluated where they can be ended: in processes of their own.
//!
//! A jq program may run for ever or take all memory, and nothing inside a process can stop it there. So each
//! runs in a worker process, which is killed when it takes too long, and which the system ends when it takes
//! too much. Without a command for workers, conditions run in this process: for a reader that is its own
//! user's, and ends with it.

mod pace;
mod pool;
pub mod protocol;
mod worker;

pub(crate) use pace::Pace;

use crate::config::ConditionLimits;
use pool::Pool;
use protocol::Asked;
use std::ffi::OsString;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tacho_event::{Code, Jq};
use thiserror::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Why nothing is known about a condition.
#[derive(Debug, Clone, Error)]
pub enum ConditionError {
    #[error("the condition took longer than {limit_ms} ms: ask less of each event, or narrow the query")]
    TooSlow { limit_ms: u64 },
    #[error(
        "the condition ended its worker: it needs more than {} MiB of memory, or calls itself too deep",
        memory_bytes >> 20
    )]
    Died { memory_bytes: u64 },
    #[error("the condition is no jq program: {0}")]
    Refused(String),
    #[error("the jq program fails: {0}")]
    Failed(String),
    #[error("conditions of others are being evaluated, {0} at once: ask again")]
    Busy(usize),
    #[error("the process that evaluates conditions cannot be used: {0}")]
    Worker(Arc<io::Error>),
    #[error("the engine is stopping")]
    Stopped,
}

impl ConditionError {
    pub fn code(&self) -> Code {
        match self {
            Self::TooSlow { .. } | Self::Died { .. } | Self::Refused(_) | Self::Failed(_) => {
                Code::InvalidFilter
            }
            Self::Busy(_) => Code::Overloaded,
            Self::Worker(_) => Code::Internal,
            Self::Stopped => Code::ShuttingDown,
        }
    }
}

/// Evaluates conditions; clones share the workers.
#[derive(Clone)]
pub(crate) struct Conditions {
    pool: Option<Arc<Pool>>,
    limits: ConditionLimits,
    turns: Arc<Semaphore>,
}

/// The right to occupy one worker.
pub(crate) struct Turn {
    pool: Option<Arc<Pool>>,
    _permit: OwnedSemaphorePermit,
}

impl Conditions {
    /// `command` starts a worker; `None` evaluates in this process.
    pub(crate) fn new(command: Option<Vec<OsString>>, limits: ConditionLimits) -> Self {
        let turns = Arc::new(Semaphore::new(limits.workers.max(1)));
        let pool = command.map(|command| Arc::new(Pool::new(command, limits.clone())));
        Self { pool, limits, turns }
    }

    /// Waits for a turn, in the order of arrival.
    pub(crate) async fn turn(&self) -> Result<Turn, ConditionError> {
        let permit = self.turns.clone().acquire_owned().await.map_err(|_| ConditionError::Stopped)?;
        Ok(Turn { pool: self.pool.clone(), _permit: permit })
    }

    /// As [`Self::turn`], for those whom somebody waits for.
    pub(crate) async fn turn_within(&self, patience: Duration) -> Result<Turn, ConditionError> {
        let turn = tokio::time::timeout(patience, self.turn()).await;
        turn.unwrap_or(Err(ConditionError::Busy(self.limits.workers)))
    }

    /// Lets nobody begin; who has a turn ends within its limit.
    pub(crate) fn end_turns(&self) {
        self.turns.close();
    }

    /// Ends every worker, at work or not. Blocks for a moment.
    pub(crate) fn close(&self) {
        self.end_turns();
        if let Some(pool) = &self.pool {
            pool.close();
        }
    }
}

impl Turn {
    /// Has a worker ready for the condition, so that its start is not counted as the query's time. Blocks, at
    /// most for the time of a start.
    pub(crate) fn prepare(&self, condition: &Jq) -> Result<(), ConditionError> {
        self.pool.as_ref().map_or(Ok(()), |pool| pool.prepare(condition.as_str()))
    }

    /// Whether the condition holds for each of the events, given as CloudEvents JSON. Blocks, at most for the
    /// time of a batch and of a worker's start.
    pub(crate) fn check(
        &self,
        condition: &Jq,
        events: &[impl AsRef<[u8]>],
    ) -> Result<Vec<bool>, ConditionError> {
        match &self.pool {
            _ if events.is_empty() => Ok(Vec::new()),
            Some(pool) => pool.check(condition.as_str(), events),
            None => Ok(events.iter().map(|event| condition.holds_for(event.as_ref())).collect()),
        }
    }
    /// The program's first answer to each JSON text, as JSON. Blocks as [`Self::check`] does.
    pub(crate) fn first(
        &self,
        program: &Jq,
        texts: &[impl AsRef<[u8]>],
    ) -> Result<Vec<String>, ConditionError> {
        let answers = match &self.pool {
            _ if texts.is_empty() => Vec::new(),
            Some(pool) => pool.answers(Asked::First, program.as_str(), texts)?,
            None => texts.iter().map(|text| program.first_of(text.as_ref())).collect(),
        };
        answers.into_iter().map(|answer| answer.map_err(ConditionError::Failed)).collect()
    }

    /// The state behind events, given as CloudEvents JSON. Blocks as [`Self::check`] does.
    pub(crate) fn fold(
        &self,
        program: &Jq,
        state: Vec<u8>,
        events: Vec<Vec<u8>>,
    ) -> Result<String, ConditionError> {
        let answer = match &self.pool {
            None => program.fold(&state, events.iter().map(Vec::as_slice)),
            Some(pool) => {
                let texts: Vec<Vec<u8>> = std::iter::once(state).chain(events).collect();
                let answers = pool.answers(Asked::Fold, program.as_str(), &texts)?;
                answers.into_iter().next().unwrap_or_else(|| Err("it answers nothing".to_owned()))
            }
        };
        answer.map_err(ConditionError::Failed)
    }
}
