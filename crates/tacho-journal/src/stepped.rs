//! The log step by step, on the caller's thread: what the threads of [`crate::Journal`] do, for
//! simulations that decide when each step happens.

use crate::appender::Appender;
use crate::housekeeping::Chore;
use crate::journal::{Health, Options, ReadLimit, Recovery};
use crate::recovery;
use crate::shared::Shared;
use crate::storage::Storage;
use crate::{AppendError, Appended, Batch, JournalError};
use std::collections::VecDeque;
use std::sync::Arc;
use tacho_event::{Position, Recorded};

pub struct Stepped {
    shared: Arc<Shared>,
    appender: Option<Appender>,
    chores: VecDeque<Chore>,
    pub recovery: Recovery,
}

impl Stepped {
    pub fn open(
        storage: Arc<dyn Storage>,
        index: Arc<dyn Storage>,
        options: Options,
    ) -> Result<Self, JournalError> {
        let opened = recovery::open(storage, index, options)?;
        Ok(Self {
            shared: opened.shared,
            appender: opened.appender,
            chores: opened.chores.into(),
            recovery: opened.recovery,
        })
    }

    /// Commits batches as one frame.
    pub fn commit(&mut self, batches: &[Batch]) -> Vec<Result<Appended, AppendError>> {
        let Some(appender) = &mut self.appender else {
            return batches.iter().map(|_| Err(AppendError::Closed)).collect();
        };
        let answers = appender.commit(batches);
        appender.settle();
        appender.reserve_ahead();
        self.chores.extend(appender.take_chores());
        answers
    }

    /// Does the oldest chore; false when there is none. One that fails stays.
    pub fn step_chore(&mut self) -> bool {
        let Some(chore) = self.chores.front() else { return false };
        if chore.run(&self.shared).is_ok() {
            self.chores.pop_front();
        }
        true
    }

    pub fn head(&self) -> Position {
        Position(self.shared.head())
    }

    pub fn read(&self, from: Position, limit: ReadLimit) -> Result<Vec<Recorded>, JournalError> {
        Ok(self.shared.read(from.0, limit)?.into_iter().map(|record| record.event).collect())
    }

    pub fn tree_root(&self) -> [u8; 32] {
        self.shared.tree().root()
    }

    pub fn health(&self) -> Health {
        self.shared.health()
    }

    /// Writes the end marker of a clean stop.
    pub fn close(mut self) -> Result<(), AppendError> {
        self.appender.as_mut().map_or(Ok(()), Appender::close)
    }
}
