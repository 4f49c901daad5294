//! Zeros ahead of the end of a segment. A sync of bytes that replace zeros need not touch the file's
//! metadata, which makes it nearly twice as fast.

use crate::JournalError;
use crate::segment::{RawSegment, io_error};
use crate::shared::Shared;
use crate::storage::File;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Zeros are written in pieces of this size, each synced, so that a frame's sync never waits for more. Larger ones
/// made frames wait for milliseconds, smaller ones cost more syncs.
const PIECE_BYTES: u64 = 256 << 10;
static ZEROS: [u8; PIECE_BYTES as usize] = [0; PIECE_BYTES as usize];

pub(crate) struct Space {
    /// A handle of its own: a system tells a failed write once to each handle, and the writer must hear of its own.
    file: Arc<dyn File>,
    /// Up to here the file has bytes; the writer never goes beyond without asking.
    zeroed: AtomicU64,
    /// Held while zeros are written: they must not run over a frame.
    growing: Mutex<()>,
    stopped: AtomicBool,
    /// Whether a chore to prepare is waiting.
    asked: AtomicBool,
    limit: u64,
    ahead: u64,
    wanted: AtomicU64,
}

impl Space {
    /// `zeroed` is how far the segment's file goes.
    pub fn open(shared: &Shared, segment: &RawSegment, zeroed: u64) -> Result<Arc<Self>, JournalError> {
        let (storage, options) = (&*shared.storage, &shared.options);
        let file = storage.open(&segment.name, false);
        let file = file.map_err(|source| io_error(storage, &segment.name, source))?;
        Ok(Arc::new(Self {
            file,
            zeroed: AtomicU64::new(zeroed),
            growing: Mutex::new(()),
            stopped: AtomicBool::new(false),
            asked: AtomicBool::new(false),
            limit: options.segment_bytes,
            ahead: options.preallocate_bytes,
            wanted: AtomicU64::new(0),
        }))
    }

    /// Makes sure that the file reaches to `to`, on the writer's thread.
    pub fn ensure(&self, to: u64) -> io::Result<()> {
        if self.zeroed.load(Ordering::Acquire) >= to {
            return Ok(());
        }
        let _growing = self.growing.lock().unwrap_or_else(PoisonError::into_inner);
        // When the chores do not keep up, larger steps save syncs; a small log takes small ones.
        let step = (to / 2).clamp(PIECE_BYTES / 4, 4 * PIECE_BYTES).min(self.ahead);
        let error = match self.grow(to.max((to + step).min(self.limit))) {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        // A nearly full disk may still have room for what is needed now.
        if error.kind() == io::ErrorKind::StorageFull { self.grow(to) } else { Err(error) }
    }

    /// Whether the writer, at `end`, will soon need more. True once until [`Self::prepare`] has run.
    pub fn is_low(&self, end: u64) -> bool {
        let zeroed = self.zeroed.load(Ordering::Acquire);
        // The more was written, the more is prepared: a small log stays small.
        let ahead = (end / 2).clamp(PIECE_BYTES.min(self.ahead), self.ahead);
        let target = (end + ahead).min(self.limit);
        let is_low = zeroed < self.limit && zeroed < end + ahead / 2;
        if !is_low {
            return false;
        }
        self.wanted.fetch_max(target, Ordering::AcqRel);
        !self.asked.swap(true, Ordering::AcqRel)
    }

    /// Writes zeros up to what is wanted, piece by piece, on the thread of the chores.
    pub fn prepare(&self) -> io::Result<()> {
        self.asked.store(false, Ordering::Release);
        loop {
            let wanted = self.wanted.load(Ordering::Acquire);
            let _growing = self.growing.lock().unwrap_or_else(PoisonError::into_inner);
            let zeroed = self.zeroed.load(Ordering::Acquire);
            if zeroed >= wanted || self.stopped.load(Ordering::Acquire) {
                return Ok(());
            }
            self.grow(wanted.min(zeroed + PIECE_BYTES))?;
        }
    }

    /// Writes and syncs zeros. The caller holds `growing`.
    fn grow(&self, to: u64) -> io::Result<()> {
        let from = self.zeroed.load(Ordering::Acquire);
        if from >= to {
            return Ok(());
        }
        write_zeros(&*self.file, from, to)?;
        self.zeroed.store(to, Ordering::Release);
        Ok(())
    }

    /// The segment is closed: nothing more is prepared.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
    }
}

/// Writes and syncs zeros, piece by piece.
pub(crate) fn write_zeros(file: &dyn File, mut from: u64, to: u64) -> io::Result<()> {
    while from < to {
        let piece = PIECE_BYTES.min(to - from);
        file.write_at(&ZEROS[..piece as usize], from)?;
        file.sync()?;
        from += piece;
    }
    Ok(())
}
