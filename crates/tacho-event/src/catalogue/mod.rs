//! The event types that Tachograph knows before anyone registers one: one list, from which the registry,
//! the names that markers may not take, and the reference are made.

mod bus;
mod claude_code;
mod codex;
mod entry;
mod factory;
mod orchestration;
mod own;
mod telemetry;
mod url_cacher;

use crate::Pattern;
use crate::schema::Version;
pub use entry::{Entry, Origin};
pub use orchestration::PHASES;

/// Every entry; within a group, in the order in which such events usually come.
pub static ALL: [Entry; COUNT] = joined(&GROUPS);

const GROUPS: [&[Entry]; 12] = [
    own::ENTRIES,
    claude_code::ENTRIES,
    codex::ENTRIES,
    telemetry::ENTRIES,
    factory::ENTRIES,
    bus::ENTRIES,
    url_cacher::ENTRIES,
    orchestration::lifecycle::ENTRIES,
    orchestration::agent::ENTRIES,
    orchestration::outside::ENTRIES,
    orchestration::quality::ENTRIES,
    orchestration::recovery::ENTRIES,
];

/// The version of every entry.
pub const VERSION: Version = Version::new(1, 0, 0);

/// Beginnings of types that only Tachograph and its doors give.
const RESERVED_FOR_MARKERS: [&str; 7] =
    ["tacho.", "claude.", "codex.", "claude_code.", "otel.", "budget_", "hitl_"];

/// Whether a marker in an agent's output may not have this type: it would pass for something that only
/// Tachograph, a hook or an orchestrator says. Types that an agent declares are its own to emit.
pub fn is_reserved_for_markers(kind: &str) -> bool {
    RESERVED_FOR_MARKERS.iter().any(|beginning| kind.starts_with(beginning))
        || find(kind).is_some_and(|entry| entry.origin != Origin::Agent)
}

/// The entry of exactly this type or pattern.
pub fn find(kind: &str) -> Option<&'static Entry> {
    ALL.iter().find(|entry| entry.kind == kind)
}

/// The entry that speaks for an event of this type: its own, else that of the most specific pattern.
pub fn entry_of(kind: &str) -> Option<&'static Entry> {
    let literal = |entry: &&Entry| entry.kind.bytes().filter(|byte| *byte != b'*').count();
    let matching = || ALL.iter().filter(|entry| Pattern::new(entry.kind).matches_type(kind));
    find(kind).or_else(|| matching().max_by_key(literal))
}

/// Whether a replay may do what an event of this type tells. What the catalogue does not know may be.
pub fn is_replayable(kind: &str) -> bool {
    entry_of(kind).is_none_or(|entry| entry.is_replayable)
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
