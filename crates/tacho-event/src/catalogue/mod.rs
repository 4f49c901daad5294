//! The event types that Tachograph knows before anyone registers one: one list, from which the registry,
//! the names that markers may not take, and the reference are made.

mod claude_code;
mod codex;
mod factory;
mod orchestration;
mod own;
mod telemetry;
mod url_cacher;

use crate::schema::{Field, Registration, Severity, Version, object_schema};

/// Every entry; within a group, in the order in which such events usually come.
pub static ALL: [Entry; COUNT] = joined(&GROUPS);

const GROUPS: [&[Entry]; 7] = [
    own::ENTRIES,
    claude_code::ENTRIES,
    codex::ENTRIES,
    telemetry::ENTRIES,
    factory::ENTRIES,
    url_cacher::ENTRIES,
    orchestration::ENTRIES,
];

/// The version of every entry.
pub const VERSION: Version = Version::new(1, 0, 0);

/// Beginnings of types that only Tachograph and its doors give.
const RESERVED_FOR_MARKERS: [&str; 7] =
    ["tacho.", "claude.", "codex.", "claude_code.", "otel.", "budget_", "hitl_"];

/// One event type, or all that a pattern with `*` matches.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    pub kind: &'static str,
    pub origin: Origin,
    /// What it means that such an event happened: one line.
    pub meaning: &'static str,
    /// The severity of such events that name none.
    pub severity: Option<Severity>,
    pub fields: &'static [Field<'static>],
    /// A payload that fits the schema: minified JSON.
    pub example: &'static str,
}

/// Who emits events of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// Tachograph itself.
    Tachograph,
    /// A hook of Claude Code.
    ClaudeCode,
    /// A hook of Codex.
    Codex,
    /// Telemetry over OTLP: Claude Code's, or any program's.
    Telemetry,
    /// A multi-agent test factory, over its event line.
    Factory,
    /// An agent, by markers that it declares.
    Agent,
    /// An issue-driven orchestration.
    Orchestration,
}

/// Whether a marker in an agent's output may not have this type: it would pass for something that only
/// Tachograph, a hook or an orchestrator says. Types that an agent declares are its own to emit.
pub fn is_reserved_for_markers(kind: &str) -> bool {
    RESERVED_FOR_MARKERS.iter().any(|beginning| kind.starts_with(beginning))
        || find(kind).is_some_and(|entry| entry.origin != Origin::Agent)
}

/// Whether events of this type may be handed out again.
pub fn is_replayable(kind: &str) -> bool {
    const ONCE: [&str; 9] = [
        "CommitCreated",
        "PRCreated",
        "PRMerged",
        "PRClosed",
        "IssueTransitioned",
        "CommentPosted",
        "WorklogAdded",
        "ConfluencePageCreated",
        "CheckpointRestored",
    ];
    !ONCE.contains(&kind)
}

/// The entry of exactly this type or pattern.
pub fn find(kind: &str) -> Option<&'static Entry> {
    ALL.iter().find(|entry| entry.kind == kind)
}

impl Entry {
    /// The JSON Schema of the payload, minified.
    pub fn schema(&self) -> Box<[u8]> {
        object_schema(self.fields)
    }

    /// The entry as the registry holds it.
    pub fn registration(&self) -> Registration {
        Registration {
            kind: self.kind.to_owned(),
            version: VERSION,
            schema: self.schema(),
            meaning: self.meaning.to_owned(),
            severity: self.severity,
            declared_by: None,
            example: Some(self.example.as_bytes().into()),
        }
    }
}

const COUNT: usize = {
    let (mut count, mut group) = (0, 0);
    while group < GROUPS.len() {
        count += GROUPS[group].len();
        group += 1;
    }
    count
};

const fn joined(groups: &[&[Entry]]) -> [Entry; COUNT] {
    let mut all = [groups[0][0]; COUNT];
    let (mut group, mut next) = (0, 0);
    while group < groups.len() {
        let mut index = 0;
        while index < groups[group].len() {
            all[next] = groups[group][index];
            next += 1;
            index += 1;
        }
        group += 1;
    }
    all
}
