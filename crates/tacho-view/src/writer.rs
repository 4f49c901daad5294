//! The one writer of a view.

use crate::error::ViewError;
use crate::fold::{FoldState, Idle};
use crate::open::Restart;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tacho_event::{Position, Recorded};

/// Length of the write-ahead log from which on readers are waited for, so that it starts again.
const MAX_WAL_BYTES: u64 = 64 * 1024 * 1024;
/// How much longer it grows until they are waited for again, where one stays for long.
const WAL_STEP_BYTES: u64 = 16 * 1024 * 1024;
/// Length of the write-ahead log that may stay when nothing is to be folded.
const IDLE_WAL_BYTES: u64 = 4 * 1024 * 1024;

/// Folds events into the view, each call in one transaction. Not to be shared: the view has one.
#[derive(Debug)]
pub struct Writer {
    database: Connection,
    /// Absent after a failure, when memory may be ahead of the database.
    state: Option<FoldState>,
    published: Arc<AtomicU64>,
    restart: Option<Restart>,
    /// Length of the write-ahead log at which readers are waited for next.
    wal_limit: u64,
}

impl Writer {
    pub(crate) fn new(database: Connection, restart: Option<Restart>) -> Result<Self, ViewError> {
        let state = FoldState::load(&database)?;
        let published = Arc::new(AtomicU64::new(state.position().0));
        Ok(Self { database, state: Some(state), published, restart, wal_limit: MAX_WAL_BYTES })
    }

    pub(crate) fn published(&self) -> &Arc<AtomicU64> {
        &self.published
    }

    /// Why the view that was there when it was opened was thrown away, if it was.
    pub fn restart(&self) -> Option<Restart> {
        self.restart
    }

    /// The last position that is folded.
    pub fn position(&self) -> Position {
        Position(self.published.load(Ordering::Acquire))
    }

    /// Folds the events behind [`Self::position`], which follow each other, in one transaction. After an error
    /// nothing of them is folded; the same call may be tried again.
    pub fn fold(&mut self, events: &[Recorded]) -> Result<(), ViewError> {
        let mut expected = self.position();
        for event in events {
            expected = expected.next();
            if event.position != expected {
                return Err(ViewError::OutOfOrder { expected, actual: event.position });
            }
        }
        if events.is_empty() {
            return Ok(());
        }
        self.transact(|state, database| state.fold(database, events))?;
        self.published.store(expected.0, Ordering::Release);
        self.bound_wal()
    }

    /// Tidies while nothing is to be folded: a part of a merge, some milliseconds. Answers whether there is more
    /// to do; when there is not, memory and the write-ahead log have been given back.
    pub fn maintain(&mut self) -> Result<bool, ViewError> {
        let idle = self.transact(|state, database| state.tidy(database))?;
        if idle == Idle::More {
            return Ok(true);
        }
        if let Some(state) = &mut self.state {
            state.release();
        }
        if self.wal_bytes() > IDLE_WAL_BYTES {
            self.checkpoint("TRUNCATE")?;
            self.database.execute_batch("PRAGMA shrink_memory")?;
        }
        Ok(false)
    }

    fn transact<T>(
        &mut self,
        work: impl FnOnce(&mut FoldState, &Connection) -> Result<T, ViewError>,
    ) -> Result<T, ViewError> {
        let mut state = match self.state.take() {
            Some(state) => state,
            None => FoldState::load(&self.database)?,
        };
        let transaction = Transaction::new_unchecked(&self.database, TransactionBehavior::Immediate)?;
        let done = work(&mut state, &transaction)?;
        transaction.commit()?;
        self.state = Some(state);
        Ok(done)
    }

    /// SQLite moves the write-ahead log into the database by itself, but readers who always overlap keep it from
    /// starting again at its beginning.
    fn bound_wal(&mut self) -> Result<(), ViewError> {
        let length = self.wal_bytes();
        if length <= MAX_WAL_BYTES {
            self.wal_limit = MAX_WAL_BYTES;
        } else if length > self.wal_limit {
            self.wal_limit = length + WAL_STEP_BYTES;
            self.checkpoint("RESTART")?;
        }
        Ok(())
    }

    fn wal_bytes(&self) -> u64 {
        let file = self.database.path().map(|path| format!("{path}-wal"));
        file.and_then(|file| std::fs::metadata(file).ok()).map_or(0, |metadata| metadata.len())
    }

    /// Readers may keep it from moving everything; the next time moves the rest.
    fn checkpoint(&self, mode: &str) -> Result<(), ViewError> {
        let sql = format!("PRAGMA wal_checkpoint({mode})");
        Ok(self.database.query_row(&sql, [], |_| Ok(()))?)
    }
}
