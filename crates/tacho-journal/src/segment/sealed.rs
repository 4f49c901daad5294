//! A segment that is full: its records in compressed blocks, each of which can be read alone.

use super::cache::PieceCache;
use super::{damaged, io_error};
use crate::JournalError;
use crate::format::{Record, SEGMENT_HEADER_BYTES, u32_at, u64_at};
use crate::journal::ReadLimit;
use crate::storage::Storage;
use crate::tree::Tree;
use bytes::Bytes;
use std::ops::Range;
use std::sync::OnceLock;
use tacho_event::Position;

pub(crate) const BLOCK_HEADER_BYTES: usize = 40;
pub(crate) const BLOCK_MAGIC: [u8; 8] = [0xF7, b'T', b'A', b'C', b'H', b'O', b'B', b'K'];
pub(crate) const TRAILER_BYTES: usize = 64;
pub(crate) const TRAILER_MAGIC: [u8; 8] = [0xF7, b'T', b'A', b'C', b'H', b'O', b'E', b'N'];
/// Largest block that is believed, before and after compression.
const MAX_BLOCK_BYTES: usize = 64 << 20;

pub(crate) struct SealedSegment {
    pub name: String,
    pub first: u64,
    pub last: u64,
    pub last_recorded_ns: i64,
    pub tree: Tree,
    footer: (u64, usize),
    /// First position and offset of each block; read when first needed.
    blocks: OnceLock<Vec<(u64, u64)>>,
}

/// What stands before each block's compressed bytes.
pub(crate) struct BlockHeader {
    pub raw_bytes: u32,
    pub stored_bytes: u32,
    pub count: u32,
    pub first_position: u64,
    pub checksum: u32,
}

impl BlockHeader {
    pub fn encode(&self) -> [u8; BLOCK_HEADER_BYTES] {
        let mut bytes = [0; BLOCK_HEADER_BYTES];
        bytes[..8].copy_from_slice(&BLOCK_MAGIC);
        bytes[8..12].copy_from_slice(&self.raw_bytes.to_be_bytes());
        bytes[12..16].copy_from_slice(&self.stored_bytes.to_be_bytes());
        bytes[16..20].copy_from_slice(&self.count.to_be_bytes());
        bytes[20..28].copy_from_slice(&self.first_position.to_be_bytes());
        bytes[28..32].copy_from_slice(&self.checksum.to_be_bytes());
        let checksum = crc32fast::hash(&bytes[..36]);
        bytes[36..].copy_from_slice(&checksum.to_be_bytes());
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.get(..BLOCK_HEADER_BYTES)?;
        let right = bytes[..8] == BLOCK_MAGIC && crc32fast::hash(&bytes[..36]) == u32_at(bytes, 36);
        right.then(|| Self {
            raw_bytes: u32_at(bytes, 8),
            stored_bytes: u32_at(bytes, 12),
            count: u32_at(bytes, 16),
            first_position: u64_at(bytes, 20),
            checksum: u32_at(bytes, 28),
        })
    }
}

/// The end of a sealed file: `footer offset ‖ block count ‖ peak count ‖ last position ‖ last recorded ‖
/// footer checksum ‖ … ‖ magic ‖ checksum`.
pub(crate) struct Trailer {
    pub footer_offset: u64,
    pub block_count: u32,
    pub peak_count: u32,
    pub last_position: u64,
    pub last_recorded_ns: i64,
    pub footer_checksum: u32,
}

