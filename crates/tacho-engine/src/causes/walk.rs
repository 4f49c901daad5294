//! Walks from an event along its edges, up and down, within limits.

use super::lineage::{Lineage, Tracer};
use super::{
    CauseEdge, CauseNode, Causes, CausesQuery, EdgeKind, MAX_CAUSES_DEPTH, MAX_CAUSES_NODES, Relation,
};
use crate::engine::Shared;
use crate::error::QueryError;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::rc::Rc;
use std::time::Instant;
use tacho_event::{Filter, Position, Recorded};
use tacho_view::Scan;

/// Most events of a trace that are read on either side of the event that asks for it.
const TRACE_EVENTS: usize = 5_000;
/// Most traces that are read for one answer.
const TRACES: usize = 16;
/// Most events that are named as correlated.
const CORRELATED: usize = 200;

pub(super) struct Walk<'a> {
    shared: &'a Shared,
    deadline: Instant,
    nodes: BTreeMap<Position, CauseNode>,
    edges: BTreeSet<CauseEdge>,
    bytes: usize,
    truncated: bool,
    traces: HashMap<String, Rc<Lineage>>,
}

/// The events that led to `event`, the nearest first, each with what says so; at most `limit`.
pub(crate) fn ancestors(
    shared: &Shared,
    event: &Recorded,
    limit: usize,
    deadline: Instant,
) -> Result<Vec<(Recorded, EdgeKind)>, QueryError> {
    let mut walk = Walk::new(shared, deadline);
    let mut found: Vec<(Recorded, EdgeKind)> = Vec::new();
    let mut seen = BTreeSet::from([event.position]);
    let mut at = event.clone();
    while found.len() < limit && !walk.is_late() {
        let Some((cause, kind)) = walk.cause_of(&at)? else { break };
        if !seen.insert(cause.position) {
            break;
        }
        at = cause.clone();
        found.push((cause, kind));
    }
    Ok(found)
}

impl<'a> Walk<'a> {
    pub(super) fn new(shared: &'a Shared, deadline: Instant) -> Self {
        Self {
            shared,
            deadline,
            nodes: BTreeMap::new(),
            edges: BTreeSet::new(),
            bytes: 0,
            truncated: false,
            traces: HashMap::new(),
        }
    }

    pub(super) fn run(mut self, asked: Recorded, query: &CausesQuery) -> Result<Causes, QueryError> {
        let depth = i32::try_from(query.depth.min(MAX_CAUSES_DEPTH)).unwrap_or(0);
        self.add(asked.clone(), Relation::Asked, 0);
        self.up(&asked, depth)?;
        self.down(&asked, depth)?;
        if query.correlated {
            self.beside(&asked)?;
        }
        let edges = self.edges.into_iter().collect();
        Ok(Causes { asked, nodes: self.nodes.into_values().collect(), edges, truncated: self.truncated })
    }

    fn up(&mut self, asked: &Recorded, depth: i32) -> Result<(), QueryError> {
        let mut at = asked.clone();
        for step in 1..=depth + 1 {
            let Some((cause, kind)) = self.cause_of(&at)? else { break };
            if step > depth || self.is_late() {
                self.truncated = true;
                break;
            }
            let edge = CauseEdge { from: cause.position, to: at.position, kind };
            if !self.add(cause.clone(), Relation::Cause, -step) {
                // A circle: what leads back to a node is an edge of it, and the end.
                if self.nodes.contains_key(&cause.position) {
                    self.edges.insert(edge);
                }
                break;
            }
            self.edges.insert(edge);
            at = cause;
        }
        Ok(())
    }

    fn down(&mut self, asked: &Recorded, depth: i32) -> Result<(), QueryError> {
        let mut waiting = VecDeque::from([(asked.clone(), 0)]);
        while let Some((cause, at)) = waiting.pop_front() {
            if self.is_late() {
                self.truncated = true;
                return Ok(());
            }
            for (effect, kind) in self.effects_of(&cause)? {
                let edge = CauseEdge { from: cause.position, to: effect.position, kind };
                if self.nodes.contains_key(&effect.position) {
                    self.edges.insert(edge);
                } else if at >= depth {
                    self.truncated = true;
                } else if self.add(effect.clone(), Relation::Effect, at + 1) {
                    self.edges.insert(edge);
                    waiting.push_back((effect, at + 1));
                }
            }
        }
        Ok(())
    }

    fn beside(&mut self, asked: &Recorded) -> Result<(), QueryError> {
        let Some(correlation) = asked.text("correlationid") else { return Ok(()) };
        let filter = Filter { correlation: Some(correlation.into_owned()), ..Filter::default() };
        let mut found = self.read(&filter, Some(asked.position), true, CORRELATED / 2 + 1)?;
        found.extend(self.read(&filter, Some(asked.position), false, CORRELATED / 2 + 1)?);
        for (index, event) in found.into_iter().enumerate() {
            if index >= CORRELATED {
                self.truncated = true;
                break;
            }
            let (from, to) = (asked.position.min(event.position), asked.position.max(event.position));
            if self.add(event, Relation::Correlated, 0) {
                self.edges.insert(CauseEdge { from, to, kind: EdgeKind::Correlation });
            }
        }
        Ok(())
    }

