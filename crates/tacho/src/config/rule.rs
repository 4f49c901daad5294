//! `[[ingest.rule]]` and `[[redact.rule]]`.

use super::file::unknown;
use anyhow::{Result, anyhow, bail};
use serde::Deserialize;
use tacho_event::Pattern;
use tacho_ingest::redact::RedactorError;
use tacho_ingest::{Redactor, rules};

/// What becomes of events of some types before they are appended.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct IngestRule {
    /// A pattern of types; `*` matches any run of characters.
    #[serde(rename = "type")]
    pub pattern: String,
    pub action: Action,
    /// For `sample`: the share of events that is kept, 0 to 1.
    pub keep: Option<f64>,
    /// For `truncate`: the longest string that is kept whole, in bytes.
    pub max_string_bytes: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    Drop,
    Sample,
    Truncate,
}

impl IngestRule {
    /// As the doors apply it.
    pub fn to_rule(&self) -> rules::Rule {
        let action = match self.action {
            Action::Drop => rules::Action::Drop,
            Action::Sample => rules::Action::Sample { rate: self.keep.unwrap_or(1.0) },
            Action::Truncate => {
                let bytes = self.max_string_bytes.and_then(|bytes| usize::try_from(bytes).ok());
                rules::Action::Truncate { bytes: bytes.unwrap_or(usize::MAX) }
            }
        };
        rules::Rule { pattern: Pattern::new(self.pattern.as_str()), action }
    }
}

/// A secret that is replaced wherever it stands.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RedactRule {
    /// Stands in the place of what was found.
    pub name: String,
    /// A regular expression.
    pub pattern: String,
}

impl RedactRule {
    /// Whether it can be used.
    ///
    /// # Errors
    /// One line that says why not.
    pub fn check(&self) -> Result<(), String> {
        let told = match Redactor::with_rules([(&self.name, &self.pattern)]) {
            Ok(_) => return Ok(()),
            Err(RedactorError::Pattern { source, .. }) => source.to_string(),
            Err(error) => return Err(error.to_string()),
        };
        // A parser draws the place of the error over several lines; the last one says what is wrong.
        let reason = told.lines().last().unwrap_or_default().trim().trim_start_matches("error: ");
        Err(format!("redaction rule `{}`: {:?} is no regular expression: {reason}", self.name, self.pattern))
    }
}

/// Keys, and what they do, for the reference page.
pub const INGEST_KEYS: &[(&str, &str)] = &[
    ("type", "Pattern of the types that it concerns; `*` matches any run of characters."),
    ("action", "`drop`, `sample` or `truncate`. What is dropped is counted and shown by `/metrics`."),
    ("keep", "For `sample`: the share that is kept, 0 to 1, chosen by a hash of the id."),
    ("max_string_bytes", "For `truncate`: the longest string that is kept whole."),
];
pub const REDACT_KEYS: &[(&str, &str)] = &[
    ("name", "Stands in the place of what was found, as `[redacted:NAME]`."),
    ("pattern", "A regular expression of what is secret."),
];

pub fn ingest(rules: &toml::Value) -> Result<Vec<IngestRule>> {
    let rules: Vec<IngestRule> = read("ingest.rule", rules, INGEST_KEYS)?;
    for rule in &rules {
        match rule.action {
            Action::Sample if !rule.keep.is_some_and(|keep| (0.0..=1.0).contains(&keep)) => {
                bail!("a rule with action \"sample\" needs `keep`, from 0 to 1")
            }
            Action::Truncate if rule.max_string_bytes.is_none() => {
                bail!("a rule with action \"truncate\" needs `max_string_bytes`")
            }
            _ => {}
        }
    }
    Ok(rules)
}

pub fn redact(rules: &toml::Value) -> Result<Vec<RedactRule>> {
    read("redact.rule", rules, REDACT_KEYS)
}

fn read<T: for<'de> Deserialize<'de>>(
    name: &str,
    rules: &toml::Value,
    keys: &[(&str, &str)],
) -> Result<Vec<T>> {
    let Some(items) = rules.as_array() else { bail!("write [[{name}]] above each rule") };
    items.iter().map(|item| read_one(name, item, keys)).collect()
}

pub(super) fn read_one<T: for<'de> Deserialize<'de>>(
    name: &str,
    item: &toml::Value,
    keys: &[(&str, &str)],
) -> Result<T> {
    let Some(table) = item.as_table() else { bail!("write [[{name}]] above each item") };
    let known = keys.iter().map(|(key, _)| *key);
    if let Some(strange) = table.keys().find(|key| !keys.iter().any(|(known, _)| known == key)) {
        bail!("[[{name}]]: {}", unknown("key", strange, known));
    }
    item.clone().try_into().map_err(|error| anyhow!("[[{name}]]: {}", error.message()))
}
