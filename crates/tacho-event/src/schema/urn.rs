//! The value of `dataschema`: `urn:tacho:schema:<type>:<semver>`.

use crate::percent_decoded;
use semver::Version;
use std::fmt::Write;

const PREFIX: &str = "urn:tacho:schema:";

/// Names a version of a type's schema. Characters that a URN (RFC 8141) may not hold are
/// percent-encoded.
pub fn urn(kind: &str, version: &Version) -> String {
    let mut out = String::from(PREFIX);
    for byte in kind.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    let _ = write!(out, ":{version}");
    out
}

/// The type and version that [`urn`] wrote; `None` for any other `dataschema`.
pub fn parse_urn(text: &str) -> Option<(String, Version)> {
    let (kind, version) = text.strip_prefix(PREFIX)?.rsplit_once(':')?;
    let kind = percent_decoded(kind).filter(|kind| !kind.is_empty())?;
    Some((kind, Version::parse(version).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        for (kind, text) in [
            ("urlCacher.cacheRequested", "urn:tacho:schema:urlCacher.cacheRequested:1.2.0"),
            ("tool.*.completed", "urn:tacho:schema:tool.*.completed:1.2.0"),
            ("a:b c%é", "urn:tacho:schema:a:b%20c%25%C3%A9:1.2.0"),
        ] {
            assert_eq!(urn(kind, &Version::new(1, 2, 0)), text);
            assert_eq!(parse_urn(text), Some((kind.to_owned(), Version::new(1, 2, 0))));
        }
    }

    #[test]
    fn other_texts() {
        for text in [
            "https://example.com/a.json",
            "urn:tacho:schema:a",
            "urn:tacho:schema:a:1",
            "urn:tacho:schema::1.0.0",
            "urn:tacho:schema:%:1.0.0",
            "urn:tacho:schema:%ff:1.0.0",
        ] {
            assert_eq!(parse_urn(text), None, "{text}");
        }
    }
}