impl Trailer {
    pub fn encode(&self) -> [u8; TRAILER_BYTES] {
        let mut bytes = [0; TRAILER_BYTES];
        bytes[..8].copy_from_slice(&self.footer_offset.to_be_bytes());
        bytes[8..12].copy_from_slice(&self.block_count.to_be_bytes());
        bytes[12..16].copy_from_slice(&self.peak_count.to_be_bytes());
        bytes[16..24].copy_from_slice(&self.last_position.to_be_bytes());
        bytes[24..32].copy_from_slice(&self.last_recorded_ns.to_be_bytes());
        bytes[32..36].copy_from_slice(&self.footer_checksum.to_be_bytes());
        bytes[48..56].copy_from_slice(&TRAILER_MAGIC);
        let checksum = crc32fast::hash(&bytes[..60]);
        bytes[60..].copy_from_slice(&checksum.to_be_bytes());
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let right = bytes.len() == TRAILER_BYTES
            && bytes[48..56] == TRAILER_MAGIC
            && crc32fast::hash(&bytes[..60]) == u32_at(bytes, 60);
        right.then(|| Self {
            footer_offset: u64_at(bytes, 0),
            block_count: u32_at(bytes, 8),
            peak_count: u32_at(bytes, 12),
            last_position: u64_at(bytes, 16),
            last_recorded_ns: u64_at(bytes, 24) as i64,
            footer_checksum: u32_at(bytes, 32),
        })
    }
}

impl SealedSegment {
    /// Reads the end of the file; the blocks are read when they are needed.
    pub fn open(storage: &dyn Storage, name: &str, first: u64) -> Result<Self, JournalError> {
        let file = storage.open(name, false).map_err(|source| io_error(storage, name, source))?;
        let length = file.length().map_err(|source| io_error(storage, name, source))?;
        let fault = |what: &str| damaged(storage, name, length.saturating_sub(TRAILER_BYTES as u64), what);
        let least = (SEGMENT_HEADER_BYTES + TRAILER_BYTES) as u64;
        if length < least {
            return Err(fault("the sealed segment is cut short"));
        }
        let mut bytes = [0; TRAILER_BYTES];
        file.read_at(&mut bytes, length - TRAILER_BYTES as u64)
            .map_err(|source| io_error(storage, name, source))?;
        let trailer = Trailer::decode(&bytes).ok_or_else(|| fault("the sealed segment's end is wrong"))?;
        let footer_bytes = length - TRAILER_BYTES as u64 - trailer.footer_offset.min(length);
        if footer_bytes != 16 * u64::from(trailer.block_count) + 32 * u64::from(trailer.peak_count)
            || trailer.last_position < first
        {
            return Err(fault("the sealed segment's end does not fit it"));
        }
        let mut segment = Self {
            name: name.to_owned(),
            first,
            last: trailer.last_position,
            last_recorded_ns: trailer.last_recorded_ns,
            tree: Tree::default(),
            footer: (trailer.footer_offset, footer_bytes as usize),
            blocks: OnceLock::new(),
        };
        let footer = segment.footer_bytes(storage, trailer.footer_checksum)?;
        let peaks = &footer[16 * trailer.block_count as usize..];
        let peaks = peaks.chunks_exact(32).map(|peak| peak.try_into().unwrap_or_default()).collect();
        segment.tree = Tree::from_peaks(trailer.last_position, peaks)
            .ok_or_else(|| fault("the sealed segment's tree does not fit it"))?;
        Ok(segment)
    }

    fn footer_bytes(&self, storage: &dyn Storage, checksum: u32) -> Result<Vec<u8>, JournalError> {
        let file = storage.open(&self.name, false).map_err(|source| io_error(storage, &self.name, source))?;
        let mut bytes = vec![0; self.footer.1];
        let filled = file
            .read_at(&mut bytes, self.footer.0)
            .map_err(|source| io_error(storage, &self.name, source))?;
        if filled < bytes.len() || crc32fast::hash(&bytes) != checksum {
            return Err(damaged(
                storage,
                &self.name,
                self.footer.0,
                "the list of blocks has a wrong checksum",
            ));
        }
        Ok(bytes)
    }

    fn blocks(&self, storage: &dyn Storage) -> Result<&[(u64, u64)], JournalError> {
        if let Some(blocks) = self.blocks.get() {
            return Ok(blocks);
        }
        let file = storage.open(&self.name, false).map_err(|source| io_error(storage, &self.name, source))?;
        let mut trailer = [0; TRAILER_BYTES];
        file.read_at(&mut trailer, self.footer.0 + self.footer.1 as u64)
            .map_err(|source| io_error(storage, &self.name, source))?;
        let fault = || damaged(storage, &self.name, self.footer.0, "the list of blocks changed");
        let trailer = Trailer::decode(&trailer).ok_or_else(fault)?;
        let footer = self.footer_bytes(storage, trailer.footer_checksum)?;
        let entries = footer[..16 * trailer.block_count as usize].chunks_exact(16);
        let blocks = entries.map(|entry| (u64_at(entry, 0), u64_at(entry, 8))).collect();
        Ok(self.blocks.get_or_init(|| blocks))
    }

