//! A disk in memory that does what real ones do at the worst moment: loses, tears and reorders what was not
//! synced, fails a sync and drops what it held, fills up, and loses power before any operation.

use crate::random::Random;
use std::collections::{BTreeMap, HashMap};
use std::io::{Error, ErrorKind, Result};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tacho_journal::storage::{File, Mapped, Storage};

/// What may go wrong from now on.
#[derive(Debug, Clone, Copy, Default)]
pub struct Faults {
    /// One sync in so many fails; 0 for none.
    pub failing_sync: u64,
    /// Bytes that fit; 0 for no limit.
    pub capacity: u64,
    /// The power goes off before this many further operations; 0 for never.
    pub operations_left: u64,
}

/// A folder of files. Clones are the same folder.
#[derive(Clone)]
pub struct Disk(Arc<Mutex<State>>);

struct State {
    random: Random,
    faults: Faults,
    power_is_off: bool,
    names: BTreeMap<String, u64>,
    durable_names: BTreeMap<String, u64>,
    /// Changes of names that are not durable, in order.
    name_changes: Vec<NameChange>,
    nodes: HashMap<u64, Node>,
    next_node: u64,
}

#[derive(Clone)]
enum NameChange {
    Link(String, u64),
    Rename(String, String),
    Remove(String),
}

#[derive(Default, Clone)]
struct Node {
    current: Vec<u8>,
    durable: Vec<u8>,
    /// Writes that are not durable: offset and bytes.
    pending: Vec<(usize, Vec<u8>)>,
}

impl Disk {
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(State {
            random: Random::new(seed),
            faults: Faults::default(),
            power_is_off: false,
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            name_changes: Vec::new(),
            nodes: HashMap::new(),
            next_node: 0,
        })))
    }

    pub fn set_faults(&self, faults: Faults) {
        self.lock().faults = faults;
    }

    /// Whether operations still come through.
    pub fn has_power(&self) -> bool {
        !self.lock().power_is_off
    }

    /// The power went off and came back: of what was not synced, some is there, some torn, some gone.
    pub fn crash(&self) {
        let mut guard = self.lock();
        let state = &mut *guard;
        let kept = state.random.index(state.name_changes.len() + 1);
        let mut names = std::mem::take(&mut state.durable_names);
        for change in state.name_changes.drain(..).take(kept) {
            apply(&mut names, change);
        }
        state.durable_names.clone_from(&names);
        state.names = names;
        for node in state.nodes.values_mut() {
            node.lose(&mut state.random);
        }
        state.power_is_off = false;
        state.faults = Faults::default();
    }

    /// The files as they are, for looking at every byte.
    pub fn contents(&self) -> BTreeMap<String, Vec<u8>> {
        let state = self.lock();
        state.names.iter().map(|(name, node)| (name.clone(), state.nodes[node].current.clone())).collect()
    }

    /// A folder with these files, all durable.
    pub fn with_contents(contents: &BTreeMap<String, Vec<u8>>) -> Self {
        let disk = Self::new(0);
        let mut state = disk.lock();
        for (index, (name, bytes)) in contents.iter().enumerate() {
            state.names.insert(name.clone(), index as u64);
            state.nodes.insert(
                index as u64,
                Node { current: bytes.clone(), durable: bytes.clone(), pending: Vec::new() },
            );
        }
        state.durable_names = state.names.clone();
        state.next_node = contents.len() as u64;
        drop(state);
        disk
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Counts an operation that changes something; fails once the power is off.
    fn operate(&mut self) -> Result<()> {
        if self.faults.operations_left > 0 {
            self.faults.operations_left -= 1;
            self.power_is_off |= self.faults.operations_left == 0;
        }
        if self.power_is_off { Err(Error::other("the power is off")) } else { Ok(()) }
    }

    fn change_name(&mut self, change: NameChange) {
        apply(&mut self.names, change.clone());
        self.name_changes.push(change);
    }

    fn used(&self) -> u64 {
        self.names.values().map(|node| self.nodes[node].current.len() as u64).sum()
    }
}

fn apply(names: &mut BTreeMap<String, u64>, change: NameChange) {
    match change {
        NameChange::Link(name, node) => {
            names.insert(name, node);
        }
        NameChange::Rename(from, to) => {
            if let Some(node) = names.remove(&from) {
                names.insert(to, node);
            }
        }
        NameChange::Remove(name) => {
            names.remove(&name);
        }
    }
}

impl Node {
    fn write(bytes: &mut Vec<u8>, offset: usize, written: &[u8]) {
        if bytes.len() < offset + written.len() {
            bytes.resize(offset + written.len(), 0);
        }
        bytes[offset..offset + written.len()].copy_from_slice(written);
    }

