//! Finds markers in a text: what stands between `<EVENT>` and `</EVENT>`.

use super::{MAX_MARKER_BYTES, MAX_MARKERS};
use memchr::memmem;
use tacho_event::head;
use tacho_event::json;

const OPEN: &str = "<EVENT>";
const CLOSE: &str = "</EVENT>";

/// Prose may open as many without meaning one.
const MAX_OPENED: usize = 10 * MAX_MARKERS;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found<'t> {
    /// A JSON object, minified; and the whole marker as it stands in the text.
    Marker {
        json: Vec<u8>,
        text: &'t str,
    },
    Malformed {
        text: &'t str,
        reason: String,
    },
}

/// The markers in order. In a part of a text, what is not closed is left to the whole.
pub(super) fn scan(text: &str, is_part: bool, depth: usize) -> Vec<Found<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    let mut opened = 0;
    while let Some(begin) = find(text, at, OPEN) {
        opened += 1;
        if found.len() == MAX_MARKERS || opened > MAX_OPENED {
            let reason = format!("more than {MAX_MARKERS} markers in one text: the rest is not read");
            found.push(Found::Malformed { text: OPEN, reason });
            break;
        }
        let inside = begin + OPEN.len();
        let window = head(&text[inside..], MAX_MARKER_BYTES);
        let (next, one) = match object(window, depth) {
            Ok((json, length)) => {
                let end = inside + length;
                (end, Some(Found::Marker { json, text: &text[begin..end] }))
            }
            Err(reason) => malformed(text, begin, window, reason, is_part),
        };
        found.extend(one);
        at = next;
    }
    found
}

/// A JSON object and the closing tag; and where that ends.
fn object(window: &str, depth: usize) -> Result<(Vec<u8>, usize), String> {
    if !window.trim_start().starts_with('{') {
        return Err("the marker holds no JSON object".to_owned());
    }
    let mut json = Vec::new();
    let length = json::minify_next(window.as_bytes(), depth, &mut json).map_err(|error| error.to_string())?;
    let rest = window[length..].trim_start();
    if !rest.starts_with(CLOSE) {
        return Err(format!("no {CLOSE} behind the JSON object"));
    }
    Ok((json, window.len() - rest.len() + CLOSE.len()))
}

/// Where to go on, and what to report. Only what is closed before the next marker opens, or begins like an
/// object, was meant as a marker: the rest is prose about markers.
fn malformed<'t>(
    text: &'t str,
    begin: usize,
    window: &str,
    reason: String,
    is_part: bool,
) -> (usize, Option<Found<'t>>) {
    let inside = begin + OPEN.len();
    let close = find(window, 0, CLOSE);
    let reopened = find(window, 0, OPEN);
    match close {
        Some(close) if reopened.is_none_or(|open| close < open) => {
            let end = inside + close + CLOSE.len();
            (end, Some(Found::Malformed { text: &text[begin..end], reason }))
        }
        _ => {
            let end = inside + reopened.unwrap_or(window.len());
            let is_oversized = reopened.is_none() && window.len() < text.len() - inside;
            let reason = if is_oversized {
                format!("the marker is not closed within {MAX_MARKER_BYTES} bytes")
            } else {
                "the marker is not closed".to_owned()
            };
            let meant = window.trim_start().starts_with('{') && !is_part;
            (end, meant.then(|| Found::Malformed { text: &text[begin..end], reason }))
        }
    }
}

fn find(text: &str, from: usize, needle: &str) -> Option<usize> {
    memmem::find(&text.as_bytes()[from..], needle.as_bytes()).map(|offset| from + offset)
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(text: &str, expected: Expect) {
        let told: Vec<String> = scan(text, false, 10)
            .into_iter()
            .map(|found| match found {
                Found::Marker { json, .. } => String::from_utf8(json).unwrap(),
                Found::Malformed { text, reason } => format!("{reason}: {}", head(text, 40)),
            })
            .collect();
        expected.assert_eq(&told.join("\n"));
    }

    #[test]
    fn several_with_text_between() {
        check(
            "a <EVENT>{\"name\": \"x\"}</EVENT> b\n<EVENT> {\"name\":\"y\",\n \"attributes\":{\"t\":\"</EVENT>\"}} </EVENT>c",
            expect![[r#"
                {"name":"x"}
                {"name":"y","attributes":{"t":"</EVENT>"}}"#]],
        );
    }

    #[test]
    fn malformed_ones_do_not_hide_the_next() {
        check(
            "<EVENT>{\"name\": oops}</EVENT> <EVENT>{\"a\":1} x</EVENT> <EVENT>none</EVENT> <EVENT>{\"a\": <EVENT>{\"b\":2}</EVENT>",
            expect![[r#"
                unexpected 'o' at byte 9: <EVENT>{"name": oops}</EVENT>
                no </EVENT> behind the JSON object: <EVENT>{"a":1} x</EVENT>
                the marker holds no JSON object: <EVENT>none</EVENT>
                the marker is not closed: <EVENT>{"a": 
                {"b":2}"#]],
        );
    }

    #[test]
    fn prose_and_parts() {
        check("write <EVENT> and then more", expect![""]);
        check("it ends <EVENT>{\"a\":1", expect![[r#"the marker is not closed: <EVENT>{"a":1"#]]);
        assert_eq!(scan("it ends <EVENT>{\"a\":1", true, 10), []);
        let long =
            format!("<EVENT>{{\"a\":\"{}\"}}</EVENT><EVENT>{{}}</EVENT>", "x".repeat(MAX_MARKER_BYTES));
        let found = scan(&long, false, 10);
        assert!(
            matches!(&found[0], Found::Malformed { reason, .. } if reason.contains("within 65536 bytes"))
        );
        assert!(matches!(&found[1], Found::Marker { .. }));
        assert_eq!(scan(&"<EVENT>{}</EVENT>".repeat(500), false, 10).len(), MAX_MARKERS + 1);
    }
}
