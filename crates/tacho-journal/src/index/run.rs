//! A sorted run on disk: `header ‖ filter ‖ entries`. An entry is a key and a value; keys are the first
//! bytes of a hash, so they sort as bytes.

use crate::JournalError;
use crate::format::{array_at, u32_at, u64_at};
use crate::segment::{damaged, io_error};
use crate::storage::{File, Mapped, Storage};

const MAGIC: [u8; 8] = *b"TACHORUN";
const HEADER_BYTES: usize = 64;
/// A filter's block is one cache line, so that asking a run costs one miss.
const FILTER_BLOCK_BYTES: usize = 64;
/// About one in a hundred asks of an absent key finds the filter saying maybe.
const FILTER_BITS_PER_KEY: u64 = 10;
const FILTER_PROBES: u32 = 6;
const BUFFER_BYTES: usize = 1 << 20;
/// Larger runs are checked when they are merged, so that a start does not read them whole.
const MAX_CHECKED_AT_OPEN_BYTES: usize = 8 << 20;

/// What a run holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RunKind {
    /// hash64(source, id) → position.
    Ids,
    /// hash128(stream) → position and sequence of its last event.
    Heads,
}

impl RunKind {
    pub fn entry_bytes(self) -> usize {
        match self {
            Self::Ids => 16,
            Self::Heads => 32,
        }
    }

    fn prefix(self) -> &'static str {
        match self {
            Self::Ids => "ids",
            Self::Heads => "heads",
        }
    }
}

/// The positions that a run covers, both ends included, and what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RunName {
    pub kind: RunKind,
    pub from: u64,
    pub to: u64,
}

impl RunName {
    pub fn file_name(self) -> String {
        format!("{}-{:020}-{:020}.run", self.kind.prefix(), self.from, self.to)
    }

    pub fn parse(name: &str) -> Option<Self> {
        let mut parts = name.strip_suffix(".run")?.split('-');
        let kind = match parts.next()? {
            "ids" => RunKind::Ids,
            "heads" => RunKind::Heads,
            _ => return None,
        };
        let parsed = Self { kind, from: parts.next()?.parse().ok()?, to: parts.next()?.parse().ok()? };
        parts.next().is_none().then_some(parsed)
    }
}

pub(crate) struct Run {
    pub name: RunName,
    pub count: u64,
    entries_at: usize,
    filter_blocks: u64,
    bytes: Mapped,
}

impl Run {
    pub fn open(storage: &dyn Storage, name: RunName, log_id: [u8; 16]) -> Result<Self, JournalError> {
        let file_name = name.file_name();
        let fault = |what: &str| damaged(storage, &file_name, 0, what);
        let file = storage.open(&file_name, false).map_err(|source| io_error(storage, &file_name, source))?;
        let bytes = file.map().map_err(|source| io_error(storage, &file_name, source))?;
        let right = bytes.len() >= HEADER_BYTES
            && bytes[..8] == MAGIC
            && crc32fast::hash(&bytes[..60]) == u32_at(&bytes, 60);
        if !right || array_at(&bytes, 16) != log_id {
            return Err(fault("the run's header is wrong"));
        }
        let (count, filter_blocks) = (u64_at(&bytes, 32), u64_at(&bytes, 40));
        let entries_at = HEADER_BYTES + filter_blocks as usize * FILTER_BLOCK_BYTES;
        if u32_at(&bytes, 12) as usize != name.kind.entry_bytes()
            || bytes.len() != entries_at + count as usize * name.kind.entry_bytes()
        {
            return Err(fault("the run's length does not fit its header"));
        }
        let run = Self { name, count, entries_at, filter_blocks, bytes };
        if run.bytes.len() <= MAX_CHECKED_AT_OPEN_BYTES {
            run.check(storage)?;
            run.release();
        }
        Ok(run)
    }

    /// Compares filter and entries with their checksum.
    pub fn check(&self, storage: &dyn Storage) -> Result<(), JournalError> {
        if crc32fast::hash(&self.bytes[HEADER_BYTES..]) == u32_at(&self.bytes, 48) {
            return Ok(());
        }
        Err(damaged(storage, &self.name.file_name(), HEADER_BYTES as u64, "the run's checksum is wrong"))
    }

    /// Lets go of what reading it brought into memory.
    pub fn release(&self) {
        self.bytes.release();
    }

    /// The entry at `index`.
    pub fn entry(&self, index: u64) -> &[u8] {
        let size = self.name.kind.entry_bytes();
        let at = self.entries_at + index as usize * size;
        &self.bytes[at..at + size]
    }

