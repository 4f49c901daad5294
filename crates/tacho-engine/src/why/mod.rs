//! Why a stream failed: what failed, what it began with, what was tried, what can be done next.
//!
//! [`incident`] reads events, [`story`] decides; both are pure. Here the log is read.

mod action;
mod incident;
mod recovery;
mod story;
mod tell;

pub use recovery::{Outcome, Recovery};

use crate::causes::{EdgeKind, ancestors};
use crate::engine::{Engine, Shared};
use crate::error::QueryError;
use crate::query::Wait;
use crate::rewind::{Moment, StateQuery, each_of_stream};
use incident::{Incident, Reader, Role};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use story::{Story, Unrecovered};
use tacho_event::{Position, Recorded, Sequence, Timestamp};

/// Most events of the stream that are looked at, the first ones.
pub const WHY_EVENTS_MAX: usize = 100_000;
/// The projection of streams that have no other.
const TIMELINE: &str = "timeline";
/// Longest chain from a failure to its first cause.
const CHAIN_MAX: usize = 100;

/// Until when the story is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WhyUntil {
    #[default]
    End,
    /// By `time`, inclusive.
    Time(Timestamp),
    /// In the log, inclusive.
    Position(Position),
}

/// An event of the chain.
#[derive(Debug, Clone)]
pub struct Link {
    pub event: Recorded,
    /// What says that it led to the next one; `None` for the failure itself.
    pub edge: Option<EdgeKind>,
}

#[derive(Debug, Clone)]
pub struct Explanation {
    pub stream: String,
    /// The answer, before everything else.
    pub sentence: String,
    /// From the first cause to the failure; empty where nothing failed, or all was put right.
    pub chain: Vec<Link>,
    /// The stream's state before the first cause in it, as JSON; `None` where it had none yet.
    pub state_before: Option<String>,
    /// What was tried since the first cause, in the order of the log.
    pub recoveries: Vec<Recovery>,
    /// What the payloads say is to be done, then commands to type.
    pub next_actions: Vec<String>,
    /// Whether the stream has more than [`WHY_EVENTS_MAX`] events.
    pub truncated: bool,
}

impl Explanation {
    pub fn failure(&self) -> Option<&Recorded> {
        self.chain.last().map(|link| &link.event)
    }

    pub fn first_cause(&self) -> Option<&Recorded> {
        self.chain.first().map(|link| &link.event)
    }

    /// The last sequence of the stream before the first event of the chain that is in it; `None` where nothing failed.
    pub fn sequence_before(&self) -> Option<Sequence> {
        let first = self.chain.iter().find(|link| link.event.stream() == self.stream)?;
        Some(Sequence(first.event.sequence.0.saturating_sub(1)))
    }
}

impl Engine {
    /// Why a stream failed, as it stood at `until`.
    pub async fn why(&self, stream: &str, until: WhyUntil, wait: Wait) -> Result<Explanation, QueryError> {
        self.wait(wait).await?;
        let stream = stream.to_owned();
        let told = self.on_a_thread(move |shared| {
            let mut reader = Reader::default();
            let mut story = Story::default();
            let truncated = each_of_stream(shared, &stream, WHY_EVENTS_MAX, |event| {
                match until {
                    WhyUntil::Position(last) if event.position > last => return false,
                    WhyUntil::Time(last) if event.time() > last => return true,
                    _ => {}
                }
                if let Some(incident) = reader.read(&event) {
                    story.add(incident);
                }
                true
            })?;
            explain(shared, stream, &story, truncated)
        });
        let mut why = told.await?;
        why.state_before = self.state_before(&why).await?;
        Ok(why)
    }

