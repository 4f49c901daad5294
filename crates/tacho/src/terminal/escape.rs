//! Text of events is written by strangers: no byte of it may command the reader's terminal.

use std::borrow::Cow;
use std::fmt::Write;

/// The text on one line, with control characters shown as `\n`, `\t`, `\x1b`, `\u{202e}`.
pub fn escape(text: &str) -> Cow<'_, str> {
    escape_with(text, |character, out| {
        // Writing to a string cannot fail.
        let _ = match character {
            '\n' => write!(out, "\\n"),
            '\r' => write!(out, "\\r"),
            '\t' => write!(out, "\\t"),
            control if u32::from(control) < 0x100 => write!(out, "\\x{:02x}", u32::from(control)),
            control => write!(out, "\\u{{{:x}}}", u32::from(control)),
        };
    })
}

/// JSON with the control characters that JSON itself allows inside strings written as `\u009b`: the same
/// document, harmless on a terminal.
pub fn escape_json(document: &str) -> Cow<'_, str> {
    escape_with(document, |character, out| {
        let mut units = [0; 2];
        for unit in character.encode_utf16(&mut units) {
            let _ = write!(out, "\\u{unit:04x}");
        }
    })
}

fn escape_with(text: &str, mut replace: impl FnMut(char, &mut String)) -> Cow<'_, str> {
    let Some(first) = text.find(is_harmful) else { return Cow::Borrowed(text) };
    let mut out = String::with_capacity(text.len() + 16);
    out.push_str(&text[..first]);
    for character in text[first..].chars() {
        if is_harmful(character) { replace(character, &mut out) } else { out.push(character) }
    }
    Cow::Owned(out)
}

/// C0, DEL and C1 command terminals; line separators break lines; direction marks reorder what is read.
fn is_harmful(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_reaches_the_terminal() {
        assert_eq!(escape("plain ünïcode 🦀"), "plain ünïcode 🦀");
        assert_eq!(escape("a\x1b[31mb\n\tc\u{9b}2J\u{202e}"), "a\\x1b[31mb\\n\\tc\\x9b2J\\u{202e}");
        assert_eq!(escape_json("{\"a\":\"\u{9b}2J\u{7f}\"}"), "{\"a\":\"\\u009b2J\\u007f\"}");
    }
}
