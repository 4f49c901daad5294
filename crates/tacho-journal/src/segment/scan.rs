//! Reading a raw segment when the log is opened: every byte is checked, and a torn tail is told apart
//! from damage.

use super::raw::Frames;
use super::{damaged, io_error};
use crate::JournalError;
use crate::format::{
    FRAME_ALIGNMENT, FRAME_HEADER_BYTES, FrameHeader, FrameKind, Record, SEGMENT_HEADER_BYTES, SegmentHeader,
};
use crate::storage::{File, Storage};
use crate::tree::{self, Entry, Tree};
use bytes::Bytes;
use tacho_event::Position;

/// Largest body of a frame that is believed; a longer one is damage.
const MAX_BODY_BYTES: u32 = 64 << 20;
const WINDOW_BYTES: usize = 1 << 20;

/// What may stand behind the last good frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tail {
    /// Zeros only: the segment was closed.
    Zeros,
    /// A torn frame too: it is the last segment, and its writer may have died.
    MayBeTorn,
}

pub(crate) struct Scanned {
    pub frames: Frames,
    pub tree: Tree,
    pub last_recorded_ns: i64,
    /// Where the next frame goes.
    pub end: u64,
    /// The last frame of any kind, and its offset.
    pub last: Option<(u64, FrameHeader)>,
    /// Bytes of a torn frame at `end`.
    pub torn_bytes: u64,
}

/// Walks all frames of a segment and calls `visit` for each record.
pub(crate) fn scan(
    storage: &dyn Storage,
    name: &str,
    file: &dyn File,
    header: &SegmentHeader,
    tail: Tail,
    mut visit: impl FnMut(&Record),
) -> Result<Scanned, JournalError> {
    let length = file.length().map_err(|source| io_error(storage, name, source))?;
    let mut window = Window { file, storage, name, length, start: 0, bytes: Vec::new() };
    let mut scanned = Scanned {
        frames: Frames::new(header.first_position, SEGMENT_HEADER_BYTES as u64),
        tree: header.tree.clone(),
        last_recorded_ns: header.previous_recorded_ns,
        end: SEGMENT_HEADER_BYTES as u64,
        last: None,
        torn_bytes: 0,
    };
    let mut scratch = Vec::new();
    while let Some((frame, body)) = window.next_frame(scanned.end)? {
        let offset = scanned.end;
        let fault = |what: &str| damaged(storage, name, offset, what);
        if frame.log_id != header.log_id {
            return Err(fault("a frame of another log"));
        }
        if frame.first_position != scanned.frames.next_position() || frame.root_before != scanned.tree.root()
        {
            return Err(fault("a frame does not continue what stands before it"));
        }
        if frame.kind == FrameKind::Events {
            take_events(&frame, &body, &mut scanned, &mut scratch, &mut visit)
                .ok_or_else(|| fault("an event cannot be read"))?;
        }
        scanned.frames.push(offset, &frame);
        scanned.end = offset + frame.span();
        scanned.last = Some((offset, frame));
    }
    scanned.torn_bytes = window.judge_tail(&scanned, header.log_id, tail)?;
    Ok(scanned)
}

fn take_events(
    frame: &FrameHeader,
    body: &Bytes,
    scanned: &mut Scanned,
    scratch: &mut Vec<u8>,
    visit: &mut impl FnMut(&Record),
) -> Option<()> {
    let mut at = 0;
    for index in 0..u64::from(frame.event_count) {
        let (record, next) = Record::decode(body, at, Position(frame.first_position + index))?;
        scanned.tree.push(leaf_of(&record, scratch));
        scanned.last_recorded_ns = record.event.recorded.0;
        visit(&record);
        at = next;
    }
    (at == body.len()).then_some(())
}

/// The leaf of a stored record.
pub(crate) fn leaf_of(record: &Record, scratch: &mut Vec<u8>) -> tree::Hash {
    let event = &record.event;
    let commitment = tree::commitment(&record.salt, event.body());
    let entry = Entry {
        position: event.position.0,
        recorded_ns: event.recorded.0,
        sequence: event.sequence.0,
        names: event.name_bytes(),
        commitment: &commitment,
    };
    entry.leaf(scratch)
}

/// The file, read ahead in large pieces.
struct Window<'a> {
    file: &'a dyn File,
    storage: &'a dyn Storage,
    name: &'a str,
    length: u64,
    start: u64,
    bytes: Vec<u8>,
}

