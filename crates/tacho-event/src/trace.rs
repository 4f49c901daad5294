//! W3C Trace Context, and the ids that are derived so that the same session always has the same trace.

use sha2::{Digest, Sha256};

/// A trace id and a span id, as lower-case hex goes into `traceparent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    pub trace_id: [u8; 16],
    pub span_id: [u8; 8],
    pub flags: u8,
}

impl TraceContext {
    /// Reads a `traceparent` (W3C Trace Context, level 1): version 00 exactly, later versions by their
    /// known prefix, never version ff nor an id of zeros.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let dashes = bytes.len() >= 55 && bytes[2] == b'-' && bytes[35] == b'-' && bytes[52] == b'-';
        if !dashes || (bytes.len() > 55 && (&bytes[..2] == b"00" || bytes[55] != b'-')) {
            return None;
        }
        let version = hex::<1>(&bytes[..2])?[0];
        let context = Self {
            trace_id: hex(&bytes[3..35])?,
            span_id: hex(&bytes[36..52])?,
            flags: hex::<1>(&bytes[53..55])?[0],
        };
        let valid = version != 0xff && context.trace_id != [0; 16] && context.span_id != [0; 8];
        valid.then_some(context)
    }

    /// The context of something in a session: `part` is the agent, the tool call or the event itself.
    pub fn derived(session: &str, part: &str) -> Self {
        Self { trace_id: derived_trace_id(session), span_id: derived_span_id(session, part), flags: 1 }
    }

    pub fn to_traceparent(self) -> String {
        let mut text = String::with_capacity(55);
        text.push_str("00-");
        push_hex(&mut text, &self.trace_id);
        text.push('-');
        push_hex(&mut text, &self.span_id);
        text.push('-');
        push_hex(&mut text, &[self.flags]);
        text
    }
}

/// First 16 bytes of SHA-256("tacho:trace:1:" + session id).
pub fn derived_trace_id(session: &str) -> [u8; 16] {
    first(&Sha256::new().chain_update("tacho:trace:1:").chain_update(session).finalize())
}

/// First 8 bytes of SHA-256("tacho:span:1:" + session id + ":" + part).
pub fn derived_span_id(session: &str, part: &str) -> [u8; 8] {
    first(
        &Sha256::new()
            .chain_update("tacho:span:1:")
            .chain_update(session)
            .chain_update(":")
            .chain_update(part)
            .finalize(),
    )
}

fn first<const N: usize>(digest: &[u8]) -> [u8; N] {
    let mut id = [0; N];
    id.copy_from_slice(&digest[..N]);
    id
}

/// Lower-case hex only, as the standard demands.
fn hex<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut out = [0; N];
    for (byte, pair) in out.iter_mut().zip(text.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    (text.len() == 2 * N).then_some(out)
}

/// Appends `bytes` as lower-case hex.
pub fn push_hex(out: &mut String, bytes: &[u8]) {
    for byte in bytes {
        for nibble in [byte >> 4, byte & 15] {
            out.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
    }
}

/// `bytes` as lower-case hex.
pub fn to_hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    push_hex(&mut out, bytes);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALID: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn reads_and_writes_traceparent() {
        assert_eq!(TraceContext::parse(VALID).unwrap().to_traceparent(), VALID);
        let later = "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more";
        assert!(TraceContext::parse(later).is_some());
    }

    #[test]
    fn refuses_what_the_standard_refuses() {
        let zero_trace = VALID.replace("0af7651916cd43dd8448eb211c80319c", &"0".repeat(32));
        let zero_span = VALID.replace("b7ad6b7169203331", &"0".repeat(16));
        let long = format!("{VALID}-x");
        for text in [
            "00-zz",
            "",
            &VALID.to_uppercase(),
            &VALID.replacen("00", "ff", 1),
            &zero_trace,
            &zero_span,
            &long,
        ] {
            assert_eq!(TraceContext::parse(text), None, "{text}");
        }
    }

    #[test]
    fn derived_ids_never_change() {
        assert_eq!(
            TraceContext::derived("6de14646-dff7-4706-a66d-b9884b862135", "toolu_1").to_traceparent(),
            "00-19b9eb670b74da4c2a174dff408cbdd7-2da240d5e6d708f0-01"
        );
    }
}
