//! Questions to the read side, answered at or behind the log's durable head.

use crate::condition::{Pace, Turn};
use crate::cursor::Cursor;
use crate::engine::{Engine, Shared};
use crate::error::QueryError;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tacho_event::{Filter, Jq, Position, Recorded};
use tacho_view::{Scan, StreamQuery, StreamState};

/// What a query must have seen before it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Wait {
    /// The durable head at its arrival.
    #[default]
    Head,
    /// Nothing: it answers at once.
    No,
    /// A position.
    For(Position),
}

#[derive(Debug, Clone, Default)]
pub struct Query {
    pub filter: Filter,
    /// Where the page before ended; wins over `after`.
    pub cursor: Option<Cursor>,
    /// Only events behind this position, or before it in reverse.
    pub after: Option<Position>,
    /// Most events of the page; cut to the configured limit. 0 means that limit.
    pub limit: usize,
    /// Newest first.
    pub reverse: bool,
    pub wait: Wait,
}

#[derive(Debug, Clone)]
pub struct Page {
    pub events: Vec<Recorded>,
    /// Where the next page begins; `None` when there is no more.
    pub next: Option<Cursor>,
    /// The answer includes everything up to here.
    pub position: Position,
    /// How far the page looked.
    pub scanned_to: Position,
}

impl Engine {
    /// A page of the events that match. Ends early, with a cursor, after the configured time.
    pub async fn query(&self, query: Query) -> Result<Page, QueryError> {
        let foreign = |cursor: &Cursor| cursor.log != self.log_id() || cursor.reverse != query.reverse;
        if query.cursor.as_ref().is_some_and(foreign) {
            return Err(QueryError::InvalidCursor);
        }
        self.wait(query.wait).await?;
        let turn = match &query.filter.where_jq {
            Some(_) => {
                let patience = Duration::from_millis(self.shared.config.query.wait_ms);
                Some(self.shared.conditions.turn_within(patience).await?)
            }
            None => None,
        };
        self.on_a_thread(move |shared| scan(shared, &query, turn)).await
    }

    /// The event with this id; `source` tells several apart.
    pub async fn event(&self, id: &str, source: Option<&str>, wait: Wait) -> Result<Recorded, QueryError> {
        if source.is_none() {
            self.wait(wait).await?;
        }
        let (id, source) = (id.to_owned(), source.map(str::to_owned));
        self.on_a_thread(move |shared| find(shared, id, source.as_deref())).await
    }

    /// As [`Self::event`], with the payload as it was stored, whatever upcasters are in force.
    pub async fn stored_event(
        &self,
        id: &str,
        source: Option<&str>,
        wait: Wait,
    ) -> Result<Recorded, QueryError> {
        let event = self.event(id, source, wait).await?;
        let stored = self.on_a_thread(move |shared| Ok(shared.journal.get(event.position)?)).await?;
        stored.ok_or_else(|| QueryError::EventNotFound(id.to_owned()))
    }

    /// Streams in the order of their names, and the position that the answer includes.
    pub async fn streams(
        &self,
        query: StreamQuery,
        wait: Wait,
    ) -> Result<(Vec<StreamState>, Position), QueryError> {
        self.wait(wait).await?;
        self.on_a_thread(move |shared| {
            let reader = shared.fold.reader();
            let position = reader.position();
            Ok((reader.streams(&query)?, position))
        })
        .await
    }

    /// One stream.
    pub async fn stream(&self, name: &str, wait: Wait) -> Result<StreamState, QueryError> {
        self.wait(wait).await?;
        let name = name.to_owned();
        self.on_a_thread(move |shared| {
            let found = shared.fold.reader().stream(&name)?;
            found.ok_or(QueryError::StreamNotFound(name))
        })
        .await
    }

    /// Waits until answers include what `wait` names.
    pub async fn wait(&self, wait: Wait) -> Result<Position, QueryError> {
        let wanted = match wait {
            Wait::Head => self.head(),
            Wait::No => Position::ZERO,
            Wait::For(position) => position,
        };
        let timeout = Duration::from_millis(self.shared.config.query.wait_ms);
        let reached = self.shared.fold.reach(wanted, timeout).await;
        let position = self.shared.fold.position();
        if reached { Ok(position) } else { Err(QueryError::ViewBehind { position, wanted }) }
    }

    /// Runs blocking work of a query; a bounded number at once.
    pub(crate) async fn on_a_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared) -> Result<T, QueryError> + Send + 'static,
    ) -> Result<T, QueryError> {
        let permits = self.shared.queries.clone();
        let permit = permits.acquire_owned().await.map_err(|_| QueryError::Stopped)?;
        let shared = Arc::clone(&self.shared);
        let run = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work(&shared)
        });
        run.await.map_err(|_| QueryError::Stopped)?
    }
}

