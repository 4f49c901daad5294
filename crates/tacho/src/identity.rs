//! Ids that this program makes.

use std::fmt::Write;
use std::time::{SystemTime, UNIX_EPOCH};
use tacho_event::Timestamp;

/// The current moment, UTC.
pub fn now() -> Timestamp {
    timestamp(SystemTime::now())
}

pub fn timestamp(moment: SystemTime) -> Timestamp {
    let nanos = match moment.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_nanos()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |nanos| -nanos),
    };
    Timestamp(nanos)
}

/// A UUIDv7 (RFC 9562): milliseconds since 1970, then random bits. Below the millisecond it keeps 12 bits
/// of the clock (method 3 of section 6.2), so that ids of one process sort by time.
pub fn uuid7(now: Timestamp, random: [u8; 8]) -> String {
    let nanos = now.0.max(0) as u64;
    let (millis, below) = (nanos / 1_000_000, nanos % 1_000_000);
    let mut bytes = [0; 16];
    bytes[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
    bytes[6..8].copy_from_slice(&((below * 4096 / 1_000_000) as u16 | 0x7000).to_be_bytes());
    bytes[8..].copy_from_slice(&random);
    bytes[8] = bytes[8] & 0x3f | 0x80;
    hyphenated(bytes)
}

/// 16 bytes as `8-4-4-4-12` hexadecimal digits.
pub fn hyphenated(bytes: [u8; 16]) -> String {
    let mut text = String::with_capacity(36);
    for (index, byte) in bytes.into_iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Random bytes of the operating system; zeros where it has none to give, so that an id is still unique
/// by its time.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    if getrandom::fill(&mut bytes).is_err() {
        bytes.fill(0);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_time_and_name_their_version() {
        let at = |nanos: i64| uuid7(Timestamp(1_700_000_000_000_000_000 + nanos), [0xff; 8]);
        assert_eq!(at(0), "018bcfe5-6800-7000-bfff-ffffffffffff");
        assert!(at(0) < at(500) && at(500) < at(1_000_000));
    }
}