    /// All entries with this key.
    pub fn find<'a>(&'a self, key: &'a [u8]) -> impl Iterator<Item = &'a [u8]> + 'a {
        let start = if self.may_hold(key) { self.lower_bound(key) } else { self.count };
        (start..self.count).map(|index| self.entry(index)).take_while(move |entry| entry.starts_with(key))
    }

    fn lower_bound(&self, key: &[u8]) -> u64 {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = low + (high - low) / 2;
            if &self.entry(middle)[..key.len()] < key {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    fn may_hold(&self, key: &[u8]) -> bool {
        let (block, bits) = filter_place(key, self.filter_blocks);
        let block = &self.bytes[HEADER_BYTES + block as usize * FILTER_BLOCK_BYTES..][..FILTER_BLOCK_BYTES];
        bits.into_iter().all(|bit| block[bit / 8] & 1 << (bit % 8) != 0)
    }
}

/// The block of a key and its bits there. Keys are hashes already: their upper half chooses the block.
fn filter_place(key: &[u8], blocks: u64) -> (u64, [usize; FILTER_PROBES as usize]) {
    let hash = u64_at(key, 0);
    let block = ((u128::from(hash) * u128::from(blocks)) >> 64) as u64;
    // The block takes the upper bits; mixing makes the probes depend on the lower ones.
    let mut mixed = hash.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let bits = std::array::from_fn(|_| {
        mixed = mixed.rotate_left(11).wrapping_mul(0xD6E8_FEB8_6659_FD93);
        (mixed >> 55) as usize
    });
    (block, bits)
}

/// Writes a run from entries that come in order.
pub(crate) struct RunWriter<'a> {
    storage: &'a dyn Storage,
    name: RunName,
    log_id: [u8; 16],
    file: std::sync::Arc<dyn File>,
    filter: Vec<u8>,
    count: u64,
    offset: u64,
    buffer: Vec<u8>,
    /// Of the entries so far.
    checksum: crc32fast::Hasher,
}

impl<'a> RunWriter<'a> {
    /// `expected` is the most entries that will come.
    pub fn create(
        storage: &'a dyn Storage,
        name: RunName,
        log_id: [u8; 16],
        expected: u64,
    ) -> Result<Self, JournalError> {
        let temporary = temporary(name);
        let _ = storage.remove(&temporary);
        let file = storage.open(&temporary, true).map_err(|source| io_error(storage, &temporary, source))?;
        let blocks = (expected * FILTER_BITS_PER_KEY).div_ceil(8 * FILTER_BLOCK_BYTES as u64).max(1);
        let filter = vec![0; blocks as usize * FILTER_BLOCK_BYTES];
        let offset = (HEADER_BYTES + filter.len()) as u64;
        Ok(Self {
            storage,
            name,
            log_id,
            file,
            filter,
            count: 0,
            offset,
            buffer: Vec::with_capacity(BUFFER_BYTES),
            checksum: crc32fast::Hasher::new(),
        })
    }

    pub fn add(&mut self, entry: &[u8]) -> Result<(), JournalError> {
        let (block, bits) = filter_place(entry, (self.filter.len() / FILTER_BLOCK_BYTES) as u64);
        for bit in bits {
            self.filter[block as usize * FILTER_BLOCK_BYTES + bit / 8] |= 1 << (bit % 8);
        }
        self.buffer.extend_from_slice(entry);
        self.count += 1;
        if self.buffer.len() >= BUFFER_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), JournalError> {
        let written = self.file.write_at(&self.buffer, self.offset);
        written.map_err(|source| io_error(self.storage, &temporary(self.name), source))?;
        self.checksum.update(&self.buffer);
        self.offset += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    pub fn finish(mut self) -> Result<Run, JournalError> {
        self.flush()?;
        let mut header = [0; HEADER_BYTES];
        header[..8].copy_from_slice(&MAGIC);
        header[8..10].copy_from_slice(&1u16.to_be_bytes());
        header[12..16].copy_from_slice(&(self.name.kind.entry_bytes() as u32).to_be_bytes());
        header[16..32].copy_from_slice(&self.log_id);
        header[32..40].copy_from_slice(&self.count.to_be_bytes());
        header[40..48].copy_from_slice(&((self.filter.len() / FILTER_BLOCK_BYTES) as u64).to_be_bytes());
        let mut body = crc32fast::Hasher::new();
        body.update(&self.filter);
        body.combine(&self.checksum);
        header[48..52].copy_from_slice(&body.finalize().to_be_bytes());
        let checksum = crc32fast::hash(&header[..60]);
        header[60..].copy_from_slice(&checksum.to_be_bytes());
        let storage = self.storage;
        let temporary = temporary(self.name);
        let write = || -> std::io::Result<()> {
            self.file.write_at(&self.filter, HEADER_BYTES as u64)?;
            self.file.write_at(&header, 0)?;
            self.file.sync()?;
            storage.rename(&temporary, &self.name.file_name())?;
            storage.sync_folder()
        };
        write().map_err(|source| io_error(storage, &temporary, source))?;
        Run::open(storage, self.name, self.log_id)
    }
}

fn temporary(name: RunName) -> String {
    format!("{}.tmp", name.file_name())
}
