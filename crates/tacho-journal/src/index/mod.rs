//! Which ids and streams the log has: `hash64(source, id) → position` and `stream → head`, on disk in sorted
//! runs with filters, so that neither memory nor start-up grows with the log.
//!
//! Derived from the log: a run that is missing or damaged is made again. What is newer than the runs is in
//! memory, and read from the log again after a restart.

mod merge;
mod run;

pub(crate) use merge::{Flush, Merge};
use run::{Run, RunKind, RunName};

use crate::JournalError;
use crate::journal::StreamHead;
use crate::storage::Storage;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;
use tacho_event::{Position, Sequence};

pub(crate) type IdHash = u64;
pub(crate) type StreamHash = [u8; 16];

/// Heads of streams that were not written lately are kept in memory up to this number.
const MAX_CLEAN_HEADS: usize = 32 * 1024;

/// The hash under which an id is kept: the first 8 bytes of SHA-256(LP(source) ‖ LP(id)).
pub(crate) fn id_hash(source: &str, id: &str) -> IdHash {
    let mut bytes = Vec::with_capacity(source.len() + id.len() + 8);
    for name in [source, id] {
        bytes.extend_from_slice(&(name.len() as u32).to_be_bytes());
        bytes.extend_from_slice(name.as_bytes());
    }
    crate::format::u64_at(&Sha256::digest(&bytes), 0)
}

/// The first 16 bytes of SHA-256(stream): long enough to stand for the stream.
pub(crate) fn stream_hash(stream: &str) -> StreamHash {
    crate::format::array_at(&Sha256::digest(stream), 0)
}

/// Keys are hashes already.
#[derive(Default)]
pub(crate) struct Identity(u64);

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = crate::format::u64_at(bytes, 0);
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}

type Ids = HashMap<IdHash, u64, BuildHasherDefault<Identity>>;
type Heads = HashMap<StreamHash, StreamHead, BuildHasherDefault<Identity>>;

/// What was appended since the last flush.
#[derive(Default)]
pub(crate) struct Memory {
    pub ids: Ids,
    /// Further positions of a hash that is taken: different ids may share one.
    pub collisions: Vec<(IdHash, u64)>,
    pub heads: Heads,
    pub from: u64,
    pub to: u64,
}

pub(crate) struct Index {
    log_id: [u8; 16],
    memory: Memory,
    /// Being written to a run.
    frozen: Option<Arc<Memory>>,
    ids: Vec<Arc<Run>>,
    heads: Vec<Arc<Run>>,
    clean_heads: Heads,
    flush_entries: usize,
}

impl Index {
    /// Opens the runs that cover the log from its start without a gap; what does not fit is removed
    /// unless `read_only`. The caller then inserts what is behind [`Self::covered`].
    pub fn open(
        storage: &dyn Storage,
        log_id: [u8; 16],
        head: u64,
        flush_entries: usize,
        read_only: bool,
    ) -> Result<Self, JournalError> {
        let names = storage.list().unwrap_or_default();
        let mut runs: Vec<RunName> = names.iter().filter_map(|name| RunName::parse(name)).collect();
        // At the same start the longest first: a merge may have died before it removed what it merged.
        runs.sort_by_key(|run| (run.from, u64::MAX - run.to));
        let mut index = Self {
            log_id,
            memory: Memory::default(),
            frozen: None,
            ids: Vec::new(),
            heads: Vec::new(),
            clean_heads: Heads::default(),
            flush_entries,
        };
        for name in runs {
            let chain = if name.kind == RunKind::Ids { &mut index.ids } else { &mut index.heads };
            let fits = name.from == chain.last().map_or(0, |run| run.name.to) + 1
                && name.to >= name.from
                && name.to <= head;
            let run = if fits { Run::open(storage, name, log_id).ok() } else { None };
            chain.extend(run.map(Arc::new));
        }
        index.trim_to_common();
        if !read_only {
            index.remove_strangers(storage, &names);
        }
        let from = index.covered() + 1;
        index.memory = Memory { from, to: from - 1, ..Memory::default() };
        Ok(index)
    }

    /// Both kinds must cover the same positions; what goes further is given up.
    fn trim_to_common(&mut self) {
        loop {
            let end = |chain: &Vec<Arc<Run>>| chain.last().map_or(0, |run| run.name.to);
            let (ids, heads) = (end(&self.ids), end(&self.heads));
            match ids.cmp(&heads) {
                std::cmp::Ordering::Equal => return,
                std::cmp::Ordering::Greater => self.ids.pop(),
                std::cmp::Ordering::Less => self.heads.pop(),
            };
        }
    }

    fn remove_strangers(&self, storage: &dyn Storage, names: &[String]) {
        let known: Vec<String> = self.ids.iter().chain(&self.heads).map(|run| run.name.file_name()).collect();
        for name in names.iter().filter(|name| !known.contains(name)) {
            let _ = storage.remove(name);
        }
    }