    pub fn read(
        &self,
        storage: &dyn Storage,
        cache: &PieceCache,
        mut from: u64,
        limit: ReadLimit,
        out: &mut Vec<Record>,
    ) -> Result<(), JournalError> {
        let blocks = self.blocks(storage)?;
        let mut index = blocks.partition_point(|(first, _)| *first <= from).saturating_sub(1);
        let mut taken = 0;
        while from <= self.last && index < blocks.len() && out.len() < limit.events && taken < limit.bytes {
            let (first, offset) = blocks[index];
            let behind = blocks.get(index + 1).copied().unwrap_or((self.last + 1, self.footer.0));
            let body = match cache.get((self.first, offset)) {
                Some(body) => body,
                None => {
                    let body = self.block(storage, first, behind.0 - first, offset..behind.1)?;
                    cache.put((self.first, offset), &body);
                    body
                }
            };
            let before = out.len();
            decode_block(first..behind.0, &body, from, limit, taken, out)
                .ok_or_else(|| damaged(storage, &self.name, offset, "an event cannot be read"))?;
            taken += out[before..].iter().map(|record| record.event.bytes().len()).sum::<usize>();
            from += (out.len() - before) as u64;
            index += 1;
        }
        Ok(())
    }

    /// The records of the block at `place`, which holds `count` events from `first` on.
    fn block(
        &self,
        storage: &dyn Storage,
        first: u64,
        count: u64,
        place: Range<u64>,
    ) -> Result<Bytes, JournalError> {
        let fault = |what: &str| damaged(storage, &self.name, place.start, what);
        let size = place.end.saturating_sub(place.start) as usize;
        if !(BLOCK_HEADER_BYTES..=MAX_BLOCK_BYTES).contains(&size) {
            return Err(fault("a block's place is wrong"));
        }
        let mut bytes = vec![0; size];
        let file = storage.open(&self.name, false).map_err(|source| io_error(storage, &self.name, source))?;
        let filled =
            file.read_at(&mut bytes, place.start).map_err(|source| io_error(storage, &self.name, source))?;
        let (header, body) = open_block(&bytes[..filled]).map_err(fault)?;
        if header.first_position != first || u64::from(header.count) != count {
            return Err(fault("a block holds other events than its list says"));
        }
        Ok(body)
    }
}

fn open_block(bytes: &[u8]) -> Result<(BlockHeader, Bytes), &'static str> {
    let header = BlockHeader::decode(bytes).ok_or("a block's header is wrong")?;
    let stored = bytes
        .get(BLOCK_HEADER_BYTES..BLOCK_HEADER_BYTES + header.stored_bytes as usize)
        .ok_or("a block is cut short")?;
    if crc32fast::hash(stored) != header.checksum || header.raw_bytes as usize > MAX_BLOCK_BYTES {
        return Err("a block's checksum is wrong");
    }
    let body = zstd::bulk::decompress(stored, header.raw_bytes as usize)
        .map_err(|_| "a block cannot be decompressed")?;
    if body.len() != header.raw_bytes as usize {
        return Err("a block has another length than it says");
    }
    Ok((header, Bytes::from(body)))
}

fn decode_block(
    positions: Range<u64>,
    body: &Bytes,
    from: u64,
    limit: ReadLimit,
    mut taken: usize,
    out: &mut Vec<Record>,
) -> Option<()> {
    let mut at = 0usize;
    for position in positions {
        if position < from {
            at += 4 + u32_at(body.get(at..at.checked_add(4)?)?, 0) as usize;
            continue;
        }
        if out.len() >= limit.events || taken >= limit.bytes {
            break;
        }
        let (record, next) = Record::decode(body, at, Position(position))?;
        taken += record.event.bytes().len();
        out.push(record);
        at = next;
    }
    Some(())
}
