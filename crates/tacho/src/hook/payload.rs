//! The payload on its way to the frame: without secrets, whatever else it is.

use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use tacho_event::json;
use tacho_ingest::Redactor;
use tacho_journal::spool::DEFAULT_SPOOL_BYTES;

/// What the server tells hooks that its configuration changes; absent while it changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    pub spool_bytes: u64,
    /// Names and regular expressions of further secrets.
    pub rules: Vec<(String, String)>,
    /// Further names whose values are secret.
    pub keys: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { spool_bytes: DEFAULT_SPOOL_BYTES, rules: Vec::new(), keys: Vec::new() }
    }
}

impl Settings {
    /// Where the server writes them.
    pub fn file(data: &Path) -> PathBuf {
        crate::data_folder::run_folder(data).join("hook.json")
    }

    pub fn load(data: &Path) -> Self {
        let text = std::fs::read(Self::file(data)).ok();
        text.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
    }

    /// A rule that cannot be compiled was refused by the server before it wrote it.
    pub fn redactor(&self) -> Redactor {
        if self.rules.is_empty() && self.keys.is_empty() {
            return Redactor::builtin();
        }
        let rules = self.rules.iter().map(|(name, pattern)| (name, pattern));
        Redactor::with_rules(rules).unwrap_or_else(|_| Redactor::builtin()).with_keys(&self.keys)
    }
}

/// A payload that may be stored.
pub struct Payload {
    pub bytes: Vec<u8>,
    /// The folder that the agent works in, as the payload names it.
    pub working_folder: Option<PathBuf>,
}

/// Minified JSON without secrets; what is no JSON keeps its text, without secrets.
pub fn clean(raw: &[u8], redactor: &Redactor) -> Payload {
    let mut minified = Vec::with_capacity(raw.len());
    match json::minify(raw, json::DEFAULT_DEPTH, &mut minified) {
        Ok(()) => {
            let folder =
                json::member(&minified, "cwd").filter(|folder| json::kind(folder) == json::Kind::String);
            let working_folder = folder.map(|folder| PathBuf::from(json::text(folder).into_owned()));
            Payload { bytes: redactor.redact_json(&minified).into_owned(), working_folder }
        }
        Err(_) => {
            let text = String::from_utf8_lossy(raw);
            Payload { bytes: redactor.redact_text(&text).into_owned().into_bytes(), working_folder: None }
        }
    }
}
