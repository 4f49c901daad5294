//! Secrets that are known by the name that they are given to: `password=…`, `"api_key": "…"`,
//! `Authorization: Basic …`, `SERVICE_TOKEN=…`. Careful with prose and source code: what looks like a
//! reference, a type or a call is left alone.

use super::credential::{run, token68};
use super::keys::{self, SecretName};
use std::ops::Range;

/// What says that a value is a placeholder or a reference to a secret, not one.
const REFERENCES: &[&str] = &["[redacted:", "$", "{", "<", "%(", "*"];

/// Whether a name that goes on like this from the trigger on is that of a secret: `token` is, `tokens` is not.
pub(super) fn is_secret_name(bytes: &[u8], at: usize) -> bool {
    name_end(bytes, at)
        .and_then(|end| std::str::from_utf8(&bytes[at..end]).ok())
        .is_some_and(|name| keys::secret_name(name).is_some())
}

/// Where the name ends, unless it goes on for longer than names do.
fn name_end(bytes: &[u8], at: usize) -> Option<usize> {
    let window = &bytes[at..bytes.len().min(at + keys::MAX_NAME_BYTES)];
    let length = run(window, named);
    (length < keys::MAX_NAME_BYTES).then_some(at + length)
}

fn named(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

/// A name that holds a trigger, and the value that is given to it.
struct Given {
    kind: SecretName,
    /// Where the name ends.
    name_end: usize,
    is_upper_case: bool,
    /// `=` or `:`.
    by: u8,
    begin: usize,
}

/// Where the value begins that is given to the name in which the trigger at `at` stands.
pub(super) fn begin(text: &str, at: usize) -> Option<usize> {
    given(text, at).map(|given| given.begin)
}

/// What the mark is named after.
pub(super) fn rule(text: &str, at: usize) -> &'static str {
    given(text, at).map_or(super::ASSIGNMENT, |given| given.kind.rule())
}

fn given(text: &str, at: usize) -> Option<Given> {
    let bytes = text.as_bytes();
    let before = bytes[..at].iter().rev().take(keys::MAX_NAME_BYTES).take_while(|byte| named(**byte));
    let name_begin = at - before.count();
    let name_end = name_end(bytes, at)?;
    let name = &text[name_begin..name_end];
    let kind = keys::secret_name(name)?;
    let (begin, by) = separator(bytes, name_end)?;
    let is_upper_case = !name.bytes().any(|byte| byte.is_ascii_lowercase());
    Some(Given { kind, name_end, is_upper_case, by, begin })
}

/// The value given to the name in which the trigger at `at` stands.
pub(super) fn find(text: &str, at: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let given = given(text, at)?;
    let begin = given.begin;
    if REFERENCES.iter().any(|reference| text[begin..].starts_with(reference)) {
        return None;
    }
    match given.kind {
        SecretName::Authorization => authorization(text, begin),
        SecretName::Cookie if given.by == b':' && !is_quote(bytes.get(begin)) => cookies(bytes, begin),
        _ if opening(bytes, begin).is_some() => quoted(text, begin),
        _ => unquoted(text, &given),
    }
}

fn is_quote(byte: Option<&u8>) -> bool {
    matches!(byte, Some(b'"' | b'\'' | b'`'))
}

/// Steps over the name's closing quote, blanks and one `=` or `:`; where the value begins.
fn separator(bytes: &[u8], mut at: usize) -> Option<(usize, u8)> {
    let blank = |byte: u8| byte == b' ' || byte == b'\t';
    at += run(&bytes[at..], |byte| byte == b'\\');
    at += usize::from(is_quote(bytes.get(at)));
    at += run(&bytes[at..], blank);
    let given_by = *bytes.get(at).filter(|byte| matches!(byte, b'=' | b':'))?;
    at += 1;
    match bytes.get(at) {
        // `==` compares, `::` is a path; `=>` and `:=` give a value.
        Some(b'=') if given_by == b'=' => return None,
        Some(b':') => return None,
        Some(b'>' | b'=') => at += 1,
        _ => {}
    }
    at += run(&bytes[at..], blank);
    (at < bytes.len()).then_some((at, given_by))
}

/// The quote that opens at `at`, behind any backslashes that escape it, and where its content begins.
fn opening(bytes: &[u8], at: usize) -> Option<(u8, usize)> {
    let escapes = run(&bytes[at..], |byte| byte == b'\\');
    let quote = *bytes.get(at + escapes).filter(|byte| is_quote(Some(byte)))?;
    Some((quote, at + escapes + 1))
}

