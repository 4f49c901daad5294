//! What the time of a stream was: work, waiting for people, or nothing.

use super::span::{ProfileSpan, SpanKind};

/// Nanoseconds; together they are the time from the first event to the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TimeShares {
    /// Somebody was at work, or something ran.
    pub active_ns: i64,
    /// Nobody could go on before a person had answered.
    pub waiting_ns: i64,
    /// Nothing was asked of anybody.
    pub idle_ns: i64,
}

/// How many of each are at work at a moment.
#[derive(Default, Clone, Copy)]
struct Busy {
    /// Tools and requests.
    work: i64,
    /// Agents that can go on by themselves.
    thinkers: i64,
    waits: i64,
    /// Turns and phases, in which time without anything else is work that nobody told of.
    frames: i64,
}

impl Busy {
    fn add(&mut self, other: Self) {
        self.work += other.work;
        self.thinkers += other.thinkers;
        self.waits += other.waits;
        self.frames += other.frames;
    }

    fn negated(self) -> Self {
        Self { work: -self.work, thinkers: -self.thinkers, waits: -self.waits, frames: -self.frames }
    }

    fn is_active(self) -> bool {
        // Each wait holds one agent up; the others go on.
        self.work > 0 || self.thinkers > self.waits || (self.waits == 0 && self.frames > 0)
    }
}

/// Sums up the time between the first span's beginning and its end.
pub(super) fn shares(spans: &[ProfileSpan]) -> TimeShares {
    let Some(root) = spans.first() else { return TimeShares::default() };
    let mut marks: Vec<(i64, Busy)> = Vec::with_capacity(spans.len() * 2);
    for (span, inside) in spans.iter().zip(children(spans)) {
        let busy = busy(span, inside);
        marks.push((span.at.0, busy));
        marks.push((span.until.0, busy.negated()));
    }
    marks.sort_by_key(|(at, _)| *at);
    let (mut shares, mut now, mut at) = (TimeShares::default(), Busy::default(), root.at.0);
    for (mark, change) in marks {
        let length = mark - at;
        match (now.is_active(), now.waits > 0) {
            (true, _) => shares.active_ns += length,
            (false, true) => shares.waiting_ns += length,
            (false, false) => shares.idle_ns += length,
        }
        now.add(change);
        at = mark;
    }
    shares
}

/// Which kinds lie directly within a span.
#[derive(Default, Clone, Copy)]
struct Inside {
    agents: bool,
    waits: bool,
}

fn children(spans: &[ProfileSpan]) -> Vec<Inside> {
    let mut inside = vec![Inside::default(); spans.len()];
    for span in spans {
        let Some(parent) = span.parent else { continue };
        inside[parent].agents |= span.kind == SpanKind::Agent;
        inside[parent].waits |= span.kind == SpanKind::Wait;
    }
    inside
}

fn busy(span: &ProfileSpan, inside: Inside) -> Busy {
    match span.kind {
        SpanKind::Request => Busy { work: 1, ..Busy::default() },
        // Who sent a subagent out and stands still until it is back does not work.
        SpanKind::Tool if inside.agents => Busy { thinkers: -1, ..Busy::default() },
        SpanKind::Tool if inside.waits => Busy::default(),
        SpanKind::Tool => Busy { work: 1, ..Busy::default() },
        SpanKind::Agent => Busy { thinkers: 1, ..Busy::default() },
        SpanKind::Turn => Busy { thinkers: 1, frames: 1, ..Busy::default() },
        SpanKind::Phase => Busy { frames: 1, ..Busy::default() },
        SpanKind::Wait => Busy { waits: 1, ..Busy::default() },
        SpanKind::Stream | SpanKind::Orchestration => Busy::default(),
    }
}
