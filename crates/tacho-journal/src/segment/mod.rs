//! The files that hold the log, one after the other: raw ones that are or were written to, sealed ones
//! that are compressed.

mod cache;
mod raw;
mod scan;
mod seal;
mod sealed;

pub(crate) use cache::Caches;
pub(crate) use raw::{Frames, RawSegment};
pub(crate) use scan::{Scanned, Tail, scan};
pub(crate) use seal::{SealLimits, seal};
pub(crate) use sealed::SealedSegment;

use crate::format::Record;
use crate::journal::ReadLimit;
use crate::{JournalError, storage::Storage};
use std::sync::Arc;

/// A part of the log, from one position to another.
#[derive(Clone)]
pub(crate) enum Segment {
    Raw(Arc<RawSegment>),
    Sealed(Arc<SealedSegment>),
}

impl Segment {
    pub fn first(&self) -> u64 {
        match self {
            Self::Raw(raw) => raw.first,
            Self::Sealed(sealed) => sealed.first,
        }
    }

    pub fn name(&self) -> &str {
        match self {
            Self::Raw(raw) => &raw.name,
            Self::Sealed(sealed) => &sealed.name,
        }
    }

    /// Appends records from `from` on to `out`, as many as this segment has and `limit` allows.
    pub fn read(
        &self,
        storage: &dyn Storage,
        caches: &Caches,
        from: u64,
        limit: ReadLimit,
        out: &mut Vec<Record>,
    ) -> Result<(), JournalError> {
        match self {
            Self::Raw(raw) => raw.read(storage, &caches.frames, from, limit, out),
            Self::Sealed(sealed) => sealed.read(storage, &caches.blocks, from, limit, out),
        }
    }
}

/// The name of the raw segment that starts at a position; names sort as positions do.
pub(crate) fn raw_name(first: u64) -> String {
    format!("{first:020}.log")
}

pub(crate) fn sealed_name(first: u64) -> String {
    format!("{first:020}.sealed")
}

/// The first position of a segment, from its file's name, and whether it is sealed.
pub(crate) fn parse_name(name: &str) -> Option<(u64, bool)> {
    let (digits, extension) = name.split_once('.')?;
    let sealed = match extension {
        "log" => false,
        "sealed" => true,
        _ => return None,
    };
    (digits.len() == 20).then(|| digits.parse().ok()).flatten().map(|first| (first, sealed))
}

pub(crate) fn io_error(storage: &dyn Storage, name: &str, source: std::io::Error) -> JournalError {
    JournalError::Io { path: storage.path(name), source }
}

pub(crate) fn damaged(
    storage: &dyn Storage,
    name: &str,
    offset: u64,
    what: impl Into<String>,
) -> JournalError {
    JournalError::Damaged { path: storage.path(name), offset, what: what.into() }
}