impl Window<'_> {
    /// The good frame at `offset`, if there is one, looked at twice: beside a running server the first look may
    /// be at bytes that were read before the frame was written.
    fn next_frame(&mut self, offset: u64) -> Result<Option<(FrameHeader, Bytes)>, JournalError> {
        if let Some(found) = self.frame(offset)? {
            return Ok(Some(found));
        }
        self.forget()?;
        self.frame(offset)
    }

    fn forget(&mut self) -> Result<(), JournalError> {
        self.bytes.clear();
        let length = self.file.length();
        self.length = length.map_err(|source| io_error(self.storage, self.name, source))?;
        Ok(())
    }

    fn frame(&mut self, offset: u64) -> Result<Option<(FrameHeader, Bytes)>, JournalError> {
        let Some(header) = FrameHeader::decode(self.at(offset, FRAME_HEADER_BYTES)?) else { return Ok(None) };
        let body_at = offset + FRAME_HEADER_BYTES as u64;
        if header.body_bytes > MAX_BODY_BYTES || body_at + u64::from(header.body_bytes) > self.length {
            return Ok(None);
        }
        // The padding behind the body belongs to the frame: it is zeros, or the frame is bad.
        let bytes = self.at(body_at, (header.span() as usize) - FRAME_HEADER_BYTES)?;
        let (body, padding) = bytes.split_at(bytes.len().min(header.body_bytes as usize));
        let is_good = header.fits(body) && padding.iter().all(|byte| *byte == 0);
        Ok(is_good.then(|| Bytes::copy_from_slice(body)).map(|body| (header, body)))
    }

    /// `count` bytes at `offset`, fewer at the end of the file.
    fn at(&mut self, offset: u64, count: usize) -> Result<&[u8], JournalError> {
        let end = (offset + count as u64).min(self.length);
        if offset < self.start || end > self.start + self.bytes.len() as u64 {
            let wanted = (end.saturating_sub(offset) as usize)
                .max(WINDOW_BYTES)
                .min(self.length.saturating_sub(offset) as usize);
            self.bytes.resize(wanted, 0);
            self.start = offset;
            let filled = self
                .file
                .read_at(&mut self.bytes, offset)
                .map_err(|source| io_error(self.storage, self.name, source))?;
            self.bytes.truncate(filled);
        }
        let from = ((offset - self.start) as usize).min(self.bytes.len());
        let to = (end.max(offset) - self.start) as usize;
        Ok(&self.bytes[from..to.min(self.bytes.len()).max(from)])
    }

    /// How many torn bytes stand behind the last good frame; damage where they cannot be a torn frame.
    fn judge_tail(&mut self, scanned: &Scanned, log_id: [u8; 16], tail: Tail) -> Result<u64, JournalError> {
        let end = scanned.end;
        let mut last_nonzero = None;
        let mut offset = end;
        while offset < self.length {
            let piece = self.at(offset, WINDOW_BYTES)?;
            let Some(within) = piece.iter().rposition(|byte| *byte != 0) else {
                offset += (piece.len() as u64).max(1);
                continue;
            };
            last_nonzero = Some(offset + within as u64);
            offset += piece.len() as u64;
        }
        let Some(last_nonzero) = last_nonzero else { return Ok(0) };
        let fault = |offset: u64, what: &str| Err(damaged(self.storage, self.name, offset, what));
        if tail == Tail::Zeros {
            return fault(end, "bytes behind the last frame of a closed segment");
        }
        if scanned.last.as_ref().is_some_and(|(_, frame)| frame.kind == FrameKind::End) {
            return fault(end, "bytes behind the end marker of a clean stop");
        }
        // A frame is written only after the sync of the one before it. So a good header further on means
        // that the bad frame had been durable: it was damaged later.
        if self.header_behind(end, last_nonzero, log_id)? {
            if self.next_frame(end)?.is_some() {
                // Written while it was looked at.
                return Ok(0);
            }
            return Err(damaged(self.storage, self.name, end, "a bad frame with a good one behind it"));
        }
        Ok(last_nonzero + 1 - end)
    }

    fn header_behind(&mut self, end: u64, last_nonzero: u64, log_id: [u8; 16]) -> Result<bool, JournalError> {
        let mut offset = end + FRAME_ALIGNMENT;
        while offset <= last_nonzero {
            let header = FrameHeader::decode(self.at(offset, FRAME_HEADER_BYTES)?);
            if header.is_some_and(|header| header.log_id == log_id) {
                return Ok(true);
            }
            offset += FRAME_ALIGNMENT;
        }
        Ok(false)
    }
}
