//! Spans as stacks: what lay in what, and for how long by itself. What flame graphs are made of.

use super::span::{ProfileSpan, ROOT, SpanKind};
use std::collections::BTreeMap;

/// Most stacks that are told apart.
const STACKS_MAX: usize = 10_000;
/// Frames of a stack that are told.
const FRAMES_MAX: usize = 64;

/// Nanoseconds by the names from the stream down, joined by `;`. The time in which nothing was asked of anybody is
/// left out. What happened side by side counts each, so that the sum may be more than the time that went by.
pub(super) fn stacks(spans: &[ProfileSpan]) -> BTreeMap<String, i64> {
    let own = own_times(spans);
    let mut stacks: BTreeMap<String, i64> = BTreeMap::new();
    for (index, own) in own.into_iter().enumerate() {
        if own <= 0 || matches!(spans[index].kind, SpanKind::Stream | SpanKind::Orchestration) {
            continue;
        }
        let stack = stack_of(spans, index);
        if let Some(sum) = stacks.get_mut(&stack) {
            *sum += own;
        } else if stacks.len() < STACKS_MAX {
            stacks.insert(stack, own);
        }
    }
    stacks
}

fn stack_of(spans: &[ProfileSpan], index: usize) -> String {
    let mut names = Vec::new();
    let mut at = Some(index);
    while let Some(index) = at.filter(|_| names.len() < FRAMES_MAX) {
        names.push(frame(&spans[index].name));
        at = spans[index].parent;
    }
    names.reverse();
    names.join(";")
}

/// A name without what separates frames and lines.
fn frame(name: &str) -> String {
    let plain = |character: char| match character {
        ';' => ',',
        character if character.is_control() => ' ',
        character => character,
    };
    name.chars().map(plain).collect()
}

/// The length of each span in which none of its children ran.
fn own_times(spans: &[ProfileSpan]) -> Vec<i64> {
    let mut children: Vec<Vec<(i64, i64)>> = vec![Vec::new(); spans.len()];
    for span in spans.iter().skip(1) {
        children[span.parent.unwrap_or(ROOT)].push((span.at.0, span.until.0));
    }
    let mut own = Vec::with_capacity(spans.len());
    for (span, mut inside) in spans.iter().zip(children) {
        inside.sort_unstable();
        let (mut covered, mut end) = (0, span.at.0);
        for (from, until) in inside {
            let (from, until) = (from.max(end), until.min(span.until.0));
            covered += (until - from).max(0);
            end = end.max(until);
        }
        own.push(span.length_ns() - covered);
    }
    own
}
