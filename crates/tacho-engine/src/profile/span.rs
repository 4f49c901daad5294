//! Stretches of work, one within the other, while they are gathered.

use std::collections::HashMap;
use tacho_event::Timestamp;

/// What takes the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SpanKind {
    /// The stream as a whole: from its first event to its last.
    Stream,
    Orchestration,
    Phase,
    /// An agent at work on its own: an orchestration's, a factory's, or a subagent.
    Agent,
    /// A session's main agent, from a prompt to its stop.
    Turn,
    Tool,
    /// A request to a model.
    Request,
    /// Waiting for a person.
    Wait,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileSpan {
    /// That of the event that begins it; requests to models have numbers.
    pub id: String,
    /// Which of the profile's spans it lies within; parents stand before their children.
    pub parent: Option<usize>,
    pub name: String,
    /// What it was about, in a few words; may be empty.
    pub detail: String,
    pub kind: SpanKind,
    pub at: Timestamp,
    pub until: Timestamp,
    pub failed: bool,
    /// Whether no end of it is on the log.
    pub open: bool,
}

#[derive(Debug, Default)]
pub(super) struct Spans {
    pub(super) spans: Vec<ProfileSpan>,
    open: HashMap<String, usize>,
    /// Phases and orchestrations that are open, in the order in which they began.
    frames: Vec<usize>,
}

/// What is known when a span begins.
pub(super) struct Beginning<'a> {
    pub(super) id: &'a str,
    pub(super) parent: usize,
    pub(super) name: String,
    pub(super) detail: String,
    pub(super) kind: SpanKind,
    pub(super) at: Timestamp,
}

/// The place of the span of the whole stream.
pub(super) const ROOT: usize = 0;

impl SpanKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stream => "stream",
            Self::Orchestration => "orchestration",
            Self::Phase => "phase",
            Self::Agent => "agent",
            Self::Turn => "turn",
            Self::Tool => "tool",
            Self::Request => "request",
            Self::Wait => "wait",
        }
    }
}

impl ProfileSpan {
    pub fn length_ns(&self) -> i64 {
        self.until.0.saturating_sub(self.at.0).max(0)
    }
}

impl Spans {
    /// Makes the root, or widens it.
    pub(super) fn see(&mut self, stream: &str, at: Timestamp) {
        match self.spans.first_mut() {
            Some(root) => {
                root.at = root.at.min(at);
                root.until = root.until.max(at);
            }
            None => self.spans.push(ProfileSpan {
                id: stream.to_owned(),
                parent: None,
                name: stream.to_owned(),
                detail: String::new(),
                kind: SpanKind::Stream,
                at,
                until: at,
                failed: false,
                open: false,
            }),
        }
    }

    /// Begins a span; one of the same key that never ended is given up.
    pub(super) fn begin(&mut self, key: String, beginning: Beginning<'_>) -> usize {
        let index = self.spans.len();
        if matches!(beginning.kind, SpanKind::Phase | SpanKind::Orchestration) {
            self.frames.push(index);
        }
        self.spans.push(ProfileSpan {
            id: beginning.id.to_owned(),
            parent: Some(beginning.parent),
            name: beginning.name,
            detail: beginning.detail,
            kind: beginning.kind,
            at: beginning.at,
            until: beginning.at,
            failed: false,
            open: true,
        });
        if let Some(forgotten) = self.open.insert(key, index) {
            let until = self.spans[forgotten].at.max(beginning.at);
            self.spans[forgotten].until = until;
            self.frames.retain(|frame| *frame != forgotten);
        }
        index
    }

    /// Ends the open span of this key.
    pub(super) fn end(&mut self, key: &str, at: Timestamp, failed: bool) -> Option<usize> {
        let index = self.open.remove(key)?;
        let span = &mut self.spans[index];
        (span.until, span.failed, span.open) = (span.at.max(at), failed, false);
        if matches!(span.kind, SpanKind::Phase | SpanKind::Orchestration) {
            self.frames.retain(|frame| *frame != index);
        }
        Some(index)
    }

    pub(super) fn find(&self, key: &str) -> Option<usize> {
        self.open.get(key).copied()
    }

    /// Ends whatever is still at work, as something whose end nobody told.
    pub(super) fn cut(&mut self, at: Timestamp) {
        self.frames.clear();
        for (_, index) in self.open.drain() {
            let span = &mut self.spans[index];
            span.until = span.at.max(at);
        }
    }

    /// The open phase or orchestration that began last.
    pub(super) fn innermost(&self, kind: SpanKind) -> Option<usize> {
        self.frames.iter().rev().copied().find(|index| self.spans[*index].kind == kind)
    }

    /// All spans, each within its parent: what outlives it belongs to the first one above that does not end before.
    pub(super) fn finish(mut self) -> Vec<ProfileSpan> {
        let Some(end) = self.spans.first().map(|root| root.until) else { return self.spans };
        self.cut(end);
        let from = self.spans.iter().map(|span| span.at).min().unwrap_or(end);
        let until = self.spans.iter().map(|span| span.until).max().unwrap_or(end);
        (self.spans[ROOT].at, self.spans[ROOT].until) = (from, until);
        for index in 1..self.spans.len() {
            let (at, until) = (self.spans[index].at, self.spans[index].until);
            let mut parent = self.spans[index].parent.unwrap_or(ROOT);
            while parent != ROOT && (self.spans[parent].until < until || self.spans[parent].at > at) {
                parent = self.spans[parent].parent.unwrap_or(ROOT);
            }
            self.spans[index].parent = Some(parent);
        }
        self.spans
    }
}
