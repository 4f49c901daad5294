//! Work that needs no hurry: sealing closed segments, flushing and merging the index, zeros ahead.

use crate::JournalError;
use crate::format::SegmentHeader;
use crate::index::Flush;
use crate::segment::{RawSegment, SealLimits, Segment, io_error, seal};
use crate::shared::Shared;
use crate::space::Space;
use crate::tree::Tree;
use std::sync::{Arc, PoisonError};

pub(crate) enum Chore {
    /// Compress a closed segment, whose events end with this tree.
    Seal { raw: Arc<RawSegment>, header: SegmentHeader, tree: Tree },
    /// Write the index's memory to runs, and merge runs where enough gathered.
    Flush(Flush),
    /// Write zeros ahead of the writer.
    Reserve(Arc<Space>),
    /// Write the zeros of the next segment.
    Spare,
}

impl Chore {
    /// Does the work. After a failure everything is as before, only larger or slower, and the same work may be
    /// tried again: a part of it that was done is not done twice.
    pub fn run(&self, shared: &Shared) -> Result<(), JournalError> {
        match self {
            Self::Seal { raw, header, tree } => seal_segment(shared, raw, header, tree),
            Self::Flush(flush) => flush_index(shared, flush),
            Self::Reserve(space) => space.prepare().map_err(|source| io_error(&*shared.storage, "", source)),
            Self::Spare => {
                let prepared = shared.spare.prepare(&*shared.storage, shared.options.segment_bytes);
                prepared.map_err(|source| io_error(&*shared.storage, "", source))
            }
        }
    }

    /// Whether it can wait for a quieter moment.
    pub fn is_patient(&self) -> bool {
        matches!(self, Self::Seal { .. })
    }

    /// Whether the writer will soon wait for it. Such work has a thread of its own; when it fails the writer asks
    /// again by itself.
    pub fn is_urgent(&self) -> bool {
        matches!(self, Self::Reserve(_) | Self::Spare)
    }
}

fn seal_segment(
    shared: &Shared,
    raw: &Arc<RawSegment>,
    header: &SegmentHeader,
    tree: &Tree,
) -> Result<(), JournalError> {
    let limits = SealLimits {
        block_bytes: shared.options.block_bytes,
        compression_level: shared.options.compression_level,
    };
    let storage = &*shared.storage;
    let sealed = seal(storage, raw, header, tree, limits, &|| shared.is_closing())?;
    shared.replace_segment(Segment::Sealed(Arc::new(sealed)));
    // Whoever reads the raw file now has it open. What stays of it goes when the log is opened again.
    let _ = storage.remove(&raw.name).and_then(|()| storage.sync_folder());
    Ok(())
}

fn flush_index(shared: &Shared, flush: &Flush) -> Result<(), JournalError> {
    let storage = &*shared.index_storage;
    let lock = || shared.index.lock().unwrap_or_else(PoisonError::into_inner);
    if lock().is_frozen(&flush.memory) {
        let (ids, heads) = flush.run(storage)?;
        lock().flushed(&flush.memory, ids, heads);
    }
    loop {
        // Planned under the lock, merged without it: only this thread changes the runs.
        let Some(merge) = lock().plan_merge() else { return Ok(()) };
        let run = merge.run(storage, &|| shared.is_closing())?;
        let gone = lock().merged(run);
        drop(merge);
        for name in gone {
            // What stays goes when the log is opened again.
            let _ = storage.remove(&name);
        }
    }
}
