//! A segment of frames. One writer adds frames at its end; readers see those that are durable.

use super::cache::PieceCache;
use super::{damaged, io_error};
use crate::JournalError;
use crate::format::{FRAME_HEADER_BYTES, FrameHeader, FrameKind, Record};
use crate::journal::ReadLimit;
use crate::storage::{File, Storage};
use bytes::Bytes;
use std::sync::{Arc, PoisonError, RwLock};
use tacho_event::Position;

pub(crate) struct RawSegment {
    pub name: String,
    pub first: u64,
    pub file: Arc<dyn File>,
    frames: RwLock<Frames>,
}

/// Where the durable frames are.
#[derive(Default, Clone)]
pub(crate) struct Frames {
    /// First position and offset of each frame with events, in order.
    starts: Vec<(u64, u64)>,
    /// The position behind the last frame, and the offset behind it.
    next_position: u64,
    end: u64,
}

impl Frames {
    pub fn new(first: u64, end: u64) -> Self {
        Self { starts: Vec::new(), next_position: first, end }
    }

    pub fn push(&mut self, offset: u64, header: &FrameHeader) {
        if header.kind == FrameKind::Events {
            self.starts.push((header.first_position, offset));
            self.next_position = header.first_position + u64::from(header.event_count);
        }
        self.end = offset + header.span();
    }

    pub fn next_position(&self) -> u64 {
        self.next_position
    }

    /// The bytes that hold `from` and what follows, about `wanted` of them, in whole frames.
    fn range(&self, from: u64, wanted: usize) -> Option<(u64, u64)> {
        if from >= self.next_position {
            return None;
        }
        let index = self.starts.partition_point(|(first, _)| *first <= from).checked_sub(1)?;
        let start = self.starts[index].1;
        let enough = start.saturating_add(wanted as u64);
        let behind = &self.starts[index + 1..];
        let end = behind
            .get(behind.partition_point(|(_, offset)| *offset < enough))
            .map_or(self.end, |(_, offset)| *offset);
        Some((start, end))
    }
}

impl RawSegment {
    pub fn new(name: String, first: u64, file: Arc<dyn File>, frames: Frames) -> Self {
        Self { name, first, file, frames: RwLock::new(frames) }
    }

    /// Lets readers see a frame; called once it is durable.
    pub fn publish(&self, offset: u64, header: &FrameHeader) {
        self.frames.write().unwrap_or_else(PoisonError::into_inner).push(offset, header);
    }

    pub fn read(
        &self,
        storage: &dyn Storage,
        cache: &PieceCache,
        mut from: u64,
        limit: ReadLimit,
        out: &mut Vec<Record>,
    ) -> Result<(), JournalError> {
        if limit.events == 1 {
            return self.read_one(storage, cache, from, out);
        }
        let mut bytes_left = limit.bytes;
        while out.len() < limit.events {
            let range = self.frames.read().unwrap_or_else(PoisonError::into_inner).range(from, bytes_left);
            let Some((start, end)) = range else { return Ok(()) };
            let bytes = self.bytes(storage, start, end)?;
            let before = out.len();
            self.decode(storage, start, &bytes, from, limit.events, out)?;
            let taken: usize = out[before..].iter().map(|record| record.event.bytes().len()).sum();
            from += (out.len() - before) as u64;
            if taken >= bytes_left || out.len() == before {
                return Ok(());
            }
            bytes_left -= taken;
        }
        Ok(())
    }

    /// One record. Its frame may hold a thousand others, of which the next may be wanted next.
    fn read_one(
        &self,
        storage: &dyn Storage,
        cache: &PieceCache,
        position: u64,
        out: &mut Vec<Record>,
    ) -> Result<(), JournalError> {
        let range = self.frames.read().unwrap_or_else(PoisonError::into_inner).range(position, 1);
        let Some((start, end)) = range else { return Ok(()) };
        if let Some(frame) = cache.get((self.first, start)) {
            let fault = || damaged(storage, &self.name, start, "an event cannot be read");
            let header = FrameHeader::decode(&frame).ok_or_else(fault)?;
            let body = frame.slice(FRAME_HEADER_BYTES..FRAME_HEADER_BYTES + header.body_bytes as usize);
            return decode_body(&header, &body, position, 1, out).ok_or_else(fault);
        }
        let bytes = self.bytes(storage, start, end)?;
        let before = out.len();
        self.decode(storage, start, &bytes, position, before + 1, out)?;
        // Only what was found to be whole is kept.
        cache.put((self.first, start), &bytes);
        Ok(())
    }

    fn bytes(&self, storage: &dyn Storage, start: u64, end: u64) -> Result<Bytes, JournalError> {
        let mut buffer = vec![0; (end - start) as usize];
        let filled = self.file.read_at(&mut buffer, start);
        buffer.truncate(filled.map_err(|source| io_error(storage, &self.name, source))?);
        Ok(Bytes::from(buffer))
    }

    /// The records from `from` on in the frames of `bytes`, which stand at `offset` of the file.
    fn decode(
        &self,
        storage: &dyn Storage,
        offset: u64,
        bytes: &Bytes,
        from: u64,
        limit: usize,
        out: &mut Vec<Record>,
    ) -> Result<(), JournalError> {
        let mut at = 0usize;
        while at < bytes.len() && out.len() < limit {
            let fault = |what: &str| damaged(storage, &self.name, offset + at as u64, what);
            let header =
                FrameHeader::decode(&bytes[at..]).ok_or_else(|| fault("a frame's header is wrong"))?;
            let body_at = at + FRAME_HEADER_BYTES;
            let body = bytes
                .get(body_at..body_at + header.body_bytes as usize)
                .ok_or_else(|| fault("a frame is cut short"))?;
            if !header.fits(body) {
                return Err(fault("a frame's checksum is wrong"));
            }
            decode_body(&header, &bytes.slice(body_at..body_at + body.len()), from, limit, out)
                .ok_or_else(|| fault("an event cannot be read"))?;
            at += header.span() as usize;
        }
        Ok(())
    }
}

/// Appends the records of a frame's body from `from` on, up to `limit` in `out`.
fn decode_body(
    header: &FrameHeader,
    body: &Bytes,
    from: u64,
    limit: usize,
    out: &mut Vec<Record>,
) -> Option<()> {
    let mut at = 0usize;
    for index in 0..u64::from(header.event_count) {
        let position = header.first_position + index;
        if position < from {
            at += 4 + crate::format::u32_at(body.get(at..at.checked_add(4)?)?, 0) as usize;
            continue;
        }
        if out.len() >= limit {
            break;
        }
        let (record, next) = Record::decode(body, at, Position(position))?;
        out.push(record);
        at = next;
    }
    Some(())
}
