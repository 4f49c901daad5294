//! Finds where a secret may be, so that text without one costs next to nothing.

use super::RULES;
use aho_corasick::{AhoCorasick, packed};

/// A trigger in a text: of which rule, and at which byte.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hit {
    pub rule: usize,
    pub at: usize,
}

/// Searches for every trigger of every rule at once, whatever the case.
pub(super) struct Prefilter {
    searcher: Searcher,
    /// The rule of each trigger.
    rules: Vec<u8>,
}

enum Searcher {
    /// Vector instructions, where the processor has them.
    Packed(packed::Searcher),
    Automaton(AhoCorasick),
}

impl Prefilter {
    pub(super) fn new() -> Self {
        let mut triggers = Vec::with_capacity(64);
        let mut rules = Vec::with_capacity(64);
        for (index, rule) in RULES.iter().enumerate() {
            for trigger in rule.triggers {
                triggers.push(*trigger);
                rules.push(index as u8);
            }
        }
        let searcher = match packed::Searcher::new(&triggers) {
            Some(searcher) => Searcher::Packed(searcher),
            None => Searcher::Automaton(
                AhoCorasick::builder()
                    .match_kind(aho_corasick::MatchKind::LeftmostFirst)
                    .build(&triggers)
                    .expect("the triggers are few and short"),
            ),
        };
        Self { searcher, rules }
    }

    /// Every plausible trigger in `bytes`, in order.
    pub(super) fn hits(&self, bytes: &[u8]) -> Vec<Hit> {
        let folded = bytes.to_ascii_lowercase();
        let mut hits = Vec::new();
        let mut push = |pattern: usize, at: usize| {
            let rule = usize::from(self.rules[pattern]);
            if (RULES[rule].is_plausible)(bytes, at) {
                hits.push(Hit { rule, at });
            }
        };
        match &self.searcher {
            Searcher::Packed(searcher) => {
                searcher.find_iter(&folded).for_each(|hit| push(hit.pattern().as_usize(), hit.start()));
            }
            Searcher::Automaton(searcher) => {
                searcher.find_iter(&folded).for_each(|hit| push(hit.pattern().as_usize(), hit.start()));
            }
        }
        hits
    }
}