fn find(shared: &Shared, id: String, source: Option<&str>) -> Result<Recorded, QueryError> {
    let positions = match source {
        Some(source) => shared.journal.find(source, &id)?.into_iter().collect(),
        None => shared.fold.reader().by_id(&id)?,
    };
    let mut found = Vec::new();
    for position in positions {
        found.extend(shared.log.get(position)?.filter(|event| event.id() == id));
    }
    match found.len() {
        0 => Err(QueryError::EventNotFound(id)),
        1 => Ok(found.swap_remove(0)),
        _ => {
            let sources = found.iter().map(|event| event.source().to_owned()).collect();
            Err(QueryError::AmbiguousId { id, sources })
        }
    }
}

/// One page being gathered.
struct Gathering<'a> {
    shared: &'a Shared,
    query: &'a Query,
    deadline: Instant,
    limit: usize,
    bytes: usize,
    events: Vec<Recorded>,
    turn: Option<Turn>,
    pace: Pace,
}

fn scan(shared: &Shared, query: &Query, turn: Option<Turn>) -> Result<Page, QueryError> {
    if let (Some(turn), Some(condition)) = (&turn, &query.filter.where_jq) {
        turn.prepare(condition)?;
    }
    let limits = &shared.config.query;
    let most = limits.page_events;
    let gathering = Gathering {
        shared,
        query,
        deadline: Instant::now() + Duration::from_millis(limits.scan_ms),
        limit: if query.limit == 0 { most } else { query.limit.min(most) },
        bytes: 0,
        events: Vec::new(),
        turn,
        pace: Pace::new(),
    };
    gathering.run()
}

impl Gathering<'_> {
    fn run(mut self) -> Result<Page, QueryError> {
        let reader = self.shared.fold.reader();
        let position = reader.position();
        let reverse = self.query.reverse;
        let mut at = self.query.cursor.map(|cursor| cursor.position).or(self.query.after);
        loop {
            let scan = Scan { after: at, until: None, reverse, limit: self.wanted() };
            let deadline = self.deadline;
            let found = reader.candidates(&self.query.filter, &scan, &mut || Instant::now() < deadline)?;
            let mut candidates = found.positions.as_slice();
            while !candidates.is_empty() {
                let (taken, rest) = candidates.split_at(self.take(candidates)?);
                let ended = found.end && rest.is_empty();
                if let Some(last) = taken.last()
                    && (self.is_full() || self.is_late())
                    && !ended
                {
                    return Ok(self.page(position, *last, true));
                }
                candidates = rest;
            }
            at = Some(found.scanned_to);
            if found.end || self.is_full() || self.is_late() {
                return Ok(self.page(position, found.scanned_to, !found.end));
            }
        }
    }

    /// Decides the first of the candidates, at least one; answers how many.
    fn take(&mut self, candidates: &[Position]) -> Result<usize, QueryError> {
        match &self.query.filter.where_jq {
            Some(condition) => self.take_batch(candidates, condition),
            None => {
                if let Some(event) = self.read(candidates[0])? {
                    self.push(event);
                }
                Ok(1)
            }
        }
    }

    fn take_batch(&mut self, candidates: &[Position], condition: &Jq) -> Result<usize, QueryError> {
        let (mut events, mut texts, mut bytes, mut looked) = (Vec::new(), Vec::new(), 0, 0);
        for candidate in candidates {
            if looked > 0 && (!self.pace.has_room(texts.len(), bytes) || self.is_late()) {
                break;
            }
            looked += 1;
            if let Some(event) = self.read(*candidate)? {
                let text = event.to_cloudevent();
                bytes += text.len();
                texts.push(text);
                events.push((looked, event));
            }
        }
        let Some(turn) = &self.turn else { return Ok(looked) };
        let begun = Instant::now();
        let answers = turn.check(condition, &texts)?;
        if !self.pace.has_room(texts.len(), bytes) {
            self.pace.took(begun.elapsed());
        }
        for ((number, event), holds) in events.into_iter().zip(answers) {
            if holds {
                self.push(event);
                if self.is_full() {
                    return Ok(number);
                }
            }
        }
        Ok(looked)
    }

    /// The candidate, if the filter's other conditions hold.
    fn read(&self, candidate: Position) -> Result<Option<Recorded>, QueryError> {
        let event = self.shared.log.get(candidate)?;
        // The phase that a stream is in is the read side's knowledge, and its answer to it exact.
        let phase = self.query.filter.phase.as_deref();
        Ok(event.filter(|event| self.query.filter.matches_but_for_where(event, phase)))
    }

    fn push(&mut self, event: Recorded) {
        self.bytes += event.bytes().len();
        self.events.push(event);
    }

    fn is_late(&self) -> bool {
        Instant::now() >= self.deadline
    }

    /// How many candidates to ask for: more than fit where most will not match.
    fn wanted(&self) -> usize {
        const AT_LEAST: usize = 512;
        let left = self.limit - self.events.len();
        if self.query.filter.where_jq.is_some() { left.max(AT_LEAST) } else { left }
    }

    fn is_full(&self) -> bool {
        self.events.len() >= self.limit || self.bytes >= self.shared.config.query.page_bytes
    }

    fn page(self, position: Position, scanned_to: Position, more: bool) -> Page {
        let log = self.shared.journal.log_id();
        let next = more.then_some(Cursor { log, reverse: self.query.reverse, position: scanned_to });
        Page { events: self.events, next, position, scanned_to }
    }
}
