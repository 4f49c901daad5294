//! When agents worked: spans of time, from completions that say how long they took and from turns that begin and end.

use super::observation::What;
use super::observations::Observed;
use std::collections::HashMap;

/// A stretch of work, in nanoseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span<'a> {
    pub agent: &'a str,
    pub from: i64,
    pub to: i64,
    /// Whether it answers a prompt, not an agent's call of a subagent.
    pub is_prompt: bool,
}

/// Turns that have ended. An interrupt ends a turn without a word: the next prompt, or the session's end, closes it
/// where it was heard of last.
pub(crate) fn turns(rows: &[Observed]) -> Vec<Span<'_>> {
    walk(rows).0
}

/// All work, turns that are still open up to `now`.
pub(crate) fn spans(rows: &[Observed], now: i64) -> Vec<Span<'_>> {
    let (mut spans, open) = walk(rows);
    spans.extend(
        open.into_values().map(|turn| Span { to: turn.heard.max(turn.from).min(now), ..turn.span() }),
    );
    let completions = rows.iter().filter(|row| row.what == What::Completed && row.duration > 0);
    spans.extend(completions.filter_map(|row| {
        let agent = row.agent.as_deref()?;
        Some(Span { agent, from: row.time - row.duration, to: row.time, is_prompt: false })
    }));
    spans
}

#[derive(Clone, Copy)]
struct Turn<'a> {
    agent: &'a str,
    from: i64,
    /// When it was heard of last.
    heard: i64,
    is_prompt: bool,
}

impl<'a> Turn<'a> {
    fn span(&self) -> Span<'a> {
        Span { agent: self.agent, from: self.from, to: self.from, is_prompt: self.is_prompt }
    }
}

type Who<'a> = (Option<&'a str>, &'a str);

fn walk(rows: &[Observed]) -> (Vec<Span<'_>>, HashMap<Who<'_>, Turn<'_>>) {
    let mut open: HashMap<Who<'_>, Turn<'_>> = HashMap::new();
    let mut closed = Vec::new();
    for row in rows {
        let Some(agent) = row.agent.as_deref() else { continue };
        let who = (row.session.as_deref(), agent);
        match row.what {
            What::TurnStarted => {
                let is_prompt = matches!(agent, "claude-code" | "codex");
                let turn = Turn { agent, from: row.time, heard: row.time, is_prompt };
                closed.extend(open.insert(who, turn).map(|left| Span { to: left.heard, ..left.span() }));
            }
            // A stop without a start is a compaction's, or the start is out of reach.
            What::TurnEnded => {
                closed.extend(open.remove(&who).map(|turn| Span { to: row.time, ..turn.span() }));
            }
            What::ToolCalled => {
                if let Some(turn) = open.get_mut(&who) {
                    turn.heard = row.time;
                }
            }
            _ => {}
        }
    }
    (closed, open)
}

/// The length of the union of spans, which are sorted on the way.
pub(crate) fn union(spans: &mut [(i64, i64)]) -> i64 {
    spans.sort_unstable();
    let (mut length, mut end) = (0, i64::MIN);
    for (from, to) in spans.iter() {
        length += (to - (*from).max(end)).max(0);
        end = end.max(*to);
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_that_overlap_count_once() {
        assert_eq!(union(&mut [(5, 9), (0, 4), (3, 6), (20, 21), (7, 8)]), 10);
        assert_eq!(union(&mut []), 0);
    }
}
