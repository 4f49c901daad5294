//! A rule: which dead letters it is for, and what it tries.

use tacho_event::{Jq, Pattern};

/// Longest pause before an attempt, in milliseconds.
const LONGEST_MS: u64 = 3_600_000;

/// What is tried about some dead letters.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Names it in the events of its attempts, which are counted by it.
    pub name: String,
    pub on: On,
    pub action: Action,
    /// Most attempts for the same original event, at least 1; then the next rule has its turn.
    pub attempts: u32,
    /// The pause before the first attempt, in milliseconds; each one is twice as long as the one before, up to an hour.
    pub after_ms: u64,
}

/// Which letters; what is not named may be anything.
#[derive(Debug, Clone, Default)]
pub struct On {
    /// Any of the handlers that gave up on the event.
    pub handler: Option<Pattern>,
    /// The code of the last error.
    pub code: Option<Pattern>,
    /// The event's type. Types `tacho.*` only when named so.
    pub kind: Option<Pattern>,
}

#[derive(Debug, Clone)]
pub enum Action {
    /// Again, unchanged.
    Later,
    /// Again, with the payload that a program makes of `{event, error, attempts, handler}`.
    Parameters(Jq),
    /// Another handler: with this capability, or with one that the handler has which failed.
    Capability(Option<String>),
    /// Again, with the payload that this handler answers.
    Agent(String),
    /// A person.
    Escalate,
}

impl Rule {
    /// The pause before an attempt, counted from 1, in milliseconds.
    pub(crate) fn pause_ms(&self, attempt: u32) -> u64 {
        let grown = self.after_ms.saturating_mul(1 << attempt.saturating_sub(1).min(32));
        grown.min(LONGEST_MS.max(self.after_ms))
    }
}

impl On {
    pub(crate) fn matches(&self, handlers: &[String], code: &str, kind: &str) -> bool {
        let is = |pattern: &Option<Pattern>, name: &str| {
            pattern.as_ref().is_none_or(|pattern| pattern.matches(name))
        };
        handlers.iter().any(|handler| is(&self.handler, handler))
            && is(&self.code, code)
            && self.kind.as_ref().is_none_or(|pattern| pattern.matches_type(kind))
    }

    /// The conditions that are set, as the configuration names them.
    pub fn conditions(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let all = [("handler", &self.handler), ("code", &self.code), ("type", &self.kind)];
        all.into_iter().filter_map(|(name, pattern)| Some((name, pattern.as_ref()?.as_str())))
    }
}

impl Action {
    pub const NAMES: [&'static str; 5] = ["later", "parameters", "capability", "agent", "escalate"];

    pub fn name(&self) -> &'static str {
        match self {
            Self::Later => "later",
            Self::Parameters(_) => "parameters",
            Self::Capability(_) => "capability",
            Self::Agent(_) => "agent",
            Self::Escalate => "escalate",
        }
    }
}
