//! Secrets are cut out before anything is stored: one redactor for every door.
//!
//! A secret is known by its form ([`RULES`], and rules that the configuration adds) or by the name that
//! its value is given to (`password`, `authorization`, `client_secret`, `*_token`, …). What is cut out
//! leaves `[redacted:<rule>]` behind, so that the JSON stays valid. Redacting twice changes nothing.

mod assignment;
mod credential;
mod json;
mod keys;
mod prefilter;
mod rules;

pub use rules::{ASSIGNMENT, RULES, Rule};

pub(crate) use json::redact_base64;

use prefilter::{Hit, Prefilter};
use regex::Regex;
use std::borrow::Cow;
use std::ops::Range;
use thiserror::Error;

/// How often the rules are applied at most: what one rule leaves behind may show another one its secret.
const MAX_PASSES: usize = 6;

/// Longest name of a rule, in bytes.
const MAX_RULE_NAME_BYTES: usize = 32;

/// Cuts secrets out of JSON and text. Built once, shared by every door.
pub struct Redactor {
    prefilter: Prefilter,
    custom: Vec<CustomRule>,
    /// Names of the configuration, folded as [`keys`] compares them.
    names: Vec<Vec<u8>>,
}

struct CustomRule {
    name: String,
    regex: Regex,
}

/// Why a rule of the configuration cannot be used.
#[derive(Debug, Error)]
pub enum RedactorError {
    #[error(
        "redaction rule name {0:?} is not made of 1 to {MAX_RULE_NAME_BYTES} characters a-z, 0-9, `_` and `-`"
    )]
    Name(String),
    #[error("redaction rule `{name}`: {source}")]
    Pattern { name: String, source: regex::Error },
    #[error("redaction rule `{0}` matches an empty text: say what it must contain")]
    Empty(String),
}

/// Bytes of a text that go, and the rule's name.
struct Edit<'a> {
    range: Range<usize>,
    rule: &'a str,
    /// Known by the name that it is given to, not by its form.
    is_by_name: bool,
}

impl Redactor {
    /// The built-in rules alone. Cheap: a process of one millisecond can afford it.
    pub fn builtin() -> Self {
        Self { prefilter: Prefilter::new(), custom: Vec::new(), names: Vec::new() }
    }

    /// The built-in rules and more: `(name, regular expression)`; the whole match is cut out.
    pub fn with_rules<N: AsRef<str>, P: AsRef<str>>(
        rules: impl IntoIterator<Item = (N, P)>,
    ) -> Result<Self, RedactorError> {
        let mut redactor = Self::builtin();
        for (name, pattern) in rules {
            let name = name.as_ref().to_owned();
            let named =
                |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte);
            if name.is_empty() || name.len() > MAX_RULE_NAME_BYTES || !name.bytes().all(named) {
                return Err(RedactorError::Name(name));
            }
            let regex = Regex::new(pattern.as_ref())
                .map_err(|source| RedactorError::Pattern { name: name.clone(), source })?;
            if regex.is_match("") {
                return Err(RedactorError::Empty(name));
            }
            redactor.custom.push(CustomRule { name, regex });
        }
        Ok(redactor)
    }

    /// More names whose values are secrets; case, `-`, `_` and `.` do not count.
    #[must_use]
    pub fn with_keys<N: AsRef<str>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.names.extend(names.into_iter().map(|name| keys::fold_owned(name.as_ref())));
        self.names.retain(|name| !name.is_empty());
        self
    }

    /// Minified JSON without its secrets, still minified JSON. Several texts may follow each other.
    pub fn redact_json<'a>(&self, minified: &'a [u8]) -> Cow<'a, [u8]> {
        let mut current = Cow::Borrowed(minified);
        for _ in 0..MAX_PASSES {
            match json::redact(self, &current) {
                Some(next) => current = Cow::Owned(next),
                None => break,
            }
        }
        current
    }

    /// A text without its secrets.
    pub fn redact_text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut current = Cow::Borrowed(text);
        for _ in 0..MAX_PASSES {
            let hits = self.prefilter.hits(current.as_bytes());
            match self.apply(&current, &hits) {
                Some(next) => current = Cow::Owned(next),
                None => break,
            }
        }
        current
    }

    /// One pass over a text; `None` when it holds no secret. The hits are offsets into `text`.
    fn apply(&self, text: &str, hits: &[Hit]) -> Option<String> {
        let edits = self.edits(text, hits);
        if edits.is_empty() {
            return None;
        }
        let mut out = String::with_capacity(text.len());
        let mut copied = 0;
        for edit in &edits {
            out.push_str(&text[copied..edit.range.start]);
            out.push_str("[redacted:");
            out.push_str(edit.rule);
            out.push(']');
            copied = edit.range.end;
        }
        out.push_str(&text[copied..]);
        Some(out)
    }

    /// What must go, in order and without overlaps.
    fn edits<'a>(&'a self, text: &str, hits: &[Hit]) -> Vec<Edit<'a>> {
        let mut found: Vec<Edit<'a>> = Vec::new();
        let mut covered = [0; RULES.len()];
        for hit in hits {
            let rule = &RULES[hit.rule];
            if (rule.begin)(text, hit.at).is_none_or(|begin| begin < covered[hit.rule]) {
                continue;
            }
            let Some(range) = (rule.find)(text, hit.at) else { continue };
            covered[hit.rule] = range.end;
            let name = if rule.name == ASSIGNMENT { assignment::rule(text, hit.at) } else { rule.name };
            found.push(Edit { range, rule: name, is_by_name: rule.name == ASSIGNMENT });
        }
        for custom in &self.custom {
            let matches = custom.regex.find_iter(text).filter(|found| !found.is_empty());
            found.extend(matches.map(|found| Edit {
                range: found.range(),
                rule: &custom.name,
                is_by_name: false,
            }));
        }
        found.retain(|edit| {
            let secret = &text[edit.range.clone()];
            !secret.starts_with("[redacted:") && !is_inside_mark(text, &edit.range)
        });
        found.sort_by_key(|edit| (edit.range.start, edit.is_by_name));
        let mut edits: Vec<Edit<'a>> = Vec::with_capacity(found.len());
        for edit in found {
            match edits.last_mut() {
                Some(last) if edit.range.start < last.range.end => {
                    last.range.end = last.range.end.max(edit.range.end);
                }
                _ => edits.push(edit),
            }
        }
        edits
    }
}

/// Whether the range lies inside a mark that an earlier pass left: a rule may look like a mark's text.
fn is_inside_mark(text: &str, range: &Range<usize>) -> bool {
    let near = range.start - range.start.min("[redacted:".len() + MAX_RULE_NAME_BYTES);
    let near = (near..=range.start).find(|at| text.is_char_boundary(*at)).unwrap_or(range.start);
    let Some(open) = text[near..range.start].rfind("[redacted:").map(|open| near + open) else {
        return false;
    };
    text[open..].find(']').is_some_and(|close| open + close >= range.end)
}

#[cfg(test)]
mod tests;
