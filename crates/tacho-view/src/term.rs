//! Terms: what an event can be found by. A letter for the kind, then the text, or six bytes of its hash
//! where nothing ever asks for a part of it.

use crate::facts::Facts;
use std::borrow::Cow;
use tacho_event::{Recorded, stream, words};

pub(crate) const ACTOR_ID: u8 = b'a';
pub(crate) const ACTOR_TYPE: u8 = b'b';
pub(crate) const CORRELATION: u8 = b'c';
pub(crate) const CAUSATION: u8 = b'e';
/// What stands before the slash of a stream.
pub(crate) const CATEGORY: u8 = b'g';
pub(crate) const ID: u8 = b'i';
pub(crate) const SESSION: u8 = b'n';
pub(crate) const SOURCE: u8 = b'o';
pub(crate) const PHASE: u8 = b'p';
pub(crate) const STREAM: u8 = b's';
pub(crate) const TYPE: u8 = b't';
pub(crate) const WORD: u8 = b'w';
pub(crate) const TRACE: u8 = b'x';

/// Longest name of a phase, in bytes; a longer one is cut and told apart by its hash.
pub(crate) const MAX_PHASE_BYTES: usize = 256;

/// A term of a text that is asked for as a whole or by its beginning.
pub(crate) fn of_text(kind: u8, text: &str) -> Vec<u8> {
    let mut term = Vec::with_capacity(text.len() + 1);
    term.push(kind);
    term.extend_from_slice(text.as_bytes());
    term
}

/// A term of a text that is only asked for as a whole.
pub(crate) fn of_hash(kind: u8, text: &str) -> Vec<u8> {
    let mut term = vec![kind];
    term.extend_from_slice(&short_hash(text));
    term
}

/// Calls `visit` with the kind and the text or hash of every term of an event, some more than once.
/// `phase` is the phase that it counts for.
pub(crate) fn visit(
    event: &Recorded,
    facts: &Facts<'_>,
    phase: Option<&str>,
    visit: &mut impl FnMut(u8, &[u8]),
) {
    visit(TYPE, event.kind().as_bytes());
    visit(STREAM, event.stream().as_bytes());
    if event.stream().contains('/') {
        visit(CATEGORY, stream::category(event.stream()).as_bytes());
    }
    visit(SOURCE, event.source().as_bytes());
    visit(ID, &short_hash(event.id()));
    for (kind, text) in [
        (SESSION, &facts.session),
        (ACTOR_ID, &facts.actor_id),
        (ACTOR_TYPE, &facts.actor_type),
        (CORRELATION, &facts.correlation),
        (CAUSATION, &facts.causation),
        (TRACE, &facts.trace),
    ] {
        if let Some(text) = text {
            visit(kind, &short_hash(text));
        }
    }
    if let Some(phase) = phase {
        visit(PHASE, phase.as_bytes());
    }
    words::event_words(event, &mut |word| visit(WORD, word.as_bytes()));
}

/// A phase's name within its limit.
pub(crate) fn bounded_phase(name: Cow<'_, str>) -> Cow<'_, str> {
    if name.len() <= MAX_PHASE_BYTES {
        return name;
    }
    let hash = format!("…{:016x}", hash(name.as_bytes()));
    let fits = |end: &usize| name.is_char_boundary(*end);
    let end = (0..=MAX_PHASE_BYTES - hash.len()).rev().find(fits).unwrap_or(0);
    Cow::Owned(format!("{}{hash}", &name[..end]))
}

/// Six bytes: in a segment, two texts share them once in four billion times. Who asks compares again.
fn short_hash(text: &str) -> [u8; 6] {
    let [_, _, short @ ..] = hash(text.as_bytes()).to_be_bytes();
    short
}

/// A hash that is written to disk: it may change only with the version of the schema.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
    let mix = |state: u64, word: u64| {
        let mixed = (state ^ word).wrapping_mul(ODD);
        mixed ^ (mixed >> 32)
    };
    let (chunks, rest) = bytes.as_chunks::<8>();
    let mut state = mix(ODD, bytes.len() as u64);
    for chunk in chunks {
        state = mix(state, u64::from_le_bytes(*chunk));
    }
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    state = mix(state, u64::from_le_bytes(last));
    mix(state, ODD >> 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_phases_stay_apart_and_within_the_limit() {
        let long = |tail: &str| bounded_phase(format!("{}{tail}", "é".repeat(300)).into()).into_owned();
        assert_ne!(long("a"), long("b"));
        assert!(long("a").len() <= MAX_PHASE_BYTES);
        assert_eq!(bounded_phase("EXPLORE".into()), "EXPLORE");
    }

    #[test]
    fn the_hash_is_part_of_the_format() {
        assert_eq!(hash(b""), 6_480_697_916_989_331_837);
        assert_eq!(hash(b"0190a5b2-7c3d"), 14_648_901_148_268_902_457);
        assert_ne!(hash(b"a"), hash(b"a\0"));
    }
}
