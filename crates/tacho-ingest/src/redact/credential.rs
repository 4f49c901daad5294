//! Secrets that are known by their own form, wherever they stand.

use std::ops::Range;

type Found = Option<Range<usize>>;

/// A prefix, which characters follow it, and at least how many.
struct Form {
    prefix: &'static str,
    more: fn(u8) -> bool,
    at_least: usize,
}

fn alphanumeric(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

fn upper(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

fn word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn dashed(byte: u8) -> bool {
    word(byte) || byte == b'-'
}

/// The secret of this form at `at`, unless it is the tail of a longer word.
fn form(text: &str, at: usize, form: &Form) -> Found {
    let bytes = text.as_bytes();
    let starts_word = at == 0 || !bytes[at - 1].is_ascii_alphanumeric();
    if !starts_word || !text[at..].starts_with(form.prefix) {
        return None;
    }
    let begin = at + form.prefix.len();
    let length = run(&bytes[begin..], form.more);
    (length >= form.at_least).then(|| at..begin + length)
}

/// How many bytes from the start are of the class.
pub(super) fn run(bytes: &[u8], class: fn(u8) -> bool) -> usize {
    bytes.iter().take_while(|byte| class(**byte)).count()
}

pub(super) fn anthropic(text: &str, at: usize) -> Found {
    form(text, at, &Form { prefix: "sk-ant-", more: dashed, at_least: 8 })
}

pub(super) fn openai(text: &str, at: usize) -> Found {
    if at > 0 && dashed(text.as_bytes()[at - 1]) {
        return None;
    }
    let found = form(text, at, &Form { prefix: "sk-", more: dashed, at_least: 20 })?;
    // A name such as `sk-loading-indicator-wrapper` has no digit; a key of that length has.
    text[found.clone()].bytes().any(|byte| byte.is_ascii_digit()).then_some(found)
}

pub(super) fn github(text: &str, at: usize) -> Found {
    ["ghp_", "gho_", "ghu_", "ghs_", "ghr_"]
        .iter()
        .find_map(|prefix| form(text, at, &Form { prefix, more: alphanumeric, at_least: 20 }))
        .or_else(|| form(text, at, &Form { prefix: "github_pat_", more: word, at_least: 20 }))
}

pub(super) fn gitlab(text: &str, at: usize) -> Found {
    form(text, at, &Form { prefix: "glpat-", more: dashed, at_least: 16 })
}

pub(super) fn aws_key_id(text: &str, at: usize) -> Found {
    ["AKIA", "ASIA"]
        .iter()
        .find_map(|prefix| form(text, at, &Form { prefix, more: upper, at_least: 16 }))
        .filter(|found| found.len() == 20)
}

pub(super) fn google(text: &str, at: usize) -> Found {
    form(text, at, &Form { prefix: "AIza", more: dashed, at_least: 30 })
}

pub(super) fn slack_token(text: &str, at: usize) -> Found {
    ["xoxb-", "xoxa-", "xoxp-", "xoxr-", "xoxs-"]
        .iter()
        .find_map(|prefix| form(text, at, &Form { prefix, more: dashed, at_least: 10 }))
}

/// The path of the address is the secret; the host stays.
pub(super) fn slack_webhook(text: &str, at: usize) -> Found {
    let begin = at + "hooks.slack.com".len();
    let length = run(&text.as_bytes()[begin..], |byte| dashed(byte) || byte == b'/');
    (length > 10).then(|| begin..begin + length)
}

pub(super) fn stripe(text: &str, at: usize) -> Found {
    // The trigger of a key begins at its second character.
    let at = if text[at..].starts_with("k_") { at.checked_sub(1)? } else { at };
    if !text.is_char_boundary(at) {
        return None;
    }
    ["sk_live_", "rk_live_", "sk_test_", "rk_test_", "whsec_"]
        .iter()
        .find_map(|prefix| form(text, at, &Form { prefix, more: alphanumeric, at_least: 10 }))
}

pub(super) fn npm(text: &str, at: usize) -> Found {
    form(text, at, &Form { prefix: "npm_", more: alphanumeric, at_least: 30 })
}

pub(super) fn pypi(text: &str, at: usize) -> Found {
    form(text, at, &Form { prefix: "pypi-", more: dashed, at_least: 40 })
}

pub(super) fn huggingface(text: &str, at: usize) -> Found {
    form(text, at, &Form { prefix: "hf_", more: alphanumeric, at_least: 20 })
}

/// Three parts of base64url with dots between (RFC 7519); each of the first two is a JSON object, hence `eyJ`.
pub(super) fn jwt(text: &str, at: usize) -> Found {
    const LONGEST_HEADER_BYTES: usize = 1024;
    if at > 0 && text.as_bytes()[at - 1].is_ascii_alphanumeric() {
        return None;
    }
    let window = tacho_event::head(&text[at..], LONGEST_HEADER_BYTES);
    let header = form(window, 0, &Form { prefix: "eyJ", more: dashed, at_least: 8 })?;
    let header = at..at + header.end;
    let part = |begin: usize| {
        let rest = text.as_bytes().get(begin..)?.strip_prefix(b".")?;
        Some(begin + 1 + run(rest, dashed))
    };
    let payload = part(header.end).filter(|end| end - header.end > 8)?;
    let signature = part(payload).filter(|end| end - payload > 8)?;
    Some(at..signature)
}

/// From the BEGIN line to the END line, or to the end of a text that was cut before it.
pub(super) fn private_key(text: &str, at: usize) -> Found {
    const LABEL: &str = "PRIVATE KEY";
    const LONGEST_LABEL_BYTES: usize = 48;
    let rest = &text.as_bytes()[at..];
    let label_end = find(&rest[..rest.len().min(LONGEST_LABEL_BYTES)], LABEL.as_bytes())?;
    let end = find(&rest[label_end..], b"-----END").map_or(rest.len(), |end| {
        let end = label_end + end + b"-----END".len();
        let label = find(&rest[end..rest.len().min(end + LONGEST_LABEL_BYTES)], LABEL.as_bytes());
        let behind = label.map_or(end, |label| end + label + LABEL.len());
        behind + run(&rest[behind..], |byte| byte == b'-').min(5)
    });
    Some(at..at + end)
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    memchr::memmem::find(haystack, needle)
}

/// Whether an address names a user, which few do.
pub(super) fn may_hold_password(bytes: &[u8], at: usize) -> bool {
    if bytes[at] != b':' {
        return true;
    }
    let authority = &bytes[at + 3..];
    authority[..run(authority, in_authority)].contains(&b'@')
}

fn in_authority(byte: u8) -> bool {
    byte > b' ' && !matches!(byte, b'/' | b'?' | b'#' | b'"' | b'\'' | b'`' | b'<' | b'>' | b'\\')
}

/// The password of `scheme://user:PASSWORD@host` (RFC 3986), and the key of an Azure storage account.
pub(super) fn connection_string(text: &str, at: usize) -> Found {
    let bytes = text.as_bytes();
    if !text[at..].starts_with("://") {
        let begin = at + "accountkey=".len();
        let length = run(&bytes[begin..], |byte| alphanumeric(byte) || matches!(byte, b'+' | b'/' | b'='));
        return (length >= 20).then(|| begin..begin + length);
    }
    if at == 0 || !bytes[at - 1].is_ascii_alphanumeric() {
        return None;
    }
    let begin = at + 3;
    let authority = &bytes[begin..begin + run(&bytes[begin..], in_authority)];
    let user_end = memchr::memchr(b':', authority)?;
    let password_end = memchr::memrchr(b'@', authority)?;
    (password_end > user_end + 1).then(|| begin + user_end + 1..begin + password_end)
}

/// The token behind the word (RFC 6750); prose such as `bearer of news` has none.
pub(super) fn bearer(text: &str, at: usize) -> Found {
    let bytes = text.as_bytes();
    let begin = at + "bearer".len();
    let spaces = run(&bytes[begin..], |byte| byte == b' ');
    if spaces == 0 || (at > 0 && word(bytes[at - 1])) {
        return None;
    }
    let begin = begin + spaces;
    let length = run(&bytes[begin..], token68);
    let has_digit = bytes[begin..begin + length].iter().any(u8::is_ascii_digit);
    (length >= 20 || (length >= 8 && has_digit)).then(|| begin..begin + length)
}

/// The characters of credentials in headers (RFC 9110, `token68`).
pub(super) fn token68(byte: u8) -> bool {
    alphanumeric(byte) || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=')
}
