//! What is told of a handler.

use super::BreakerState;
use super::core::{Core, Moment};
use super::progress::Paused;
use tacho_event::{Position, Timestamp};

/// Failures in a row behind which a handler counts as broken.
const BROKEN_FAILURES: u32 = 5;

/// Where a handler stands; what [`crate::delivery::HandlerStatus`] tells of every kind of delivery is beside it.
#[derive(Debug, Clone)]
pub struct Status {
    pub position: Position,
    pub pending: u64,
    pub in_flight: u64,
    pub done: u64,
    pub dead: u64,
    pub skipped: u64,
    pub retried: u64,
    pub rate_per_second: f64,
    /// Median and 99th percentile of the last deliveries, in milliseconds.
    pub latency_ms: Option<(f64, f64)>,
    /// Of the last deliveries, the part that went well.
    pub success_rate: Option<f64>,
    pub is_broken: bool,
    /// Failures in a row.
    pub failures: u32,
    pub last_error: Option<String>,
    pub next_attempt: Option<Timestamp>,
    pub breaker: BreakerState,
    pub breaker_until: Option<Timestamp>,
    pub paused: Option<Paused>,
    /// When the first event that waits came to the log.
    pub waits_since: Option<Timestamp>,
}

/// An event that a handler has not settled.
#[derive(Debug, Clone)]
pub struct Pending {
    pub position: Position,
    pub event_id: String,
    pub event_type: String,
    pub stream: String,
    pub priority: &'static str,
    /// Attempts that failed.
    pub attempts: u32,
    pub state: PendingState,
    /// Code and message of the last failure.
    pub error: Option<(String, String)>,
    pub next: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PendingState {
    Waiting,
    Running,
    Retrying,
}

impl PendingState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Retrying => "retrying",
        }
    }
}

impl Core {
    pub(crate) fn status(&self, moment: Moment) -> Status {
        let next = self.resting.first().map(|(at, _)| moment.after(at.saturating_sub(moment.elapsed)));
        let breaker_left = self.breaker.as_ref().and_then(|breaker| breaker.left(moment.elapsed));
        let first = self.ledger.open_from(Position::ZERO).next();
        let first = first.and_then(|(position, _)| self.items.get(&position));
        let told = self.outbox.on_the_log();
        let untold = self.ledger.settled() - (told.done + told.dead + told.skipped);
        Status {
            // Where nothing is untold, what was looked at since needs no word on the log.
            position: if untold == 0 { self.ledger.position() } else { told.position },
            pending: self.ledger.pending() + untold,
            in_flight: self.flights.values().map(|flight| flight.positions.len() as u64).sum(),
            done: told.done,
            dead: told.dead,
            skipped: told.skipped,
            retried: self.retried,
            rate_per_second: self.rate.at(moment.elapsed),
            latency_ms: self.deeds.latency_ms(),
            success_rate: self.deeds.success_rate(),
            is_broken: self.failures >= BROKEN_FAILURES,
            failures: self.failures,
            last_error: self.last_error.clone(),
            next_attempt: next,
            breaker: self.breaker_state(),
            breaker_until: breaker_left.map(|left| moment.after(left)),
            paused: self.paused.clone(),
            waits_since: first.map(|held| held.item.event.recorded),
        }
    }

    /// What is not settled, in the order of the log, at most so many.
    pub(crate) fn pending(&self, most: usize, moment: Moment) -> Vec<Pending> {
        let flying =
            |position: Position| self.flights.values().any(|flight| flight.positions.contains(&position));
        let one = |(position, open): (Position, &super::ledger::Open)| {
            let held = self.items.get(&position)?;
            let rests = held.resumes_at.map(|at| moment.after(at.saturating_sub(moment.elapsed)));
            Some(Pending {
                position,
                event_id: held.item.event.id().to_owned(),
                event_type: held.item.event.kind().to_owned(),
                stream: held.item.event.stream().to_owned(),
                priority: self.waiting(position).priority.as_str(),
                attempts: open.attempts,
                state: match rests {
                    _ if flying(position) => PendingState::Running,
                    Some(_) => PendingState::Retrying,
                    None => PendingState::Waiting,
                },
                error: open.error.clone(),
                next: rests,
            })
        };
        self.ledger.open_from(Position::ZERO).filter_map(one).take(most).collect()
    }
}
