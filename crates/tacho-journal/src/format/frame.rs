//! A frame: one group commit, one write, one sync.

use super::{array_at, u32_at, u64_at};
use crate::tree::Hash;

pub(crate) const FRAME_HEADER_BYTES: usize = 88;
/// Frames start at multiples of this; the bytes between are zeros.
pub(crate) const FRAME_ALIGNMENT: u64 = 8;
/// The first byte occurs in no UTF-8 text, so no event's text can pretend to be a frame.
const MAGIC: [u8; 8] = [0xF7, b'T', b'A', b'C', b'H', b'O', b'F', b'R'];
const CHECKSUM_AT: usize = 80;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FrameKind {
    Events = 1,
    /// Written by a clean stop. Behind it only zeros are right.
    End = 2,
    /// What an end marker becomes when the log is opened again.
    Reopened = 3,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FrameHeader {
    pub kind: FrameKind,
    pub event_count: u32,
    pub log_id: [u8; 16],
    /// Of its first event; for a marker, that of the next event to come.
    pub first_position: u64,
    /// The tree's root over all events before the frame.
    pub root_before: Hash,
    pub body_bytes: u32,
    pub body_checksum: u32,
}

impl FrameHeader {
    pub fn write(&self, out: &mut [u8]) {
        out[..FRAME_HEADER_BYTES].fill(0);
        out[..8].copy_from_slice(&MAGIC);
        out[8..10].copy_from_slice(&(self.kind as u16).to_be_bytes());
        out[12..16].copy_from_slice(&self.event_count.to_be_bytes());
        out[16..32].copy_from_slice(&self.log_id);
        out[32..40].copy_from_slice(&self.first_position.to_be_bytes());
        out[40..72].copy_from_slice(&self.root_before);
        out[72..76].copy_from_slice(&self.body_bytes.to_be_bytes());
        out[76..80].copy_from_slice(&self.body_checksum.to_be_bytes());
        let checksum = crc32fast::hash(&out[..CHECKSUM_AT]);
        out[CHECKSUM_AT..CHECKSUM_AT + 4].copy_from_slice(&checksum.to_be_bytes());
    }

    /// `None` for anything but a whole header with a right checksum.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.get(..FRAME_HEADER_BYTES)?;
        if bytes[..8] != MAGIC
            || crc32fast::hash(&bytes[..CHECKSUM_AT]) != u32_at(bytes, CHECKSUM_AT)
            || bytes[84..88] != [0; 4]
        {
            return None;
        }
        let kind = match u16::from_be_bytes([bytes[8], bytes[9]]) {
            1 => FrameKind::Events,
            2 => FrameKind::End,
            3 => FrameKind::Reopened,
            _ => return None,
        };
        Some(Self {
            kind,
            event_count: u32_at(bytes, 12),
            log_id: array_at(bytes, 16),
            first_position: u64_at(bytes, 32),
            root_before: array_at(bytes, 40),
            body_bytes: u32_at(bytes, 72),
            body_checksum: u32_at(bytes, 76),
        })
    }

    /// Whether `body` is what was written under this header.
    pub fn fits(&self, body: &[u8]) -> bool {
        body.len() == self.body_bytes as usize && crc32fast::hash(body) == self.body_checksum
    }

    /// Bytes from this frame's start to where the next one may start.
    pub fn span(&self) -> u64 {
        (FRAME_HEADER_BYTES as u64 + u64::from(self.body_bytes)).next_multiple_of(FRAME_ALIGNMENT)
    }
}
