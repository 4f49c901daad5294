//! Who controls something, for the record.

use axum::http::{HeaderMap, HeaderName};
use std::fmt;

/// Names the person behind the command line.
const NAME: HeaderName = HeaderName::from_static("x-tacho-actor");
/// Longest name that is kept, in characters.
const NAME_CHARACTERS: usize = 128;
const DASHBOARD: &str = "dashboard";

/// A user; who they are is what they say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Actor {
    /// The actor's id; its type is `user`.
    pub(crate) name: String,
}

impl Actor {
    /// The one that the request names, else the dashboard.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let named = headers.get(NAME).map(|value| String::from_utf8_lossy(value.as_bytes()));
        let name: String = named
            .unwrap_or_default()
            .trim()
            .chars()
            .filter(|character| !character.is_control())
            .take(NAME_CHARACTERS)
            .collect();
        if name.is_empty() { Self::dashboard() } else { Self { name } }
    }

    /// A person at the dashboard, of whom no name is known.
    pub(super) fn dashboard() -> Self {
        Self { name: DASHBOARD.to_owned() }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "user:{}", self.name)
    }
}
