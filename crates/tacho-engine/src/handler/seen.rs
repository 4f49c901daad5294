//! Which events came already, within a window: what a handler dedupes by.

use super::policy::{Dedupe, DedupeBy};
use std::collections::{HashMap, VecDeque};
use tacho_event::{Recorded, Timestamp};

use sha2::{Digest, Sha256};

/// Most of them that are remembered; the oldest go first, and what is like them is delivered again.
pub(crate) const MAX_SEEN: usize = 100_000;

/// A key of an event, and when the log took it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) hash: u64,
    pub(crate) at: Timestamp,
}

#[derive(Debug)]
pub(crate) struct Seen {
    window_ns: i64,
    known: HashMap<u64, Timestamp>,
    order: VecDeque<Mark>,
    /// Those that are not on the log yet.
    new: Vec<Mark>,
}

impl Seen {
    pub(crate) fn new(window_ms: u64) -> Self {
        let window_ns = i64::try_from(window_ms.saturating_mul(1_000_000)).unwrap_or(i64::MAX);
        Self { window_ns, known: HashMap::new(), order: VecDeque::new(), new: Vec::new() }
    }

    /// The oldest moment whose events still count at `now`.
    pub(crate) fn horizon(&self, now: Timestamp) -> Timestamp {
        Timestamp(now.0.saturating_sub(self.window_ns))
    }

    /// Whether an event that is like it came within the window; if not, it is the first of the next window.
    pub(crate) fn is_known(&mut self, mark: Mark) -> bool {
        if self.known.get(&mark.hash).is_some_and(|first| *first > self.horizon(mark.at)) {
            return true;
        }
        self.remember(mark);
        self.new.push(mark);
        false
    }

    /// As it was before a restart: older ones first.
    pub(crate) fn remember(&mut self, mark: Mark) {
        self.known.insert(mark.hash, mark.at);
        self.order.push_back(mark);
        let horizon = self.horizon(mark.at);
        while let Some(oldest) = self.order.front().copied()
            && (oldest.at <= horizon || self.order.len() > MAX_SEEN)
        {
            self.order.pop_front();
            if self.known.get(&oldest.hash) == Some(&oldest.at) {
                self.known.remove(&oldest.hash);
            }
        }
    }

    /// What is not on the log yet; it is from now on.
    pub(crate) fn take_new(&mut self) -> Vec<Mark> {
        std::mem::take(&mut self.new)
    }
}

/// What an event is known by, unless a program must be run for it.
pub(crate) fn plain_hash(dedupe: &Dedupe, event: &Recorded) -> Option<u64> {
    Some(match &dedupe.by {
        DedupeBy::Id => hash(&[event.id().as_bytes()]),
        DedupeBy::Content => hash(&[event.kind().as_bytes(), event.data().unwrap_or_default()]),
        DedupeBy::Key(key) => hash(&[key.plain(event)?.as_bytes()]),
    })
}

/// First 8 bytes of SHA-256 over `LP(part) ‖ …`. It is on the log, so it cannot change.
pub(crate) fn hash(parts: &[&[u8]]) -> u64 {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u32).to_be_bytes());
        hash.update(part);
    }
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hash.finalize()[..8]);
    u64::from_be_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(hash: u64, ms: i64) -> Mark {
        Mark { hash, at: Timestamp(ms * 1_000_000) }
    }

    #[test]
    fn the_window_counts_from_the_first() {
        let mut seen = Seen::new(100);
        assert!(!seen.is_known(mark(1, 1_000)));
        assert!(seen.is_known(mark(1, 1_050)) && seen.is_known(mark(1, 1_099)));
        assert!(!seen.is_known(mark(1, 1_100)), "a new window");
        assert!(!seen.is_known(mark(2, 1_100)));
        assert_eq!(seen.take_new().len(), 3);
        assert!(seen.take_new().is_empty());
    }

    #[test]
    fn what_is_remembered_again_is_known() {
        let mut seen = Seen::new(100);
        seen.remember(mark(1, 1_000));
        assert!(seen.is_known(mark(1, 1_099)) && seen.take_new().is_empty());
        assert!(!seen.is_known(mark(1, 1_200)));
    }
}
