//! The critical path: walked back from the end, always through what finished last.

use super::span::{ProfileSpan, ROOT, SpanKind};
use tacho_event::Timestamp;

/// Most steps that are told: the longest.
const STEPS_MAX: usize = 1_000;
/// Deepest nesting that is looked into.
const DEPTH_MAX: usize = 64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepKind {
    /// An agent at work, and nothing that it called.
    Agent,
    Tool,
    Request,
    Wait,
    Idle,
}

/// A stretch in which nothing could have ended sooner unless this had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathStep {
    pub name: String,
    pub kind: StepKind,
    pub at: Timestamp,
    pub length_ns: i64,
    /// The span's.
    pub id: String,
}

impl StepKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Tool => "tool",
            Self::Request => "request",
            Self::Wait => "wait",
            Self::Idle => "idle",
        }
    }
}

/// In the order of time. `agent` is what turns are told as: their own time is the main agent's.
pub(super) fn critical_path(spans: &[ProfileSpan], agent: &str) -> Vec<PathStep> {
    let Some(root) = spans.first() else { return Vec::new() };
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); spans.len()];
    for (index, span) in spans.iter().enumerate().skip(1) {
        children[span.parent.unwrap_or(ROOT)].push(index);
    }
    for list in &mut children {
        list.sort_by_key(|index| std::cmp::Reverse((spans[*index].until, spans[*index].at, *index)));
    }
    let mut walk = Walk { spans, children: &children, agent, steps: Vec::new() };
    walk.back(ROOT, root.at.0, root.until.0, 0);
    let mut steps = walk.steps;
    if steps.len() > STEPS_MAX {
        steps.sort_by_key(|step| std::cmp::Reverse(step.length_ns));
        steps.truncate(STEPS_MAX);
    }
    steps.sort_by_key(|step| step.at);
    steps
}

struct Walk<'a> {
    spans: &'a [ProfileSpan],
    children: &'a [Vec<usize>],
    agent: &'a str,
    steps: Vec<PathStep>,
}

impl Walk<'_> {
    /// From `until` back to `from`, within the span.
    fn back(&mut self, index: usize, from: i64, until: i64, depth: usize) {
        let children = self.children;
        let mut cursor = until;
        for child in children[index].iter().filter(|_| depth < DEPTH_MAX) {
            let (at, end) = (self.spans[*child].at.0.max(from), self.spans[*child].until.0.min(cursor));
            if end <= at {
                continue;
            }
            self.step(index, end, cursor);
            self.back(*child, at, end, depth + 1);
            cursor = at;
        }
        self.step(index, from, cursor);
    }

    fn step(&mut self, index: usize, from: i64, until: i64) {
        if until <= from {
            return;
        }
        let span = &self.spans[index];
        let (kind, name) = match span.kind {
            SpanKind::Stream | SpanKind::Orchestration => (StepKind::Idle, "idle"),
            SpanKind::Turn => (StepKind::Agent, self.agent),
            SpanKind::Phase | SpanKind::Agent => (StepKind::Agent, span.name.as_str()),
            SpanKind::Tool => (StepKind::Tool, span.name.as_str()),
            SpanKind::Request => (StepKind::Request, span.name.as_str()),
            SpanKind::Wait => (StepKind::Wait, span.name.as_str()),
        };
        let step = PathStep {
            name: name.to_owned(),
            kind,
            at: Timestamp(from),
            length_ns: until - from,
            id: span.id.clone(),
        };
        self.steps.push(step);
    }
}
