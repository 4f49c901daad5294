//! Strings: from their written form and back.

use std::borrow::Cow;

/// The text of a JSON string, given with its quotes; any other value as it is written.
/// A lone surrogate becomes U+FFFD.
pub fn text(json: &[u8]) -> Cow<'_, str> {
    let Some(inner) = json.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")) else {
        return String::from_utf8_lossy(json);
    };
    if memchr::memchr(b'\\', inner).is_none() {
        return String::from_utf8_lossy(inner);
    }
    Cow::Owned(unescape(&String::from_utf8_lossy(inner)))
}

fn unescape(written: &str) -> String {
    let mut out = String::with_capacity(written.len());
    let mut rest = written;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let escape = &rest[at + 1..];
        let (character, length) = match escape.as_bytes().first() {
            Some(b'n') => ('\n', 1),
            Some(b't') => ('\t', 1),
            Some(b'r') => ('\r', 1),
            Some(b'b') => ('\u{8}', 1),
            Some(b'f') => ('\u{c}', 1),
            Some(b'u') => unicode(escape),
            Some(byte) => (char::from(*byte), 1),
            None => break,
        };
        out.push(character);
        rest = &escape[length..];
    }
    out.push_str(rest);
    out
}

/// The character of `uXXXX` or of `uXXXX\uXXXX`, and how many bytes it takes.
fn unicode(escape: &str) -> (char, usize) {
    let unit = |text: &str| text.get(..4).and_then(|digits| u32::from_str_radix(digits, 16).ok());
    let Some(first) = unit(&escape[1..]) else { return (char::REPLACEMENT_CHARACTER, 1) };
    if (0xD800..0xDC00).contains(&first)
        && let Some(second) = escape.get(5..).and_then(|rest| rest.strip_prefix("\\u")).and_then(unit)
        && (0xDC00..0xE000).contains(&second)
    {
        let code = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
        return (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 11);
    }
    (char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), 5)
}

/// Appends `text` as a JSON string, with its quotes.
pub fn write_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut bytes = text.as_bytes();
    loop {
        let plain = super::minify::plain_prefix(bytes);
        out.extend_from_slice(&bytes[..plain]);
        let Some(special) = bytes.get(plain) else { break };
        match special {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            control => out.extend_from_slice(format!("\\u{control:04x}").as_bytes()),
        }
        bytes = &bytes[plain + 1..];
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_back() {
        for sample in ["", "plain", "q\"uo\\te\n\t\u{1}é🚀", "🚀 and a tail that is longer than a vector"]
        {
            let mut json = Vec::new();
            write_string(sample, &mut json);
            assert_eq!(text(&json), sample);
            assert_eq!(serde_json::from_slice::<String>(&json).unwrap(), sample);
        }
        assert_eq!(text(br#""\ud83d\ude80\u00e9\/""#), "🚀é/");
        assert_eq!(text(br#""\ud83d!""#), "\u{fffd}!");
    }
}
