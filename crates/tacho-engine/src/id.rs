//! UUIDv7 (RFC 9562), increasing within the process.

use std::sync::Mutex;
use tacho_event::Timestamp;

/// Makes ids. Within a millisecond the twelve bits behind the version count up, so that ids sort in the
/// order in which they were made.
#[derive(Debug)]
pub(crate) struct Ids {
    last: Mutex<Last>,
}

#[derive(Debug)]
struct Last {
    /// Milliseconds since 1970 in the upper bits, the counter in the lower twelve.
    stamp: u64,
    /// Random bytes bought ahead, so that an id is not a system call.
    pool: [u8; 512],
    used: usize,
}

impl Ids {
    pub(crate) fn new() -> Self {
        Self { last: Mutex::new(Last { stamp: 0, pool: [0; 512], used: 512 }) }
    }

    pub(crate) fn next(&self, now: Timestamp) -> [u8; 16] {
        let mut last = self.last.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let millis = u64::try_from(now.0 / 1_000_000).unwrap_or(0);
        last.stamp = (millis << 12).max(last.stamp + 1);
        if last.used + 8 > last.pool.len() {
            // Without randomness ids of this process stay apart by their counter; other processes' differ by time.
            let _ = getrandom::fill(&mut last.pool);
            last.used = 0;
        }
        let at = last.used;
        last.used += 8;
        let mut id = [0; 16];
        id[..6].copy_from_slice(&(last.stamp >> 12).to_be_bytes()[2..]);
        id[6..8].copy_from_slice(&(0x7000 | (last.stamp & 0xFFF) as u16).to_be_bytes());
        id[8..].copy_from_slice(&last.pool[at..at + 8]);
        id[8] = 0x80 | (id[8] & 0x3F);
        id
    }
}

/// `8-4-4-4-12`, in lower case.
pub(crate) fn uuid_text(id: &[u8; 16]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(36);
    for (index, byte) in id.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_increase_and_are_version_seven() {
        let ids = Ids::new();
        let now = Timestamp(1_800_000_000_123_456_789);
        let made: Vec<String> = (0..5_000).map(|_| uuid_text(&ids.next(now))).collect();
        assert!(made.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(made.iter().all(|id| id.len() == 36 && &id[14..15] == "7"));
        assert!(made.iter().all(|id| matches!(&id[19..20], "8" | "9" | "a" | "b")));
        let earlier = Timestamp(now.0 - 60_000_000_000);
        assert!(uuid_text(&ids.next(earlier)) > made[4_999], "a clock that steps back does not");
    }
}
