//! The blocks and frames that were read last: the events of a page often stand in a few of them.

use bytes::Bytes;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// What tells a piece: its segment's first position and its offset there.
type Key = (u64, u64);

/// Pieces of segments, checked and decompressed, the one used last in front.
pub(crate) struct PieceCache {
    pieces: Mutex<VecDeque<(Key, Bytes)>>,
    limit: usize,
    max_bytes: usize,
}

/// What readers share.
pub(crate) struct Caches {
    /// Of sealed segments: about 64 KiB each; a larger one holds one large event, which is not read again and again.
    pub blocks: PieceCache,
    /// Of raw segments: a frame of a thousand events is half a mebibyte.
    pub frames: PieceCache,
}

impl Default for Caches {
    fn default() -> Self {
        Self { blocks: PieceCache::new(16, 256 << 10), frames: PieceCache::new(4, 1 << 20) }
    }
}

impl Caches {
    pub fn clear(&self) {
        self.blocks.clear();
        self.frames.clear();
    }
}

impl PieceCache {
    fn clear(&self) {
        self.pieces.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn new(limit: usize, max_bytes: usize) -> Self {
        Self { pieces: Mutex::default(), limit, max_bytes }
    }

    pub fn get(&self, key: Key) -> Option<Bytes> {
        let mut pieces = self.pieces.lock().unwrap_or_else(PoisonError::into_inner);
        let at = pieces.iter().position(|(known, _)| *known == key)?;
        let found = pieces.remove(at)?;
        let body = found.1.clone();
        pieces.push_front(found);
        Some(body)
    }

    pub fn put(&self, key: Key, body: &Bytes) {
        if body.len() <= self.max_bytes {
            let mut pieces = self.pieces.lock().unwrap_or_else(PoisonError::into_inner);
            pieces.truncate(self.limit - 1);
            pieces.push_front((key, body.clone()));
        }
    }
}
