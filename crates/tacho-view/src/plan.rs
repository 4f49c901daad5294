//! A filter as the terms to look up.

use crate::term::{self, bounded_phase, of_hash, of_text};
use tacho_event::{Filter, Pattern};

/// What an event must have: one of each clause, nothing of `without`, a time within the bounds.
pub(crate) struct Plan<'a> {
    pub clauses: Vec<Clause<'a>>,
    pub without: Option<Vec<u8>>,
    /// Inclusive, in nanoseconds since 1970.
    pub since: i64,
    /// Exclusive.
    pub until: Option<i64>,
}

/// Any of these.
pub(crate) struct Clause<'a> {
    pub any: Vec<Selector<'a>>,
    /// How few events it is likely to leave: the fewest first, so that the others need no look.
    breadth: Breadth,
}

pub(crate) enum Selector<'a> {
    Term(Vec<u8>),
    /// Terms that begin so, where the text behind the letter passes.
    Range(Vec<u8>, Keep<'a>),
}

pub(crate) enum Keep<'a> {
    All,
    Matches(&'a Pattern),
    Type(&'a Filter),
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Breadth {
    One,
    Few,
    Some,
    Many,
    Pattern,
}

impl<'a> Plan<'a> {
    pub(crate) fn new(filter: &'a Filter) -> Self {
        let mut clauses = Vec::new();
        let mut add = |breadth, any| clauses.push(Clause { any, breadth });
        let hashed = [
            (Breadth::One, term::ID, &filter.id),
            (Breadth::Few, term::CAUSATION, &filter.causation),
            (Breadth::Few, term::TRACE, &filter.trace),
            (Breadth::Few, term::CORRELATION, &filter.correlation),
            (Breadth::Few, term::SESSION, &filter.session),
            (Breadth::Some, term::ACTOR_ID, &filter.agent),
        ];
        for (breadth, kind, text) in hashed {
            if let Some(text) = text {
                add(breadth, vec![Selector::Term(of_hash(kind, text))]);
            }
        }
        if let Some(actor) = &filter.actor {
            match actor.split_once(':') {
                Some((kind, id)) => {
                    add(Breadth::Some, vec![Selector::Term(of_hash(term::ACTOR_ID, id))]);
                    add(Breadth::Many, vec![Selector::Term(of_hash(term::ACTOR_TYPE, kind))]);
                }
                None => {
                    let kinds = [term::ACTOR_ID, term::ACTOR_TYPE];
                    let any = kinds.map(|kind| Selector::Term(of_hash(kind, actor)));
                    add(Breadth::Many, any.into());
                }
            }
        }
        if let Some(phase) = &filter.phase {
            let phase = bounded_phase(phase.as_str().into());
            add(Breadth::Many, vec![Selector::Term(of_text(term::PHASE, &phase))]);
        }
        if let Some(pattern) = &filter.stream {
            add_stream(pattern, &mut add);
        }
        if let Some(pattern) = &filter.source {
            add_name(term::SOURCE, Breadth::Many, pattern, &mut add);
        }
        for word in &filter.search {
            match word.strip_suffix('*') {
                Some(prefix) => {
                    let range = Selector::Range(of_text(term::WORD, prefix), Keep::All);
                    add(Breadth::Pattern, vec![range]);
                }
                None => add(Breadth::Some, vec![Selector::Term(of_text(term::WORD, word))]),
            }
        }
        add_types(filter, &mut add);
        clauses.sort_by_key(|clause| clause.breadth);
        let bookkeeping = filter.types.is_empty() && !filter.system;
        Self {
            clauses,
            without: bookkeeping.then(|| of_text(term::TYPE, "tacho.sys.")),
            since: filter.since.map_or(i64::MIN, |since| since.0),
            until: filter.until.map(|until| until.0),
        }
    }
}

fn add_types<'a>(filter: &'a Filter, add: &mut impl FnMut(Breadth, Vec<Selector<'a>>)) {
    if filter.types.is_empty() {
        return;
    }
    let mut breadth = Breadth::Many;
    let mut any = Vec::with_capacity(filter.types.len());
    for pattern in &filter.types {
        if !pattern.is_exact() {
            breadth = Breadth::Pattern;
            any.push(Selector::Range(of_text(term::TYPE, pattern.prefix()), Keep::Type(filter)));
        } else if filter.matches_type(pattern.as_str()) {
            any.push(Selector::Term(of_text(term::TYPE, pattern.as_str())));
        }
    }
    add(breadth, any);
}

fn add_stream<'a>(pattern: &'a Pattern, add: &mut impl FnMut(Breadth, Vec<Selector<'a>>)) {
    let category = pattern.as_str().strip_suffix("/*").filter(|name| !name.contains(['/', '*']));
    match category {
        Some(name) => add(Breadth::Many, vec![Selector::Term(of_text(term::CATEGORY, name))]),
        None => add_name(term::STREAM, Breadth::Few, pattern, add),
    }
}

fn add_name<'a>(
    kind: u8,
    breadth: Breadth,
    pattern: &'a Pattern,
    add: &mut impl FnMut(Breadth, Vec<Selector<'a>>),
) {
    if pattern.is_exact() {
        add(breadth, vec![Selector::Term(of_text(kind, pattern.as_str()))]);
    } else if pattern.as_str() != "*" {
        let range = Selector::Range(of_text(kind, pattern.prefix()), Keep::Matches(pattern));
        add(Breadth::Pattern, vec![range]);
    }
}

impl Keep<'_> {
    /// Whether a term that begins as it must is meant.
    pub(crate) fn passes(&self, term: &[u8]) -> bool {
        let text = || std::str::from_utf8(&term[1..]).unwrap_or_default();
        match self {
            Self::All => true,
            Self::Matches(pattern) => pattern.matches(text()),
            Self::Type(filter) => filter.matches_type(text()),
        }
    }
}
