//! The first 4 KiB of a segment file.

use super::{FORMAT_VERSION, array_at, u64_at};
use crate::tree::Tree;

pub(crate) const SEGMENT_HEADER_BYTES: usize = 4096;
const MAGIC: [u8; 8] = *b"TACHOLOG";
const CHECKSUM_AT: usize = SEGMENT_HEADER_BYTES - 4;
const PEAKS_AT: usize = 56;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SegmentKind {
    /// Frames, one behind the other, into preallocated zeros.
    Raw = 1,
    /// Compressed blocks and a footer.
    Sealed = 2,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    pub kind: SegmentKind,
    pub log_id: [u8; 16],
    pub first_position: u64,
    /// The recorded time of the event before the first one, so that time never goes back.
    pub previous_recorded_ns: i64,
    /// The tree over all events before the first one.
    pub tree: Tree,
}

/// Why a segment header cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum HeaderFault {
    Newer(u16),
    Damaged(&'static str),
}

impl SegmentHeader {
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![0; SEGMENT_HEADER_BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..10].copy_from_slice(&FORMAT_VERSION.to_be_bytes());
        bytes[10..12].copy_from_slice(&(self.kind as u16).to_be_bytes());
        bytes[16..32].copy_from_slice(&self.log_id);
        bytes[32..40].copy_from_slice(&self.first_position.to_be_bytes());
        bytes[40..48].copy_from_slice(&self.previous_recorded_ns.to_be_bytes());
        bytes[48..56].copy_from_slice(&(self.tree.peaks().len() as u64).to_be_bytes());
        for (index, peak) in self.tree.peaks().iter().enumerate() {
            bytes[PEAKS_AT + 32 * index..][..32].copy_from_slice(peak);
        }
        let checksum = crc32fast::hash(&bytes[..CHECKSUM_AT]);
        bytes[CHECKSUM_AT..].copy_from_slice(&checksum.to_be_bytes());
        bytes
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, HeaderFault> {
        if bytes.len() < SEGMENT_HEADER_BYTES {
            return Err(HeaderFault::Damaged("the segment header is not whole"));
        }
        if bytes[..8] != MAGIC {
            return Err(HeaderFault::Damaged("this is no segment of a log"));
        }
        // The checksum covers the version too, so a flipped bit there is damage and not a newer format;
        // a newer format keeps these first ten bytes and the place of the checksum.
        if crc32fast::hash(&bytes[..CHECKSUM_AT]).to_be_bytes() != bytes[CHECKSUM_AT..SEGMENT_HEADER_BYTES] {
            return Err(HeaderFault::Damaged("the segment header's checksum is wrong"));
        }
        let version = u16::from_be_bytes([bytes[8], bytes[9]]);
        if version > FORMAT_VERSION {
            return Err(HeaderFault::Newer(version));
        }
        let kind = match u16::from_be_bytes([bytes[10], bytes[11]]) {
            1 => SegmentKind::Raw,
            2 => SegmentKind::Sealed,
            _ => return Err(HeaderFault::Damaged("the segment is of an unknown kind")),
        };
        let first_position = u64_at(bytes, 32);
        let count = u64_at(bytes, 48);
        let peaks = (0..count.min(64) as usize).map(|index| array_at(bytes, PEAKS_AT + 32 * index)).collect();
        let tree = Tree::from_peaks(first_position.wrapping_sub(1), peaks)
            .ok_or(HeaderFault::Damaged("the segment's tree does not fit its position"))?;
        Ok(Self {
            kind,
            log_id: array_at(bytes, 16),
            first_position,
            previous_recorded_ns: u64_at(bytes, 40) as i64,
            tree,
        })
    }
}

impl HeaderFault {
    pub fn into_error(self, storage: &dyn crate::storage::Storage, name: &str) -> crate::JournalError {
        match self {
            Self::Newer(found) => {
                crate::JournalError::NewerFormat { path: storage.path(name), found, known: FORMAT_VERSION }
            }
            Self::Damaged(what) => crate::segment::damaged(storage, name, 0, what),
        }
    }
}