    /// Each pending write is kept, lost, or torn to a piece of it, in any order.
    fn settle_randomly(&mut self, random: &mut Random) {
        let mut pending = std::mem::take(&mut self.pending);
        while !pending.is_empty() {
            let (offset, bytes) = pending.swap_remove(random.index(pending.len()));
            match random.below(3) {
                0 => {}
                1 => Self::write(&mut self.durable, offset, &bytes),
                _ => {
                    let from = if random.once_in(2) { 0 } else { random.index(bytes.len() + 1) };
                    let to = from + random.index(bytes.len() - from + 1);
                    Self::write(&mut self.durable, offset + from, &bytes[from..to]);
                }
            }
        }
    }

    fn lose(&mut self, random: &mut Random) {
        self.settle_randomly(random);
        self.current.clone_from(&self.durable);
    }
}

impl Storage for Disk {
    fn open(&self, name: &str, create: bool) -> Result<Arc<dyn File>> {
        let mut state = self.lock();
        let known = state.names.get(name).copied();
        let node = match known {
            Some(node) => node,
            None if !create => return Err(ErrorKind::NotFound.into()),
            None => {
                state.operate()?;
                let node = state.next_node;
                state.next_node += 1;
                state.nodes.insert(node, Node::default());
                state.change_name(NameChange::Link(name.to_owned(), node));
                node
            }
        };
        Ok(Arc::new(Handle { disk: self.clone(), node }))
    }

    fn list(&self) -> Result<Vec<String>> {
        Ok(self.lock().names.keys().cloned().collect())
    }

    fn rename(&self, from: &str, to: &str) -> Result<()> {
        let mut state = self.lock();
        state.operate()?;
        if !state.names.contains_key(from) {
            return Err(ErrorKind::NotFound.into());
        }
        state.change_name(NameChange::Rename(from.to_owned(), to.to_owned()));
        Ok(())
    }

    fn remove(&self, name: &str) -> Result<()> {
        let mut state = self.lock();
        state.operate()?;
        if !state.names.contains_key(name) {
            return Err(ErrorKind::NotFound.into());
        }
        state.change_name(NameChange::Remove(name.to_owned()));
        Ok(())
    }

    fn sync_folder(&self) -> Result<()> {
        let mut state = self.lock();
        state.operate()?;
        state.name_changes.clear();
        state.durable_names = state.names.clone();
        Ok(())
    }

    fn path(&self, name: &str) -> PathBuf {
        PathBuf::from(name)
    }
}

struct Handle {
    disk: Disk,
    node: u64,
}

impl Handle {
    fn with<T>(&self, read: impl FnOnce(&Node) -> T) -> T {
        read(&self.disk.lock().nodes[&self.node])
    }
}

impl File for Handle {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> Result<usize> {
        Ok(self.with(|node| {
            let from = (offset as usize).min(node.current.len());
            let count = buffer.len().min(node.current.len() - from);
            buffer[..count].copy_from_slice(&node.current[from..from + count]);
            count
        }))
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> Result<()> {
        let mut guard = self.disk.lock();
        let state = &mut *guard;
        let is_cut = state.operate().is_err();
        let used = state.used();
        let node = state.nodes.get_mut(&self.node).ok_or(ErrorKind::NotFound)?;
        let growth = (offset + bytes.len() as u64).saturating_sub(node.current.len() as u64);
        let is_full = state.faults.capacity > 0 && growth > 0 && used + growth > state.faults.capacity;
        // A write that fails may have come through in part.
        let through = if is_cut || is_full { state.random.index(bytes.len() + 1) } else { bytes.len() };
        let through =
            if is_full { through.min(bytes.len().saturating_sub(growth as usize)) } else { through };
        if through > 0 || bytes.is_empty() {
            Node::write(&mut node.current, offset as usize, &bytes[..through]);
            node.pending.push((offset as usize, bytes[..through].to_vec()));
        }
        match (is_cut, is_full) {
            (true, _) => Err(Error::other("the power is off")),
            (_, true) => Err(ErrorKind::StorageFull.into()),
            _ => Ok(()),
        }
    }

    fn sync(&self) -> Result<()> {
        let mut guard = self.disk.lock();
        let state = &mut *guard;
        state.operate()?;
        let fails = state.faults.failing_sync > 0 && state.random.once_in(state.faults.failing_sync);
        let node = state.nodes.get_mut(&self.node).ok_or(ErrorKind::NotFound)?;
        if fails {
            // The kernel reports it once and forgets: what is read is there, what is on the disk may not be.
            node.settle_randomly(&mut state.random);
            return Err(Error::other("the sync failed"));
        }
        for (offset, bytes) in std::mem::take(&mut node.pending) {
            Node::write(&mut node.durable, offset, &bytes);
        }
        Ok(())
    }

    fn length(&self) -> Result<u64> {
        Ok(self.with(|node| node.current.len() as u64))
    }

    fn map(&self) -> Result<Mapped> {
        Ok(Mapped::Copy(self.with(|node| node.current.clone())))
    }
}
