//! Walking the strings of minified JSON, and cutting the long ones.

use sha2::{Digest, Sha256};
use std::ops::Range;
use tacho_event::json;
use tacho_event::trace::to_hex;

/// Shorter strings are never cut: what replaces one has about this many bytes.
const SHORTEST_CUT_BYTES: usize = 256;

/// Where the next string opens.
pub(crate) fn next_string(json: &[u8], from: usize) -> Option<usize> {
    memchr::memchr(b'"', &json[from.min(json.len())..]).map(|offset| from + offset)
}

/// The byte behind the string that opens at `begin`.
pub(crate) fn string_end(json: &[u8], begin: usize) -> usize {
    let mut at = begin + 1;
    while let Some(offset) = json.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        at += offset;
        if json[at] == b'"' {
            return at + 1;
        }
        at += 2;
    }
    json.len()
}

/// Every string that is no key, with its quotes.
pub(crate) fn values(json: &[u8]) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let begin = next_string(json, at)?;
            at = string_end(json, begin);
            if json.get(at) != Some(&b':') {
                return Some(begin..at);
            }
        }
    })
}

/// The value with its longest strings replaced by `{"truncated_bytes":…,"sha256":…}` until it has at most
/// `limit` bytes; when that is not enough, an object of its short members and what the whole was.
pub(crate) fn cut_to_fit(json: &[u8], limit: usize) -> Vec<u8> {
    let mut longest: Vec<Range<usize>> =
        values(json).filter(|range| range.len() > SHORTEST_CUT_BYTES).collect();
    longest.sort_by_key(|range| (std::cmp::Reverse(range.len()), range.start));
    let mut size = json.len();
    let mut cuts = Vec::new();
    for range in longest {
        if size <= limit {
            break;
        }
        let mark = mark(&json[range.clone()]);
        size = size - range.len() + mark.len();
        cuts.push((range, mark));
    }
    if size <= limit { replace(json, cuts) } else { outline(json, limit) }
}

/// The value with every string of more than `bytes` bytes replaced; `None` when there is none.
pub(crate) fn cut_longer(json: &[u8], bytes: usize) -> Option<Vec<u8>> {
    let longest = bytes.max(SHORTEST_CUT_BYTES);
    let cuts: Vec<_> = values(json)
        .filter(|range| range.len() - 2 > longest)
        .map(|range| (range.clone(), mark(&json[range])))
        .collect();
    (!cuts.is_empty()).then(|| replace(json, cuts))
}

fn replace(json: &[u8], mut cuts: Vec<(Range<usize>, String)>) -> Vec<u8> {
    cuts.sort_by_key(|(range, _)| range.start);
    let mut out = Vec::with_capacity(json.len());
    let mut copied = 0;
    for (range, mark) in cuts {
        out.extend_from_slice(&json[copied..range.start]);
        out.extend_from_slice(mark.as_bytes());
        copied = range.end;
    }
    out.extend_from_slice(&json[copied..]);
    out
}

/// The length and digest of a string's text.
fn mark(written: &[u8]) -> String {
    let text = json::text(written);
    format!("{{{}}}", lost(text.as_bytes()))
}

fn lost(bytes: &[u8]) -> String {
    format!("\"truncated_bytes\":{},\"sha256\":\"{}\"", bytes.len(), to_hex(&Sha256::digest(bytes)))
}

/// What is left of a value that is large without long strings.
fn outline(json: &[u8], limit: usize) -> Vec<u8> {
    let mut out = format!("{{{}", lost(json)).into_bytes();
    for (key, value) in json::members(json) {
        let size = key.len() + value.len() + 4;
        let fits = value.len() <= SHORTEST_CUT_BYTES && out.len() + size < limit;
        if fits && key != b"truncated_bytes" && key != b"sha256" {
            out.extend_from_slice(b",\"");
            out.extend_from_slice(key);
            out.extend_from_slice(b"\":");
            out.extend_from_slice(value);
        }
    }
    out.push(b'}');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_strings_go_first() {
        let long = "é".repeat(400);
        let json = format!(r#"{{"a":"{long}","b":["{}"],"c":"short"}}"#, "y".repeat(300));
        let cut = cut_to_fit(json.as_bytes(), 700);
        let value: serde_json::Value = serde_json::from_slice(&cut).unwrap();
        assert_eq!(value["a"]["truncated_bytes"], 800);
        assert_eq!(value["a"]["sha256"], to_hex(&Sha256::digest(long.as_bytes())));
        assert_eq!((value["b"][0].as_str().unwrap().len(), &value["c"]), (300, &"short".into()));
        assert_eq!(cut_to_fit(json.as_bytes(), 5000), json.as_bytes());
    }

    #[test]
    fn many_small_things_leave_an_outline() {
        let json = format!(r#"{{"session_id":"s","list":[{}1]}}"#, "1,".repeat(5000));
        let cut = cut_to_fit(json.as_bytes(), 1000);
        let value: serde_json::Value = serde_json::from_slice(&cut).unwrap();
        assert_eq!(
            (value["session_id"].as_str(), value["truncated_bytes"].as_u64()),
            (Some("s"), Some(json.len() as u64))
        );
    }
}
