//! Percent-encoded text (RFC 3986), as it stands in URNs and paths.

/// What the text means; `None` where an escape is broken, or the bytes are no UTF-8.
pub fn percent_decoded(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let mut digit = || char::from(bytes.next()?).to_digit(16);
        let (high, low) = (digit()?, digit()?);
        out.push((high * 16 + low) as u8);
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_escape_is_no_text() {
        let decoded = ["a%20b", "caf%C3%A9", "100%25", "%", "%2", "%+f", "%C3"].map(percent_decoded);
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(decoded, [text("a b"), text("café"), text("100%"), None, None, None, None]);
    }
}
