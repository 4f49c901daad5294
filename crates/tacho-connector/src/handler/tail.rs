//! The end of what a process said on its standard error.

use std::collections::VecDeque;

/// What is kept, in bytes.
const BYTES: usize = 4 << 10;
/// Of a line in a message, in bytes.
const LINE_BYTES: usize = 500;

#[derive(Debug, Default)]
pub(super) struct Tail(VecDeque<u8>);

impl Tail {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.0.extend(&bytes[bytes.len().saturating_sub(BYTES)..]);
        self.0.drain(..self.0.len().saturating_sub(BYTES));
    }

    /// The last line that is not empty, for a message: `": …"`, or nothing.
    pub(super) fn last_line(&self) -> String {
        let bytes: Vec<u8> = self.0.iter().copied().collect();
        let text = String::from_utf8_lossy(&bytes);
        let line = text.lines().rev().map(str::trim).find(|line| !line.is_empty());
        line.map_or(String::new(), |line| {
            let line: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            format!(": {}", tacho_event::head(&line, LINE_BYTES))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_is_kept_and_no_more_than_the_limit() {
        let mut tail = Tail::default();
        assert_eq!(tail.last_line(), "");
        tail.push(b"first\nlast\x1b[0m\n \n");
        assert_eq!(tail.last_line(), ": last [0m");
        tail.push(&[b'x'; 3 * BYTES]);
        assert_eq!((tail.0.len(), tail.last_line().len()), (BYTES, LINE_BYTES + 2));
    }
}