/// What stands between the quotes.
fn quoted(text: &str, at: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let (quote, begin) = opening(bytes, at)?;
    let is_escaped = begin > at + 1;
    if REFERENCES.iter().any(|reference| text[begin..].starts_with(reference)) {
        return None;
    }
    let mut end = begin;
    while let Some(byte) = bytes.get(end) {
        match byte {
            b'\\' if is_escaped => break,
            b'\\' => end += 1,
            b'\n' => break,
            byte if *byte == quote => break,
            _ => {}
        }
        end += 1;
    }
    let end = floor_boundary(text, end);
    (end > begin).then_some(begin..end)
}

/// The credentials behind the scheme's name, which stays.
fn authorization(text: &str, at: usize) -> Option<Range<usize>> {
    const SCHEMES: [&str; 8] =
        ["bearer", "basic", "token", "digest", "negotiate", "apikey", "hawk", "aws4-hmac-sha256"];
    let bytes = text.as_bytes();
    let begin = opening(bytes, at).map_or(at, |(_, begin)| begin);
    let scheme = run(&bytes[begin..], |byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let spaces = run(&bytes[begin + scheme..], |byte| byte == b' ');
    let is_scheme =
        spaces > 0 && SCHEMES.iter().any(|known| known.eq_ignore_ascii_case(&text[begin..begin + scheme]));
    let begin = if is_scheme { begin + scheme + spaces } else { begin };
    if text[begin..].starts_with("[redacted:") {
        return None;
    }
    if is_scheme {
        let end = begin + line(&bytes[begin..]);
        return (end > begin).then_some(begin..end);
    }
    let length = run(&bytes[begin..], token68);
    let has_digit = bytes[begin..begin + length].iter().any(u8::is_ascii_digit);
    (length >= 6 && (has_digit || length >= 16)).then_some(begin..begin + length)
}

/// A Cookie or Set-Cookie header's value, to the end of its line.
fn cookies(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let length = line(&bytes[at..]);
    memchr::memchr(b'=', &bytes[at..at + length])?;
    Some(at..at + length)
}

/// To the end of the line or the closing quote.
fn line(bytes: &[u8]) -> usize {
    const LONGEST_BYTES: usize = 4096;
    let bytes = &bytes[..bytes.len().min(LONGEST_BYTES)];
    // A character is cut nowhere but at the limit.
    let length = run(bytes, |byte| !matches!(byte, b'\n' | b'\r' | b'"' | b'\'' | b'`' | b'\\'));
    length
        - bytes[..length]
            .iter()
            .rev()
            .take_while(|byte| **byte >= 0x80)
            .count()
            .min(usize::from(length == LONGEST_BYTES) * 4)
}

fn unquoted(text: &str, given: &Given) -> Option<Range<usize>> {
    const WORDS: [&str; 9] =
        ["string", "null", "none", "true", "false", "undefined", "required", "optional", "option"];
    let bytes = text.as_bytes();
    let inside = |byte: u8| {
        byte > b' '
            && !matches!(byte, b'"' | b'\'' | b'`' | b',' | b';' | b'&' | b'<' | b'>' | b'|' | b'\\')
            && !matches!(byte, b'(' | b')' | b'{' | b'}' | b'[' | b']')
    };
    let begin = given.begin;
    let as_environment = given.by == b'=' && bytes[given.name_end] == b'=' && given.is_upper_case;
    let length = run(&bytes[begin..], inside);
    let value = &text[begin..begin + length];
    let is_code = matches!(bytes.get(begin + length), Some(b'(' | b'[' | b'{'));
    let is_word = WORDS.iter().any(|word| word.eq_ignore_ascii_case(value));
    let has_digit = value.bytes().any(|byte| byte.is_ascii_digit());
    let secret = if as_environment {
        length >= 4
    } else if given.kind == SecretName::Password && given.by == b'=' {
        length >= 6
    } else {
        length >= 20 || (length >= 6 && has_digit)
    };
    // `password=self.password` hands on what has such a name itself.
    let is_name = !has_digit && keys::secret_name(value).is_some();
    (secret && !is_code && !is_word && !is_name).then(|| begin..begin + length)
}

fn floor_boundary(text: &str, mut at: usize) -> usize {
    at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