    /// False where it is there already, or a limit is reached.
    fn add(&mut self, event: Recorded, relation: Relation, depth: i32) -> bool {
        if self.nodes.contains_key(&event.position) {
            return false;
        }
        let bytes = self.bytes + event.bytes().len();
        if self.nodes.len() >= MAX_CAUSES_NODES
            || (bytes > self.shared.config.query.page_bytes && self.bytes > 0)
        {
            self.truncated = true;
            return false;
        }
        self.bytes = bytes;
        self.nodes.insert(event.position, CauseNode { event, relation, depth });
        true
    }

    /// What led to an event: what it names itself, else what its trace shows.
    fn cause_of(&mut self, event: &Recorded) -> Result<Option<(Recorded, EdgeKind)>, QueryError> {
        if let Some(id) = event.text("causationid") {
            let cause = self.named(&id, event)?;
            return Ok(cause.map(|cause| (cause, EdgeKind::Causation)));
        }
        let Some(lineage) = self.lineage(event)? else { return Ok(None) };
        let Some(parent) = lineage.parent(event.position) else { return Ok(None) };
        Ok(self.shared.log.get(parent)?.map(|parent| (parent, EdgeKind::Trace)))
    }

    /// Events of several sources may have the id: of those the nearest to the effect, by what they share and then by
    /// where they stand, those before it first.
    fn named(&self, id: &str, effect: &Recorded) -> Result<Option<Recorded>, QueryError> {
        let mut best: Option<(_, Recorded)> = None;
        for position in self.shared.fold.reader().by_id(id)? {
            let Some(event) = self.shared.log.get(position)? else { continue };
            if event.id() != id || position == effect.position {
                continue;
            }
            let correlation = event.text("correlationid");
            let nearness = (
                correlation.is_some() && correlation == effect.text("correlationid"),
                event.stream() == effect.stream(),
                position < effect.position,
                Reverse(position.0.abs_diff(effect.position.0)),
            );
            if best.as_ref().is_none_or(|(known, _)| nearness > *known) {
                best = Some((nearness, event));
            }
        }
        Ok(best.map(|(_, event)| event))
    }

    fn effects_of(&mut self, cause: &Recorded) -> Result<Vec<(Recorded, EdgeKind)>, QueryError> {
        let filter = Filter { causation: Some(cause.id().to_owned()), system: true, ..Filter::default() };
        let mut effects = Vec::new();
        let is_one_of_many = self.shared.fold.reader().by_id(cause.id())?.len() > 1;
        for effect in self.read(&filter, None, false, MAX_CAUSES_NODES + 1)? {
            // Another event with this id may be nearer to it; none is its own cause.
            let is_meant = match is_one_of_many {
                true => {
                    self.named(cause.id(), &effect)?.is_some_and(|named| named.position == cause.position)
                }
                false => effect.position != cause.position,
            };
            if is_meant {
                effects.push((effect, EdgeKind::Causation));
            }
        }
        let Some(lineage) = self.lineage(cause)? else { return Ok(effects) };
        for child in lineage.children(cause.position) {
            let Some(event) = self.shared.log.get(*child)? else { continue };
            if event.attribute("causationid").is_none() {
                effects.push((event, EdgeKind::Trace));
            }
        }
        effects.sort_by_key(|(effect, _)| effect.position);
        Ok(effects)
    }

    /// What the event's trace shows, read once around the first event that asks.
    fn lineage(&mut self, event: &Recorded) -> Result<Option<Rc<Lineage>>, QueryError> {
        let Some(parent) = event.text("traceparent") else { return Ok(None) };
        let Some(trace) = parent.get(3..35) else { return Ok(None) };
        if let Some(known) = self.traces.get(trace) {
            return Ok(Some(known.clone()));
        }
        if self.traces.len() >= TRACES {
            self.truncated = true;
            return Ok(None);
        }
        let filter = Filter { trace: Some(trace.to_owned()), system: true, ..Filter::default() };
        let behind = Some(event.position);
        let before = self.positions(&filter, behind, true, TRACE_EVENTS)?;
        let after = self.positions(&filter, behind, false, TRACE_EVENTS)?;
        let mut tracer = Tracer::default();
        let around = before.iter().rev().copied().chain([event.position]).chain(after.iter().copied());
        for position in around {
            let Some(event) = self.shared.log.get(position)? else { continue };
            if filter.matches_but_for_where(&event, None) {
                tracer.add(&event);
            }
        }
        self.truncated |= before.len() >= TRACE_EVENTS || after.len() >= TRACE_EVENTS;
        let lineage = Rc::new(tracer.finish());
        self.traces.insert(trace.to_owned(), lineage.clone());
        Ok(Some(lineage))
    }

    fn read(
        &mut self,
        filter: &Filter,
        after: Option<Position>,
        reverse: bool,
        limit: usize,
    ) -> Result<Vec<Recorded>, QueryError> {
        let mut events = Vec::new();
        for position in self.positions(filter, after, reverse, limit)? {
            let event = self.shared.log.get(position)?;
            events.extend(event.filter(|event| filter.matches_but_for_where(event, None)));
        }
        Ok(events)
    }

    /// Where the next events are that the filter may mean.
    fn positions(
        &mut self,
        filter: &Filter,
        after: Option<Position>,
        reverse: bool,
        limit: usize,
    ) -> Result<Vec<Position>, QueryError> {
        let scan = Scan { after, until: None, reverse, limit };
        let deadline = self.deadline;
        let reader = self.shared.fold.reader();
        let found = reader.candidates(filter, &scan, &mut || Instant::now() < deadline)?;
        self.truncated |= !found.end && found.positions.len() < limit;
        Ok(found.positions)
    }

    fn is_late(&self) -> bool {
        Instant::now() >= self.deadline
    }
}
