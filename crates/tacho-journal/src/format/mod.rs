//! Every byte on the disk. All numbers are big-endian. FORMAT.md says the same in words; golden files hold both.

mod frame;
mod record;
mod segment;

pub(crate) use frame::{FRAME_ALIGNMENT, FRAME_HEADER_BYTES, FrameHeader, FrameKind};
pub(crate) use record::{RECORD_OVERHEAD_BYTES, Record, write_record};
pub(crate) use segment::{SEGMENT_HEADER_BYTES, SegmentHeader, SegmentKind};

/// The format that this program writes; it reads this one and older ones.
pub const FORMAT_VERSION: u16 = 1;

/// Reads numbers off a slice whose length was checked.
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap_or_default())
}

pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_be_bytes(bytes[at..at + 8].try_into().unwrap_or_default())
}

pub(crate) fn array_at<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes[at..at + N].try_into().unwrap_or([0; N])
}