    /// A timeline is no state: it would say again what the stream's history says.
    async fn state_before(&self, why: &Explanation) -> Result<Option<String>, QueryError> {
        let Some(sequence) = why.sequence_before().filter(|sequence| *sequence > Sequence::ZERO) else {
            return Ok(None);
        };
        let moment = Moment::Sequence(sequence);
        let query =
            StateQuery { stream: why.stream.clone(), moment, wait: Wait::No, ..StateQuery::default() };
        let found = self.state(query).await?;
        Ok((found.projection != TIMELINE).then(|| found.state.to_string()))
    }
}

fn explain(
    shared: &Shared,
    stream: String,
    story: &Story,
    truncated: bool,
) -> Result<Explanation, QueryError> {
    let Some(failure) = story.failure() else {
        let sentence = tell::nothing(&stream, story);
        return Ok(Explanation {
            stream,
            sentence,
            chain: vec![],
            state_before: None,
            recoveries: vec![],
            next_actions: vec![],
            truncated,
        });
    };
    let chain = chain(shared, story, failure)?;
    let mut incidents: Vec<Incident> = Vec::new();
    for link in &chain {
        // What led to it may stand in another stream, where this story's reader did not see it.
        let known = story.at(link.event.position).cloned();
        incidents.extend(known.or_else(|| Reader::default().read(&link.event)));
    }
    let first = chain.first().map_or(failure.position, |link| link.event.position);
    let recoveries = recovery::recoveries(story, first.min(failure.position));
    let sentence = tell::failure(&stream, failure, incidents.first(), &recoveries);
    let next_actions = action::next_actions(&stream, failure, &incidents);
    let state_before = None;
    Ok(Explanation { stream, sentence, chain, state_before, recoveries, next_actions, truncated })
}

/// From the first cause to the failure. What events say of their causes is followed first; where they say nothing
/// that leads to another failure, the story is.
fn chain(shared: &Shared, story: &Story, failure: &Incident) -> Result<Vec<Link>, QueryError> {
    let deadline = Instant::now() + Duration::from_millis(shared.config.query.wait_ms);
    let mut links: Vec<Link> = Vec::new();
    let Some(event) = shared.log.get(failure.position)? else { return Ok(links) };
    links.push(Link { event: event.clone(), edge: None });
    let mut seen = BTreeSet::from([failure.position]);
    let (mut at, mut incident) = (event, failure.clone());
    while links.len() < CHAIN_MAX && Instant::now() < deadline {
        let told = told_causes(shared, &at, CHAIN_MAX - links.len(), deadline)?;
        let next = if told.is_empty() { inferred(shared, story, &incident)? } else { told };
        let Some(last) = next.last() else { break };
        if next.iter().any(|link| !seen.insert(link.event.position)) {
            break;
        }
        at = last.event.clone();
        let known = story.at(at.position).cloned().or_else(|| Reader::default().read(&at));
        links.extend(next);
        match known {
            Some(known) => incident = known,
            None => break,
        }
    }
    links.reverse();
    Ok(links)
}

/// The causes that events name, as far as the last one that is a failure itself.
fn told_causes(
    shared: &Shared,
    event: &Recorded,
    limit: usize,
    deadline: Instant,
) -> Result<Vec<Link>, QueryError> {
    let mut links = Vec::new();
    for (event, kind) in ancestors(shared, event, limit, deadline)? {
        links.push(Link { event, edge: Some(kind) });
    }
    let is_failure = |link: &Link| {
        let incident = Reader::default().read(&link.event);
        incident.is_some_and(|incident| incident.role == Role::Fails)
    };
    let kept = links.iter().rposition(is_failure).map_or(0, |last| last + 1);
    links.truncate(kept);
    Ok(links)
}

fn inferred(shared: &Shared, story: &Story, incident: &Incident) -> Result<Vec<Link>, QueryError> {
    let Some(Unrecovered(before)) = story.before(incident) else { return Ok(Vec::new()) };
    let event = shared.log.get(before.position)?;
    Ok(event.map(|event| Link { event, edge: Some(EdgeKind::Inferred) }).into_iter().collect())
}
