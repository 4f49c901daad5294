//! Secrets inside minified JSON: string by string, keys too, and only those in which something was found.

use super::prefilter::Hit;
use super::{Redactor, keys};
use crate::strings::{next_string, string_end};
use std::borrow::Cow;
use tacho_event::json;

/// One pass; `None` when nothing changes.
pub(super) fn redact(redactor: &Redactor, input: &[u8]) -> Option<Vec<u8>> {
    let every_string = !redactor.custom.is_empty() || !redactor.names.is_empty();
    // A secret may be written with escapes, which no trigger sees: `\u0073k-ant-`, `https:\/\/`.
    let has_escapes =
        memchr::memmem::find(input, b"\\u").is_some() || memchr::memmem::find(input, b"\\/").is_some();
    let hits = redactor.prefilter.hits(input);
    if hits.is_empty() && !has_escapes && !every_string {
        return None;
    }
    let mut pass =
        Pass { redactor, input, hits: &hits, every_string, copied: 0, out: Vec::new(), changed: false };
    pass.run();
    if !pass.changed {
        return None;
    }
    pass.out.extend_from_slice(&input[pass.copied..]);
    Some(pass.out)
}

struct Pass<'a> {
    redactor: &'a Redactor,
    input: &'a [u8],
    /// Triggers that are not yet passed.
    hits: &'a [Hit],
    every_string: bool,
    /// Up to where the input is in `out`.
    copied: usize,
    out: Vec<u8>,
    changed: bool,
}

impl<'a> Pass<'a> {
    fn run(&mut self) {
        let mut at = 0;
        while let Some(begin) = next_string(self.input, at) {
            let end = string_end(self.input, begin);
            let is_key = self.input.get(end) == Some(&b':');
            let is_secret_name = self.string(begin, end, is_key);
            at = end;
            if let Some(rule) = is_secret_name {
                at = self.all_strings(end + 1, rule);
            }
        }
    }

    /// Redacts the string; answers with a rule when it is the name of a secret.
    fn string(&mut self, begin: usize, end: usize, is_key: bool) -> Option<&'static str> {
        let hits = self.take_hits(begin, end);
        let written = &self.input[begin..end];
        let escaped = memchr::memchr(b'\\', written).is_some();
        let hidden = escaped && (contains(written, b"\\u") || contains(written, b"\\/"));
        if hits.is_empty() && !hidden && !self.every_string {
            return None;
        }
        let text = json::text(written);
        let clean = if escaped {
            let hits = self.redactor.prefilter.hits(text.as_bytes());
            self.redactor.apply(&text, &hits)
        } else {
            let relative: Vec<Hit> =
                hits.iter().map(|hit| Hit { rule: hit.rule, at: hit.at - begin - 1 }).collect();
            self.redactor.apply(&text, &relative)
        };
        if let Some(clean) = clean {
            self.replace(begin, end, &clean);
        }
        if !is_key {
            return None;
        }
        if keys::is_configured(&text, &self.redactor.names) {
            return Some(keys::SecretName::Configured.rule());
        }
        keys::secret_name(&text).map(keys::SecretName::rule)
    }

    /// Replaces every string in the value that starts at `at`; answers where the value ends.
    fn all_strings(&mut self, at: usize, rule: &str) -> usize {
        let mark = format!("[redacted:{rule}]");
        let mut level = 0usize;
        let mut at = at;
        while let Some(byte) = self.input.get(at) {
            match byte {
                b'"' => {
                    let end = string_end(self.input, at);
                    self.take_hits(at, end);
                    let is_key = self.input.get(end) == Some(&b':');
                    if !is_key && is_secret(&self.input[at + 1..end - 1]) {
                        self.replace(at, end, &mark);
                    }
                    at = end;
                }
                b'{' | b'[' => {
                    level += 1;
                    at += 1;
                    continue;
                }
                b'}' | b']' if level == 0 => return at,
                b'}' | b']' => {
                    level -= 1;
                    at += 1;
                }
                _ => {
                    at += 1;
                    continue;
                }
            }
            if level == 0 {
                return at;
            }
        }
        at
    }

    fn replace(&mut self, begin: usize, end: usize, text: &str) {
        self.out.extend_from_slice(&self.input[self.copied..begin]);
        json::write_string(text, &mut self.out);
        self.copied = end;
        self.changed = true;
    }

    /// The triggers between two bytes; those before are forgotten.
    fn take_hits(&mut self, begin: usize, end: usize) -> &'a [Hit] {
        let first = self.hits.partition_point(|hit| hit.at < begin);
        let rest = &self.hits[first..];
        let (taken, left) = rest.split_at(rest.partition_point(|hit| hit.at < end));
        self.hits = left;
        taken
    }
}

/// An empty value hides nothing, a mark neither.
fn is_secret(written: &[u8]) -> bool {
    let is_mark = written.starts_with(b"[redacted:") && written.ends_with(b"]") && written.len() < 64;
    !written.is_empty() && !is_mark
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    memchr::memmem::find(haystack, needle).is_some()
}

/// The payload's text behind base64, redacted, when it is text and holds a secret; as base64 again.
pub(crate) fn redact_base64<'a>(redactor: &Redactor, encoded: &'a str) -> Cow<'a, str> {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    let Some(text) = STANDARD.decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok()) else {
        return Cow::Borrowed(encoded);
    };
    match redactor.redact_text(&text) {
        Cow::Borrowed(_) => Cow::Borrowed(encoded),
        Cow::Owned(clean) => Cow::Owned(STANDARD.encode(clean)),
    }
}
