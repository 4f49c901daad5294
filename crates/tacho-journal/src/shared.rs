//! What readers and the writer share: the segments, and how far the log is durable.

use crate::JournalError;
use crate::format::Record;
use crate::index::Index;
use crate::journal::{Health, Options, ReadLimit};
use crate::segment::{Caches, Segment};
use crate::spare::Spare;
use crate::storage::Storage;
use crate::tree::Tree;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock};

type Observer = Box<dyn Fn(tacho_event::Position) + Send + Sync>;

pub(crate) struct Shared {
    pub storage: Arc<dyn Storage>,
    /// Derived files, in a folder of their own.
    pub index_storage: Arc<dyn Storage>,
    pub log_id: [u8; 16],
    pub options: Options,
    /// The last durable position. Stored after the segment knows the frame.
    head: AtomicU64,
    segments: RwLock<Vec<Segment>>,
    /// Held by the writer from admission to commit: nobody sees an id or a head that is not durable.
    pub index: Mutex<Index>,
    tree: Mutex<Tree>,
    /// Told when the tree has grown.
    tree_grew: Condvar,
    pub health: Mutex<Health>,
    observers: RwLock<Vec<Observer>>,
    pub caches: Caches,
    pub spare: Spare,
    closing: AtomicBool,
}

impl Shared {
    pub fn new(
        storage: Arc<dyn Storage>,
        index_storage: Arc<dyn Storage>,
        log_id: [u8; 16],
        options: Options,
        segments: Vec<Segment>,
        index: Index,
        tree: Tree,
    ) -> Self {
        Self {
            storage,
            index_storage,
            log_id,
            options,
            head: AtomicU64::new(tree.size()),
            segments: RwLock::new(segments),
            index: Mutex::new(index),
            tree: Mutex::new(tree),
            tree_grew: Condvar::new(),
            health: Mutex::new(Health::Good),
            observers: RwLock::default(),
            caches: Caches::default(),
            spare: Spare::default(),
            closing: AtomicBool::new(false),
        }
    }

    pub fn head(&self) -> u64 {
        self.head.load(Ordering::Acquire)
    }

    /// Lets readers see everything up to `head`, and tells the observers.
    pub fn publish(&self, head: u64) {
        self.head.store(head, Ordering::Release);
        for observe in self.observers.read().unwrap_or_else(PoisonError::into_inner).iter() {
            observe(tacho_event::Position(head));
        }
    }

    /// The tree over all that is durable. Its hashes are made behind the answers, so this may wait a moment for them.
    pub fn tree(&self) -> Tree {
        let head = self.head();
        let tree = self.tree.lock().unwrap_or_else(PoisonError::into_inner);
        let is_behind = |tree: &mut Tree| tree.size() < head;
        self.tree_grew.wait_while(tree, is_behind).unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn set_tree(&self, tree: &Tree) {
        self.tree.lock().unwrap_or_else(PoisonError::into_inner).clone_from(tree);
        self.tree_grew.notify_all();
    }

    pub fn observe(&self, observer: Observer) {
        self.observers.write().unwrap_or_else(PoisonError::into_inner).push(observer);
    }

    pub fn segments(&self) -> Vec<Segment> {
        self.segments.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn add_segment(&self, segment: Segment) {
        self.segments.write().unwrap_or_else(PoisonError::into_inner).push(segment);
    }

    /// Puts a sealed segment in the place of the raw one with the same start.
    pub fn replace_segment(&self, sealed: Segment) {
        let mut segments = self.segments.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(raw) = segments.iter_mut().find(|segment| segment.first() == sealed.first()) {
            *raw = sealed;
        }
    }

    /// The durable records from `from` on, without a gap.
    pub fn read(&self, from: u64, limit: ReadLimit) -> Result<Vec<Record>, JournalError> {
        let head = self.head();
        let mut out = Vec::new();
        let mut next = from.max(1);
        let mut bytes = limit.bytes;
        while next <= head && out.len() < limit.events && bytes > 0 {
            let Some(segment) = self.segment_of(next) else { break };
            let before = out.len();
            let events = limit.events.min(before + (head - next + 1) as usize);
            segment.read(&*self.storage, &self.caches, next, ReadLimit { events, bytes }, &mut out)?;
            if out.len() == before {
                break;
            }
            let taken: usize = out[before..].iter().map(|record| record.event.bytes().len()).sum();
            bytes = bytes.saturating_sub(taken);
            next += (out.len() - before) as u64;
        }
        Ok(out)
    }

    fn segment_of(&self, position: u64) -> Option<Segment> {
        let segments = self.segments.read().unwrap_or_else(PoisonError::into_inner);
        let index = segments.partition_point(|segment| segment.first() <= position).checked_sub(1)?;
        Some(segments[index].clone())
    }

    pub fn health(&self) -> Health {
        self.health.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn set_health(&self, health: Health) {
        *self.health.lock().unwrap_or_else(PoisonError::into_inner) = health;
    }

    pub fn set_closing(&self) {
        self.closing.store(true, Ordering::Release);
    }

    pub fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }
}
