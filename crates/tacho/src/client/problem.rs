//! Problem details (RFC 9457), as the server refuses.

use serde::Deserialize;
use std::fmt;

/// Characters of an answer that is no problem details, shown instead.
const BODY_CHARACTERS: usize = 200;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Problem {
    pub status: u16,
    /// Stable; scripts branch on it.
    pub code: String,
    pub title: String,
    pub detail: String,
    /// For `sequence_conflict`: where the stream is.
    pub actual: Option<u64>,
}

impl Problem {
    pub fn from_answer(status: u16, body: &[u8]) -> Self {
        let parsed: Result<Self, _> = serde_json::from_slice(body);
        match parsed {
            Ok(problem) if !problem.code.is_empty() => Self { status, ..problem },
            _ => {
                let shown: String = String::from_utf8_lossy(body).chars().take(BODY_CHARACTERS).collect();
                Self { status, detail: shown.trim().to_owned(), ..Self::default() }
            }
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = if self.detail.is_empty() { &self.title } else { &self.detail };
        match self.code.as_str() {
            "" => write!(formatter, "the server answered {}: {words}", self.status),
            code => write!(formatter, "{words} [{code}]"),
        }
    }
}
