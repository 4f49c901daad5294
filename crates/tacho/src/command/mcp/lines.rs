//! Bytes as they pass → whole lines.

/// Longest line that is looked at, in bytes; longer ones pass all the same.
pub const LINE_BYTES_MAX: usize = 16 << 20;

/// The lines of one direction.
#[derive(Debug, Default)]
pub struct Lines {
    /// The line that has begun, without its end.
    begun: Vec<u8>,
    /// Whether that line is too long; its bytes are not kept.
    is_too_long: bool,
}

impl Lines {
    /// Hands every line that ends in `bytes` to `take`, without its newline; `None` for one that is too long.
    pub fn feed(&mut self, bytes: &[u8], mut take: impl FnMut(Option<Vec<u8>>)) {
        let mut parts = bytes.split(|byte| *byte == b'\n');
        // There is always one: what stands before the first newline, else everything.
        self.keep(parts.next().unwrap_or_default());
        for part in parts {
            let line = std::mem::take(&mut self.begun);
            if std::mem::take(&mut self.is_too_long) {
                take(None);
            } else if !line.trim_ascii().is_empty() {
                take(Some(line));
            }
            self.keep(part);
        }
    }

    fn keep(&mut self, part: &[u8]) {
        self.is_too_long |= self.begun.len() + part.len() > LINE_BYTES_MAX;
        if self.is_too_long {
            self.begun = Vec::new();
        } else {
            self.begun.extend_from_slice(part);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_whole_however_they_are_cut() {
        let text = b"{\"a\":1}\n\n  \r\n{}\r\nrest\n";
        for size in 1..=text.len() {
            let (mut lines, mut told) = (Lines::default(), Vec::new());
            for piece in text.chunks(size) {
                lines.feed(piece, |line| told.push(String::from_utf8(line.unwrap()).unwrap()));
            }
            assert_eq!(told, ["{\"a\":1}", "{}\r", "rest"], "{size}");
        }
    }

    #[test]
    fn what_is_too_long_is_told_and_not_kept() {
        let (mut lines, mut told) = (Lines::default(), Vec::new());
        let piece = vec![b'x'; LINE_BYTES_MAX / 4];
        for _ in 0..5 {
            lines.feed(&piece, |line| told.push(line));
            assert!(lines.begun.len() <= LINE_BYTES_MAX);
        }
        lines.feed(b"\nshort\n", |line| told.push(line));
        assert_eq!(told, [None, Some(b"short".to_vec())]);
    }
}
