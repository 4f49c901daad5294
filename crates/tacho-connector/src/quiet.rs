//! What began and never ended: told when its session stops, or has been quiet for a while.
//!
//! What was told follows from the log alone: what is open is looked for behind the last pause that was long enough, or
//! the last stop, so nothing is told as unfinished a second time. Remembered is only when each stream was last heard.

use crate::span::{Span, SpanSet};
use std::collections::HashMap;
use std::time::Duration;
use tacho_engine::{Engine, Query, QueryError, Wait};
use tacho_event::{Filter, Pattern, Position, Recorded, Timestamp};
use tokio::runtime::Runtime;

/// How far back of a stream is looked for what is open, in events.
const LOOKS_BACK: usize = 10_000;
/// Streams that are listened to; of more, those that were heard last.
const MAX_STREAMS: usize = 10_000;
const PAGE: usize = 500;

/// The streams in which something began, each with its last event.
pub(crate) struct Quiet {
    after_ns: i64,
    heard: HashMap<String, Heard>,
}

#[derive(Debug, Clone, Copy)]
struct Heard {
    position: Position,
    at: Timestamp,
}

impl Quiet {
    /// `after`: how long nothing is heard before a stream is quiet.
    pub(crate) fn new(after: Duration) -> Self {
        Self { after_ns: i64::try_from(after.as_nanos()).unwrap_or(i64::MAX).max(1), heard: HashMap::new() }
    }

    pub(crate) fn hear(&mut self, event: &Recorded) {
        let heard = Heard { position: event.position, at: event.recorded };
        if SpanSet::stops(event.kind()) {
            self.heard.remove(event.stream());
        } else if let Some(known) = self.heard.get_mut(event.stream()) {
            *known = heard;
        } else if SpanSet::begins(event.kind()) {
            if self.heard.len() >= MAX_STREAMS {
                let first = self.heard.iter().min_by_key(|(_, heard)| heard.position);
                if let Some(first) = first.map(|(stream, _)| stream.clone()) {
                    self.heard.remove(&first);
                }
            }
            self.heard.insert(event.stream().to_owned(), heard);
        }
    }

    /// Hears what was said up to `head`, as far back as a stream that was not quiet yet when the log last grew. To be
    /// called before anything behind `head` is heard.
    pub(crate) fn recall(
        &mut self,
        engine: &Engine,
        runtime: &Runtime,
        filter: &Filter,
        head: Position,
    ) -> Result<(), QueryError> {
        let mut events = Vec::new();
        let mut last = None;
        backwards(engine, runtime, filter.clone(), head, &mut |event| {
            let is_near = last.get_or_insert(event.recorded).0 - event.recorded.0 < self.after_ns;
            if is_near {
                events.push(event);
            }
            is_near
        })?;
        events.iter().rev().for_each(|event| self.hear(event));
        Ok(())
    }

    /// The streams that are quiet now.
    pub(crate) fn fallen(&self, now: Timestamp) -> Vec<(String, Position)> {
        let is_quiet = |heard: &Heard| now.0.saturating_sub(heard.at.0) >= self.after_ns;
        let quiet = self.heard.iter().filter(|(_, heard)| is_quiet(heard));
        let mut quiet: Vec<_> = quiet.map(|(stream, heard)| (stream.clone(), heard.position)).collect();
        quiet.sort_by_key(|(_, position)| *position);
        quiet
    }

    pub(crate) fn forget(&mut self, streams: &[(String, Position)]) {
        for (stream, _) in streams {
            self.heard.remove(stream);
        }
    }

    /// How long until the next stream falls quiet.
    pub(crate) fn left(&self, now: Timestamp) -> Option<Duration> {
        let first = self.heard.values().map(|heard| heard.at.0).min()?;
        let left = first.saturating_add(self.after_ns).saturating_sub(now.0).max(0);
        Some(Duration::from_nanos(left.unsigned_abs()))
    }

    /// What is open in a stream at its event of this position.
    pub(crate) fn open(
        &self,
        engine: &Engine,
        runtime: &Runtime,
        stream: &str,
        at: Position,
    ) -> Result<Vec<Span>, QueryError> {
        let filter = Filter { stream: Some(Pattern::new(stream)), ..Filter::default() };
        let mut events: Vec<Recorded> = Vec::new();
        backwards(engine, runtime, filter, at, &mut |event| {
            let is_before = events.last().is_some_and(|later| {
                later.recorded.0 - event.recorded.0 >= self.after_ns || SpanSet::stops(event.kind())
            });
            if !is_before {
                events.push(event);
            }
            !is_before
        })?;
        let mut open = SpanSet::default();
        events.iter().rev().for_each(|event| open.add(event));
        Ok(events.first().map(|last| open.unfinished(last)).unwrap_or_default())
    }
}

/// Walks back over the events up to `from` while it is wanted, at most so far.
fn backwards(
    engine: &Engine,
    runtime: &Runtime,
    filter: Filter,
    from: Position,
    take: &mut dyn FnMut(Recorded) -> bool,
) -> Result<(), QueryError> {
    let (after, wait) = (Some(from.next()), Wait::For(from));
    let mut query = Query { filter, after, limit: PAGE, reverse: true, wait, cursor: None };
    let mut left = LOOKS_BACK;
    while left > 0 {
        let page = runtime.block_on(engine.query(query.clone()))?;
        for event in page.events {
            if left == 0 || !take(event) {
                return Ok(());
            }
            left -= 1;
        }
        match page.next {
            Some(next) => query.cursor = Some(next),
            None => break,
        }
    }
    Ok(())
}
