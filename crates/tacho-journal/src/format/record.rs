//! An event inside a frame or a block.

use super::{array_at, u32_at, u64_at};
use crate::batch::Sealed;
use bytes::Bytes;
use tacho_event::{Position, Recorded, Sameness, Sequence, Timestamp};

/// Bytes of a record beside the event's names and body, at most.
pub(crate) const RECORD_OVERHEAD_BYTES: usize = 4 + FIXED_BYTES + 32;
/// Flags, recorded time, sequence, salt.
const FIXED_BYTES: usize = 1 + 8 + 8 + 16;
const HAS_DIGEST: u8 = 1;

/// `u32 length of what follows ‖ u8 flags ‖ i64 recorded ‖ u64 sequence ‖ salt(16) ‖ [digest(32)] ‖ names ‖ body`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub event: Recorded,
    pub salt: [u8; 16],
    /// The digest of what the producer sent; absent where the first one wins whatever the content.
    pub digest: Option<[u8; 32]>,
}

/// Appends the record of an event.
pub(crate) fn write_record(sealed: &Sealed, recorded: Timestamp, sequence: Sequence, out: &mut Vec<u8>) {
    let digest: &[u8] = match sealed.event.sameness() {
        Sameness::Content(digest) => digest,
        Sameness::FirstWins => &[],
    };
    Fields { recorded_ns: recorded.0, sequence: sequence.0, salt: &sealed.salt, digest }
        .write(sealed.event.bytes(), out);
}

struct Fields<'a> {
    recorded_ns: i64,
    sequence: u64,
    salt: &'a [u8; 16],
    /// Empty or 32 bytes.
    digest: &'a [u8],
}

impl Fields<'_> {
    fn write(&self, event: &[u8], out: &mut Vec<u8>) {
        let length = FIXED_BYTES + self.digest.len() + event.len();
        out.extend_from_slice(&(length as u32).to_be_bytes());
        out.push(if self.digest.is_empty() { 0 } else { HAS_DIGEST });
        out.extend_from_slice(&self.recorded_ns.to_be_bytes());
        out.extend_from_slice(&self.sequence.to_be_bytes());
        out.extend_from_slice(self.salt);
        out.extend_from_slice(self.digest);
        out.extend_from_slice(event);
    }
}

impl Record {
    /// Bytes that [`Self::write`] appends.
    pub fn stored_bytes(&self) -> usize {
        4 + FIXED_BYTES + if self.digest.is_some() { 32 } else { 0 } + self.event.bytes().len()
    }

    /// Appends the record as it was read.
    pub fn write(&self, out: &mut Vec<u8>) {
        let digest = self.digest.as_ref().map_or(&[][..], |digest| &digest[..]);
        let fields = Fields {
            recorded_ns: self.event.recorded.0,
            sequence: self.event.sequence.0,
            salt: &self.salt,
            digest,
        };
        fields.write(self.event.bytes(), out);
    }

    /// The record at `at`, which has this position, and where the next one starts.
    pub fn decode(bytes: &Bytes, at: usize, position: Position) -> Option<(Self, usize)> {
        let length = u32_at(bytes.get(at..at.checked_add(4)?)?, 0) as usize;
        let start = at + 4;
        let end = start.checked_add(length)?;
        let fields = bytes.get(start..end)?;
        if fields.len() < FIXED_BYTES || fields[0] & !HAS_DIGEST != 0 {
            return None;
        }
        let has_digest = fields[0] & HAS_DIGEST != 0;
        let names_at = FIXED_BYTES + if has_digest { 32 } else { 0 };
        if fields.len() < names_at {
            return None;
        }
        let digest = has_digest.then(|| array_at(fields, FIXED_BYTES));
        let recorded = Timestamp(u64_at(fields, 1) as i64);
        let sequence = Sequence(u64_at(fields, 9));
        let event = Recorded::new(position, sequence, recorded, bytes.slice(start + names_at..end))?;
        Some((Self { event, salt: array_at(fields, 17), digest }, end))
    }
}
