//! The next segment's zeros, written before the segment is needed.

use crate::space::write_zeros;
use crate::storage::Storage;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

const NAME: &str = "spare.tmp";

/// A file of zeros, as long as a segment. It has a temporary name, so what a crash leaves of it goes.
#[derive(Default)]
pub(crate) struct Spare {
    /// Whether a chore to make it is waiting or done.
    asked: AtomicBool,
    ready: AtomicBool,
}

impl Spare {
    /// Whether the writer, at `end` of a segment of `segment_bytes`, should have it made. True once.
    pub fn is_wanted(&self, end: u64, segment_bytes: u64) -> bool {
        end > segment_bytes / 2 && !self.asked.swap(true, Ordering::AcqRel)
    }

    /// Makes the file.
    pub fn prepare(&self, storage: &dyn Storage, bytes: u64) -> io::Result<()> {
        let made = Self::write(storage, bytes);
        self.ready.store(made.is_ok(), Ordering::Release);
        self.asked.store(made.is_ok(), Ordering::Release);
        made
    }

    fn write(storage: &dyn Storage, bytes: u64) -> io::Result<()> {
        let _ = storage.remove(NAME);
        let file = storage.open(NAME, true)?;
        write_zeros(&*file, 0, bytes)
    }

    /// Gives the file away under another name, if it is there.
    pub fn take(&self, storage: &dyn Storage, name: &str) -> bool {
        let ready = self.ready.swap(false, Ordering::AcqRel);
        if ready {
            self.asked.store(false, Ordering::Release);
        }
        ready && storage.rename(NAME, name).is_ok()
    }
}
