//! What becomes of a delivery: its events are done, tried again, or dead.

use super::core::{Core, Flight, Held, Item, Moment};
use super::deed::{Deed, Outcome};
use super::ledger::Settled;
use super::{record, returned};
use crate::delivery::{DEAD_LETTER, Delivered, Failure, Verdict, cut};
use std::time::Duration;
use tacho_event::{Event, Position};

/// The longest pause that the other side may ask for.
const LONGEST_ASKED: Duration = Duration::from_secs(3_600);

impl Core {
    /// Takes note of how a delivery went. `random` decides by how much a pause differs.
    pub(crate) fn finish(
        &mut self,
        ticket: u64,
        answer: Result<Delivered, Failure>,
        random: u64,
        moment: Moment,
    ) {
        let Some(flight) = self.flights.remove(&ticket) else { return };
        let answer = answer.and_then(|delivered| Ok((self.events(&flight, &delivered, moment)?, delivered)));
        let took = moment.elapsed.saturating_sub(flight.began.elapsed);
        self.deeds.measure(took, answer.is_ok());
        let counts = !matches!(&answer, Err(failure) if failure.verdict == Verdict::Reject);
        let breaker = self.breaker.as_mut().filter(|_| counts || answer.is_ok());
        if breaker.is_some_and(|breaker| breaker.end(answer.is_ok(), moment.elapsed)) {
            let reason =
                answer.as_ref().err().map(|failure| format!("{}: {}", failure.code, cut(&failure.message)));
            self.tell_breaker(reason.as_deref(), moment);
        }
        match answer {
            Ok((events, delivered)) => self.succeeded(&flight, events, &delivered, moment),
            Err(failure) => self.failed(&flight, &failure, random, moment),
        }
    }

    fn events(&self, flight: &Flight, delivered: &Delivered, moment: Moment) -> Result<Vec<Event>, Failure> {
        if delivered.returned.is_empty() {
            return Ok(Vec::new());
        }
        let held = flight.positions.iter().filter_map(|position| self.items.get(position));
        let causes: Vec<_> = held.map(|held| &held.item.event).collect();
        returned::events(&self.name, &flight.key, &causes, &delivered.returned, moment.now)
    }

    fn succeeded(&mut self, flight: &Flight, events: Vec<Event>, delivered: &Delivered, moment: Moment) {
        let count = flight.positions.len();
        let skipped = (delivered.skipped as usize).min(count);
        self.rate.count((count - skipped) as u64, moment.elapsed);
        (self.failures, self.last_error) = (0, None);
        let returned = events.len();
        self.outbox.events(events);
        for (index, position) in flight.positions.iter().enumerate() {
            let how = if index < count - skipped { Settled::Done } else { Settled::Skipped };
            let Some(held) = self.let_go(*position, how) else { continue };
            let deed = self.deed(&held.item, flight, flight.attempt, Outcome::Done, moment);
            self.note(Deed { returned, ..deed });
        }
    }

    fn failed(&mut self, flight: &Flight, failure: &Failure, random: u64, moment: Moment) {
        self.failures = self.failures.saturating_add(1);
        self.last_error = Some(format!("{}: {}", failure.code, cut(&failure.message)));
        let together = flight.positions.len() > 1;
        let limit = self.policy.retry.attempts.max(1);
        // The last one first: each goes back before those of its lane.
        for position in flight.positions.iter().rev() {
            let Some(held) = self.items.get(position) else { continue };
            let lane = held.lane.clone();
            let Some(open) = self.ledger.get_mut(*position) else { continue };
            open.attempts += 1;
            open.error = Some((failure.code.clone(), cut(&failure.message).to_owned()));
            let attempts = open.attempts;
            let is_refused = failure.verdict == Verdict::Reject;
            // Of events that fail together, each has its last attempt alone.
            open.alone |= together && (is_refused || attempts + 1 >= limit);
            let is_over = is_refused || attempts >= limit;
            if is_over && !together {
                self.bury(*position, failure, attempts, Some(flight), moment);
                continue;
            }
            self.retried += 1;
            let pause =
                if is_refused { Duration::ZERO } else { self.pause_behind(attempts, failure, random) };
            self.again(*position, pause, moment);
            self.tell_failure(*position, flight, failure, attempts, moment);
            self.lanes.land(&lane, 1);
            self.release(&lane);
        }
    }

    /// Has an event tried again after a pause.
    fn again(&mut self, position: Position, pause: Duration, moment: Moment) {
        if pause.is_zero() {
            let Some(held) = self.items.get(&position) else { return };
            let (lane, waiting) = (held.lane.clone(), self.waiting(position));
            self.lanes.push_front(&lane, waiting);
            return;
        }
        if let Some(open) = self.ledger.get_mut(position) {
            open.next = Some(moment.after(pause));
        }
        self.rest_until(position, moment.elapsed + pause, false);
    }

    fn tell_failure(
        &mut self,
        position: Position,
        flight: &Flight,
        failure: &Failure,
        attempt: u32,
        moment: Moment,
    ) {
        let Some(held) = self.items.get(&position) else { return };
        let next = self.ledger.get(position).and_then(|open| open.next);
        let event = record::failed(&self.name, &held.item, attempt, failure, next, moment.now);
        self.outbox.events_later(event.ok());
        let error = Some((failure.code.clone(), cut(&failure.message).to_owned()));
        let deed = self.deed(&held.item, flight, attempt, Outcome::Failed, moment);
        self.note(Deed { error, ..deed });
    }

    /// An event is dead. The letter goes to the log together with the progress that tells it.
    pub(super) fn bury(
        &mut self,
        position: Position,
        failure: &Failure,
        attempts: u32,
        flight: Option<&Flight>,
        moment: Moment,
    ) {
        let Some(held) = self.let_go(position, Settled::Dead) else { return };
        // A dead letter that is not delivered begets none, or two handlers could answer each other for ever.
        if held.item.event.kind() != DEAD_LETTER {
            self.outbox.events(record::dead(&self.name, &held.item, failure, attempts, moment.now).ok());
        }
        let error = Some((failure.code.clone(), cut(&failure.message).to_owned()));
        if let Some(flight) = flight {
            let deed = self.deed(&held.item, flight, attempts, Outcome::Dead, moment);
            self.note(Deed { error, ..deed });
        }
    }

    /// An event is settled: its lane goes on.
    fn let_go(&mut self, position: Position, how: Settled) -> Option<Held> {
        let held = self.items.remove(&position)?;
        self.bytes -= held.item.event.bytes().len();
        self.ledger.settle(position, how);
        self.outbox.settled += 1;
        self.lanes.land(&held.lane, 1);
        if self.is_ordered() {
            self.release(&held.lane);
        }
        Some(held)
    }

    fn deed(&self, item: &Item, flight: &Flight, attempt: u32, outcome: Outcome, moment: Moment) -> Deed {
        let took = moment.elapsed.saturating_sub(flight.began.elapsed);
        Deed {
            started: flight.began.now,
            duration_ns: u64::try_from(took.as_nanos()).unwrap_or(u64::MAX),
            ..Deed::new(&self.name, item, attempt, outcome)
        }
    }

    fn note(&mut self, deed: Deed) {
        self.outbox.deed(&deed);
        self.deeds.add(deed);
    }

    fn pause_behind(&self, attempts: u32, failure: &Failure, random: u64) -> Duration {
        let own = self.policy.retry.pause(attempts, random);
        match failure.verdict {
            Verdict::Retry { after: Some(asked) } => own.max(asked.min(LONGEST_ASKED)),
            _ => own,
        }
    }
}