    /// The last position that runs cover.
    pub fn covered(&self) -> u64 {
        self.ids.last().map_or(0, |run| run.name.to)
    }

    /// Positions that may hold the id, newest memory first; the caller compares the names.
    pub fn positions(&self, hash: IdHash, found: &mut Vec<u64>) {
        found.clear();
        for memory in std::iter::once(&self.memory).chain(self.frozen.as_deref()) {
            found.extend(memory.ids.get(&hash));
            found.extend(
                memory.collisions.iter().filter(|(known, _)| *known == hash).map(|(_, position)| *position),
            );
        }
        let key = hash.to_be_bytes();
        for run in &self.ids {
            found.extend(run.find(&key).map(|entry| crate::format::u64_at(entry, 8)));
        }
    }

    pub fn insert_id(&mut self, hash: IdHash, position: u64) {
        match self.memory.ids.entry(hash) {
            std::collections::hash_map::Entry::Vacant(free) => {
                free.insert(position);
            }
            std::collections::hash_map::Entry::Occupied(_) => self.memory.collisions.push((hash, position)),
        }
        self.memory.to = position;
    }

    pub fn set_head(&mut self, stream: StreamHash, head: StreamHead) {
        self.memory.heads.insert(stream, head);
    }

    /// The head of a stream; zero for one without events.
    pub fn head(&mut self, stream: StreamHash) -> StreamHead {
        if let Some(head) = self.known_head(&stream) {
            return head;
        }
        let head = self.head_in_runs(&stream);
        if self.clean_heads.len() >= MAX_CLEAN_HEADS {
            self.clean_heads.clear();
        }
        self.clean_heads.insert(stream, head);
        head
    }

    fn known_head(&self, stream: &StreamHash) -> Option<StreamHead> {
        let frozen = || self.frozen.as_ref().and_then(|frozen| frozen.heads.get(stream));
        self.memory.heads.get(stream).or_else(frozen).or_else(|| self.clean_heads.get(stream)).copied()
    }

    fn head_in_runs(&self, stream: &StreamHash) -> StreamHead {
        for run in self.heads.iter().rev() {
            if let Some(entry) = run.find(stream).next() {
                let [position, sequence] = [16, 24].map(|at| crate::format::u64_at(entry, at));
                return StreamHead { position: Position(position), sequence: Sequence(sequence) };
            }
        }
        StreamHead { position: Position::ZERO, sequence: Sequence::ZERO }
    }

    /// Lets go of what answering brought into memory and the files still have.
    pub fn release(&self) {
        self.ids.iter().chain(&self.heads).for_each(|run| run.release());
    }

    /// When enough gathered and the flush before is done: gives up what is in memory to be written.
    pub fn freeze(&mut self) -> Option<Flush> {
        if self.frozen.is_some() || self.memory.ids.len() < self.flush_entries {
            return None;
        }
        let next = Memory { from: self.memory.to + 1, to: self.memory.to, ..Memory::default() };
        let frozen = Arc::new(std::mem::replace(&mut self.memory, next));
        // The cache below answers only for streams that nothing newer answers for.
        for stream in frozen.heads.keys() {
            self.clean_heads.remove(stream);
        }
        self.frozen = Some(Arc::clone(&frozen));
        Some(Flush { memory: frozen, log_id: self.log_id })
    }

    /// Whether this memory still waits for its runs.
    pub fn is_frozen(&self, memory: &Arc<Memory>) -> bool {
        self.frozen.as_ref().is_some_and(|frozen| Arc::ptr_eq(frozen, memory))
    }

    /// Takes in the runs that a flush of `memory` wrote.
    pub fn flushed(&mut self, memory: &Arc<Memory>, ids: Run, heads: Run) {
        if !self.is_frozen(memory) {
            return;
        }
        if let Some(frozen) = self.frozen.take() {
            let room = MAX_CLEAN_HEADS.saturating_sub(self.clean_heads.len());
            self.clean_heads.extend(frozen.heads.iter().take(room).map(|(stream, head)| (*stream, *head)));
        }
        self.ids.push(Arc::new(ids));
        self.heads.push(Arc::new(heads));
    }

    /// The next runs that should become one.
    pub fn plan_merge(&self) -> Option<Merge> {
        [&self.ids, &self.heads]
            .into_iter()
            .find_map(|chain| merge::plan(chain, self.flush_entries, self.log_id))
    }

    /// Puts the merged run in the place of what it was made of. Answers the files that can go.
    pub fn merged(&mut self, run: Run) -> Vec<String> {
        let chain = if run.name.kind == RunKind::Ids { &mut self.ids } else { &mut self.heads };
        let inside = |old: &Arc<Run>| old.name.from >= run.name.from && old.name.to <= run.name.to;
        let gone = chain.iter().filter(|old| inside(old)).map(|old| old.name.file_name()).collect();
        let at = chain.iter().position(inside).unwrap_or(chain.len());
        chain.retain(|old| !inside(old));
        chain.insert(at, Arc::new(run));
        gone
    }
}
