//! Opaque cursors of pages.

use tacho_event::Position;
use tacho_journal::LogId;

/// Where a page ended, in which direction, of which log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    pub log: LogId,
    pub reverse: bool,
    /// Everything up to here (from here on, in reverse) was answered.
    pub position: Position,
}

const VERSION: u8 = 1;
const BYTES: usize = 26;

impl Cursor {
    /// Hexadecimal text, safe in a URL as it is.
    pub fn to_text(self) -> String {
        let mut bytes = Vec::with_capacity(BYTES);
        bytes.push(VERSION);
        bytes.push(u8::from(self.reverse));
        bytes.extend_from_slice(&self.log.0);
        bytes.extend_from_slice(&self.position.0.to_be_bytes());
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// `None` for what [`Self::to_text`] never wrote.
    pub fn from_text(text: &str) -> Option<Self> {
        if text.len() != BYTES * 2 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let mut bytes = [0; BYTES];
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[index * 2..index * 2 + 2], 16).ok()?;
        }
        let reverse = match bytes[..2] {
            [VERSION, 0] => false,
            [VERSION, 1] => true,
            _ => return None,
        };
        let log = LogId(bytes[2..18].try_into().ok()?);
        Some(Self { log, reverse, position: Position(u64::from_be_bytes(bytes[18..].try_into().ok()?)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_back() {
        let cursor = Cursor { log: LogId([7; 16]), reverse: true, position: Position(42) };
        assert_eq!(Cursor::from_text(&cursor.to_text()), Some(cursor));
        for bad in ["", "zz", &"0".repeat(52), &cursor.to_text()[1..], "é"] {
            assert_eq!(Cursor::from_text(bad), None, "{bad}");
        }
    }
}
