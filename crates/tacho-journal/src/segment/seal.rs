//! From raw to sealed: a closed segment's records are checked once more, compressed, and only then
//! is the raw file given up.

use super::cache::Caches;
use super::scan::leaf_of;
use super::sealed::{BlockHeader, Trailer};
use super::{RawSegment, SealedSegment, damaged, io_error, sealed_name};
use crate::JournalError;
use crate::format::{Record, SegmentHeader, SegmentKind};
use crate::journal::ReadLimit;
use crate::storage::{File, Storage};
use crate::tree::Tree;
use std::io::ErrorKind;

#[derive(Debug, Clone, Copy)]
pub(crate) struct SealLimits {
    /// Records are gathered into a block until it holds this many bytes; a larger event has its own block.
    pub block_bytes: usize,
    pub compression_level: i32,
}

/// Writes the sealed form of `raw`, whose tree must end as `expected`. The raw file stays.
pub(crate) fn seal(
    storage: &dyn Storage,
    raw: &RawSegment,
    header: &SegmentHeader,
    expected: &Tree,
    limits: SealLimits,
    stops: &dyn Fn() -> bool,
) -> Result<SealedSegment, JournalError> {
    let name = sealed_name(raw.first);
    let temporary = format!("{name}.tmp");
    // What an earlier attempt left would stand behind the new bytes.
    let _ = storage.remove(&temporary);
    let file = storage.open(&temporary, true).map_err(|source| io_error(storage, &temporary, source))?;
    let mut writer =
        BlockWriter::new(&*file, limits).map_err(|source| io_error(storage, &temporary, source))?;
    let sealed_header = SegmentHeader { kind: SegmentKind::Sealed, ..header.clone() };
    writer.put(&sealed_header.encode()).map_err(|source| io_error(storage, &temporary, source))?;

    // Nobody reads the same twice here.
    let caches = Caches::default();
    let mut tree = header.tree.clone();
    let mut scratch = Vec::new();
    let mut records = Vec::new();
    let mut last_recorded_ns = header.previous_recorded_ns;
    while tree.size() < expected.size() {
        if stops() {
            return Err(io_error(storage, &temporary, ErrorKind::Interrupted.into()));
        }
        records.clear();
        raw.read(
            storage,
            &caches.frames,
            tree.size() + 1,
            ReadLimit { events: 10_000, bytes: 4 << 20 },
            &mut records,
        )?;
        if records.is_empty() {
            return Err(damaged(storage, &raw.name, 0, "the closed segment ends before the next one starts"));
        }
        for record in &records {
            tree.push(leaf_of(record, &mut scratch));
            last_recorded_ns = record.event.recorded.0;
            writer.add(record).map_err(|source| io_error(storage, &temporary, source))?;
        }
    }
    if tree != *expected {
        return Err(damaged(
            storage,
            &raw.name,
            0,
            "the closed segment's tree is not the one that its events were accepted under",
        ));
    }
    writer.finish(&tree, last_recorded_ns).map_err(|source| io_error(storage, &temporary, source))?;
    file.sync().map_err(|source| io_error(storage, &temporary, source))?;
    storage
        .rename(&temporary, &name)
        .and_then(|()| storage.sync_folder())
        .map_err(|source| io_error(storage, &name, source))?;
    SealedSegment::open(storage, &name, raw.first)
}

struct BlockWriter<'a> {
    file: &'a dyn File,
    limits: SealLimits,
    compressor: zstd::bulk::Compressor<'static>,
    offset: u64,
    block: Vec<u8>,
    block_first: u64,
    block_count: u32,
    index: Vec<(u64, u64)>,
}

impl<'a> BlockWriter<'a> {
    fn new(file: &'a dyn File, limits: SealLimits) -> std::io::Result<Self> {
        let compressor = zstd::bulk::Compressor::new(limits.compression_level)?;
        Ok(Self {
            file,
            limits,
            compressor,
            offset: 0,
            block: Vec::new(),
            block_first: 0,
            block_count: 0,
            index: Vec::new(),
        })
    }

    fn put(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.file.write_at(bytes, self.offset)?;
        self.offset += bytes.len() as u64;
        Ok(())
    }

    fn add(&mut self, record: &Record) -> std::io::Result<()> {
        let size = record.stored_bytes();
        if self.block_count > 0 && self.block.len() + size > self.limits.block_bytes {
            self.close_block()?;
        }
        if self.block_count == 0 {
            self.block_first = record.event.position.0;
        }
        record.write(&mut self.block);
        self.block_count += 1;
        Ok(())
    }

    fn close_block(&mut self) -> std::io::Result<()> {
        if self.block_count == 0 {
            return Ok(());
        }
        let stored = self.compressor.compress(&self.block)?;
        let header = BlockHeader {
            raw_bytes: self.block.len() as u32,
            stored_bytes: stored.len() as u32,
            count: self.block_count,
            first_position: self.block_first,
            checksum: crc32fast::hash(&stored),
        };
        self.index.push((self.block_first, self.offset));
        self.put(&header.encode())?;
        self.put(&stored)?;
        self.block.clear();
        self.block_count = 0;
        Ok(())
    }

    fn finish(&mut self, tree: &Tree, last_recorded_ns: i64) -> std::io::Result<()> {
        self.close_block()?;
        let mut footer = Vec::with_capacity(self.index.len() * 16 + tree.peaks().len() * 32);
        for (first, offset) in &self.index {
            footer.extend_from_slice(&first.to_be_bytes());
            footer.extend_from_slice(&offset.to_be_bytes());
        }
        footer.extend(tree.peaks().iter().flatten());
        let trailer = Trailer {
            footer_offset: self.offset,
            block_count: self.index.len() as u32,
            peak_count: tree.peaks().len() as u32,
            last_position: tree.size(),
            last_recorded_ns,
            footer_checksum: crc32fast::hash(&footer),
        };
        self.put(&footer)?;
        self.put(&trailer.encode())
    }
}
