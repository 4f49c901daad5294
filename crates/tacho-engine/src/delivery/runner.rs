//! One handler at work: a state that is stepped, by a thread or by a simulation.

use super::letter::{cut, dead_letter};
use super::progress::Progress;
use super::rate::Rate;
use super::selection::{Chosen, Selection};
use super::waiting::Waiting;
use super::{
    BatchLimits, DEAD_LETTER, Deliver, Delivered, Delivery, Failure, HandlerState, Policy, Start, Verdict,
};
use crate::clock::Clock;
use crate::handler::again;
use crate::log::Log;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;
use tacho_event::{Event, Position, Recorded, Timestamp};
use tacho_journal::{AppendError, JournalError, ReadLimit};

/// What is read of the log at once.
const CHUNK: ReadLimit = ReadLimit { events: 1_024, bytes: 1 << 20 };
/// A delivery that takes longer leaves time to count what waits behind it.
const SLOW: Duration = Duration::from_millis(100);
/// Failed attempts in a row after which a handler counts as broken.
const BROKEN_ATTEMPTS: u32 = 5;

/// What to do before the next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    Again,
    /// Wait for a commit, at most so long.
    Wait(Option<Duration>),
    /// Rest so long, whatever is committed.
    Rest(Duration),
    /// The log is closed.
    Ended,
}

pub(crate) type Append = Box<dyn Fn(Vec<Event>) -> Result<(), AppendError> + Send>;

/// What a runner works with.
pub(crate) struct Surroundings {
    pub(crate) log: Log,
    /// Puts events on the log together, and waits until they are durable.
    pub(crate) append: Append,
    pub(crate) clock: Arc<dyn Clock>,
    /// Random numbers, for the jitter of pauses.
    pub(crate) random: Box<dyn FnMut() -> u64 + Send>,
}

pub(crate) struct Runner {
    name: String,
    policy: Policy,
    selection: Selection,
    deliver: Box<dyn Deliver>,
    around: Surroundings,
    /// As it is in memory.
    progress: Progress,
    /// As it is on the log; `None` until the start of a new handler is there.
    saved: Option<Progress>,
    saved_at: Duration,
    /// Everything up to here was read; what is meant of it waits.
    read_to: Position,
    /// Events that were read since the cursor was saved, bookkeeping left out: saving it must not be a reason
    /// to save it again.
    looked_at: u64,
    waiting: Waiting,
    /// Events that are meant and were counted but not read yet, up to a position.
    counted: u64,
    counted_to: Position,
    /// Failed attempts of the events that are first.
    attempt: u32,
    /// Events up to here go one by one, since they were refused together ...
    alone_until: Position,
    /// ... after so many attempts.
    tried_together: u32,
    /// How many events the attempt had that failed: what came meanwhile does not join them, for it has attempts of its
    /// own.
    joined: Option<usize>,
    /// Failures in a row to read the log or to write to it.
    troubles: u32,
    /// Attempts that failed and are followed by another one.
    retried: u64,
    resumes_at: Option<Duration>,
    next_attempt: Option<Timestamp>,
    last_error: Option<String>,
    letters: Vec<Event>,
    rate: Rate,
}

/// What changes of a handler's status.
#[derive(Debug, Clone, Default)]
pub(crate) struct Snapshot {
    pub(crate) progress: Progress,
    pub(crate) pending: u64,
    /// When the first event that waits came to the log.
    pub(crate) waits_since: Option<Timestamp>,
    pub(crate) retried: u64,
    pub(crate) attempt: u32,
    pub(crate) last_error: Option<String>,
    pub(crate) next_attempt: Option<Timestamp>,
    pub(crate) rate: Rate,
}

impl Snapshot {
    pub(crate) fn state(&self) -> HandlerState {
        if self.attempt >= BROKEN_ATTEMPTS { HandlerState::Broken } else { HandlerState::Running }
    }
}

impl Runner {
    /// Begins where the handler ended, or where its policy says if it was never there.
    pub(crate) fn new(
        name: String,
        policy: Policy,
        selection: Selection,
        deliver: Box<dyn Deliver>,
        around: Surroundings,
    ) -> Result<Self, JournalError> {
        let saved = Progress::load(around.log.journal(), &name)?;
        let head = around.log.head();
        let progress = saved.unwrap_or_else(|| {
            let position = match policy.start {
                Start::Now => head,
                Start::Beginning => Position::ZERO,
                Start::After(position) => position.min(head),
            };
            Progress { position, ..Progress::default() }
        });
        Ok(Self {
            saved_at: around.clock.elapsed(),
            read_to: progress.position,
            counted_to: progress.position,
            name,
            policy,
            selection,
            deliver,
            around,
            progress,
            saved,
            looked_at: 0,
            waiting: Waiting::default(),
            counted: 0,
            attempt: 0,
            alone_until: Position::ZERO,
            tried_together: 0,
            joined: None,
            troubles: 0,
            retried: 0,
            resumes_at: None,
            next_attempt: None,
            last_error: None,
            letters: Vec::new(),
            rate: Rate::default(),
        })
    }

    pub(crate) fn write_snapshot(&self, snapshot: &mut Snapshot) {
        snapshot.progress = self.progress;
        snapshot.pending = self.waiting.len() as u64 + self.counted;
        snapshot.waits_since = self.waiting.first().map(|event| event.recorded);
        snapshot.retried = self.retried;
        snapshot.attempt = self.attempt.max(self.troubles);
        snapshot.last_error.clone_from(&self.last_error);
        snapshot.next_attempt = self.next_attempt;
        snapshot.rate = self.rate;
    }

    /// Does one thing.
    pub(crate) fn step(&mut self) -> Next {
        let now = self.around.clock.elapsed();
        if let Some(left) = self.resumes_at.map(|at| at.saturating_sub(now)).filter(|left| !left.is_zero()) {
            return if self.count_ahead() { Next::Again } else { Next::Rest(left) };
        }
        (self.resumes_at, self.next_attempt) = (None, None);
        if self.save_left(now) == Some(Duration::ZERO) {
            return self.save();
        }
        if !self.waiting.is_full(&self.policy.batch) && self.read_to < self.around.log.head() {
            if let Err(failure) = self.read(now) {
                return self.hold(&failure);
            }
            if self.waiting.is_empty() {
                return Next::Again;
            }
        }
        if self.waiting.is_empty() {
            return self.idle(now);
        }
        let window = self.waiting.window_left(&self.policy.batch, now);
        if !window.is_zero() {
            return Next::Wait(Some(self.save_left(now).map_or(window, |left| left.min(window))));
        }
        match self.waiting.refusal().cloned() {
            Some(failure) => self.bury(&failure),
            None => self.deliver(now),
        }
    }

    /// Nothing waits; there may be something to tell all the same.
    fn idle(&mut self, now: Duration) -> Next {
        let deliver = &mut self.deliver;
        match guarded(|| deliver.rest()) {
            Ok(again) => {
                self.clear_trouble();
                Next::Wait([self.save_left(now), again].into_iter().flatten().min())
            }
            Err(failure) if failure.verdict == Verdict::Reject => {
                self.tell(&failure);
                Next::Again
            }
            Err(failure) => self.hold(&failure),
        }
    }

    /// Puts the start of a new handler on the log; where that fails, the next step tries again.
    pub(crate) fn fix_start(&mut self) {
        if self.saved.is_none() {
            let _ = self.save();
        }
    }

    /// Puts the cursor on the log, so that little comes twice when the handler is started again.
    pub(crate) fn stop(&mut self) {
        const WORTH_IT: u64 = 1_000;
        let is_new =
            |saved: Progress| saved.settled() != self.progress.settled() || self.looked_at >= WORTH_IT;
        if self.saved.is_none_or(is_new) || !self.letters.is_empty() {
            let _ = self.try_save();
        }
    }

    /// When the cursor goes to the log; `None` while there is nothing to tell.
    fn save_left(&self, now: Duration) -> Option<Duration> {
        let Some(saved) = self.saved.filter(|_| self.letters.is_empty()) else {
            return Some(Duration::ZERO);
        };
        let limits = &self.policy.progress;
        let settled = self.progress.settled() - saved.settled();
        let is_far = self.looked_at >= limits.events.max(1) && self.progress.position > saved.position;
        match settled {
            _ if settled >= limits.events.max(1) || is_far => Some(Duration::ZERO),
            0 => None,
            _ => Some((self.saved_at + Duration::from_millis(limits.every_ms)).saturating_sub(now)),
        }
    }

    fn save(&mut self) -> Next {
        match self.try_save() {
            Ok(()) => Next::Again,
            Err(SaveError::Closed) => Next::Ended,
            Err(SaveError::Failure(failure)) => self.hold(&failure),
        }
    }

    fn try_save(&mut self) -> Result<(), SaveError> {
        let deliver = &mut self.deliver;
        guarded(|| deliver.settle()).map_err(SaveError::Failure)?;
        let refused = |error: &dyn std::error::Error| {
            SaveError::Failure(Failure::retry("log_refused", format!("the cursor is not saved: {error}")))
        };
        let mut events = self.letters.clone();
        let event = self.progress.to_event(&self.name, self.around.clock.now());
        events.push(event.map_err(|error| refused(&error))?);
        (self.around.append)(events).map_err(|error| match error {
            AppendError::Closed => SaveError::Closed,
            error => refused(&error),
        })?;
        self.letters.clear();
        self.saved = Some(self.progress);
        self.saved_at = self.around.clock.elapsed();
        self.looked_at = 0;
        self.clear_trouble();
        Ok(())
    }

    fn read(&mut self, now: Duration) -> Result<(), Failure> {
        let Some(Chunk { last, others, chosen }) = self.chosen_behind(self.read_to)? else { return Ok(()) };
        self.looked_at += others;
        for (event, refusal) in chosen {
            if event.position <= self.counted_to {
                self.counted = self.counted.saturating_sub(1);
            }
            self.waiting.push(event, refusal, now);
        }
        self.read_to = last;
        self.counted_to = self.counted_to.max(last);
        if self.waiting.is_empty() {
            self.progress.position = last;
        }
        self.clear_trouble();
        Ok(())
    }

    /// Counts more of what waits; answers whether there was more.
    fn count_ahead(&mut self) -> bool {
        match self.chosen_behind(self.counted_to) {
            Ok(Some(chunk)) => {
                self.counted += chunk.chosen.len() as u64;
                self.counted_to = chunk.last;
                true
            }
            // Told when it is read.
            Ok(None) | Err(_) => false,
        }
    }

    fn chosen_behind(&self, position: Position) -> Result<Option<Chunk>, Failure> {
        if position >= self.around.log.head() {
            return Ok(None);
        }
        let events = self.around.log.read(position.next(), CHUNK);
        let events = events.map_err(|error| Failure::retry("log_unreadable", error.to_string()))?;
        let Some(last) = events.last().map(|event| event.position) else { return Ok(None) };
        let others = events.iter().filter(|event| !event.is_bookkeeping()).count() as u64;
        let (retries, events): (Vec<_>, Vec<_>) =
            events.into_iter().partition(|event| again::is_for(&self.name, event));
        let mut chosen = self.selection.choose(events)?;
        for retry in retries {
            chosen.extend(self.again(retry)?.map(|event| (event, None)));
        }
        chosen.sort_by_key(|(event, _)| event.position);
        Ok(Some(Chunk { last, others, chosen }))
    }

    /// The event of a dead letter that is to be tried again, in the place of the retry.
    fn again(&self, retry: Recorded) -> Result<Option<Recorded>, Failure> {
        let (position, recorded) = (retry.position, retry.recorded);
        let item = again::item(&self.around.log, retry);
        let item = item.map_err(|error| Failure::retry("log_unreadable", error.to_string()))?;
        let event = item.map(|item| item.event);
        Ok(event.and_then(|event| Recorded::new(position, event.sequence, recorded, event.bytes().clone())))
    }

    fn deliver(&mut self, begun: Duration) -> Next {
        self.attempt += 1;
        let limits = self.batch_limits();
        let (deliver, attempt) = (&mut self.deliver, self.attempt);
        let events = self.waiting.batch(&limits, self.alone_until);
        let count = events.len();
        let answer = guarded(|| deliver.deliver(&Delivery { events, attempt, key: "", timeout: None }));
        let now = self.around.clock.elapsed();
        if now.saturating_sub(begun) > SLOW {
            self.count_ahead();
        }
        match answer {
            Ok(delivered) => {
                self.count(count, &delivered, now);
                self.advance(count);
                Next::Again
            }
            Err(failure) => self.failed(count, &failure),
        }
    }

    fn count(&mut self, count: usize, delivered: &Delivered, now: Duration) {
        let skipped = delivered.skipped.min(count as u64);
        self.progress.skipped += skipped;
        self.progress.done += count as u64 - skipped;
        self.rate.count(count as u64 - skipped, now);
        self.last_error = None;
    }

    /// The first events are settled.
    fn advance(&mut self, count: usize) {
        let last = self.waiting.take(count);
        self.progress.position = match last {
            Some(last) if !self.waiting.is_empty() => last,
            _ => self.read_to,
        };
        let is_alone = self.waiting.first().is_some_and(|first| first.position <= self.alone_until);
        self.attempt = if is_alone { self.tried_together } else { 0 };
        self.joined = None;
    }

    fn batch_limits(&self) -> BatchLimits {
        let limits = &self.policy.batch;
        let events = self.joined.map_or(limits.events, |joined| joined.min(limits.events));
        BatchLimits { events, ..limits.clone() }
    }

    fn failed(&mut self, count: usize, failure: &Failure) -> Next {
        self.joined = Some(count);
        let attempts = self.policy.retry.attempts.unwrap_or(u32::MAX);
        let is_over = match failure.verdict {
            Verdict::Reject => true,
            // Of a batch that fails again and again, each event has its last attempt alone.
            Verdict::Retry { .. } if count > 1 => self.attempt >= attempts.saturating_sub(1).max(1),
            Verdict::Retry { .. } => self.attempt >= attempts,
        };
        if is_over && count == 1 {
            return self.bury(failure);
        }
        if is_over {
            self.tried_together = self.attempt;
            let limits = self.batch_limits();
            let batch = self.waiting.batch(&limits, self.alone_until);
            self.alone_until = batch.last().map_or(self.alone_until, |event| event.position);
        }
        if failure.verdict == Verdict::Reject {
            self.tell(failure);
            return Next::Again;
        }
        self.rest(failure, self.attempt)
    }

    /// The first event is dead. The letter goes to the log together with the cursor that passes it.
    fn bury(&mut self, failure: &Failure) -> Next {
        self.tell(failure);
        let Some(event) = self.waiting.first() else { return Next::Again };
        // A dead letter that is not delivered begets none, or two handlers could answer each other for ever.
        if event.kind() != DEAD_LETTER {
            let now = self.around.clock.now();
            match dead_letter(&self.name, event, failure, self.attempt.max(1), now) {
                Ok(letter) => self.letters.push(letter),
                Err(error) => self.last_error = Some(format!("the dead letter cannot be written: {error}")),
            }
        }
        self.progress.dead += 1;
        self.advance(1);
        Next::Again
    }

    /// Something beside the delivery itself failed.
    fn hold(&mut self, failure: &Failure) -> Next {
        self.troubles = self.troubles.saturating_add(1);
        self.rest(failure, self.troubles)
    }

    fn rest(&mut self, failure: &Failure, attempt: u32) -> Next {
        self.tell(failure);
        self.retried += 1;
        let asked = match failure.verdict {
            Verdict::Retry { after } => after,
            Verdict::Reject => None,
        };
        let pause = self.policy.retry.pause(attempt, asked, (self.around.random)());
        self.resumes_at = Some(self.around.clock.elapsed() + pause);
        let ns = i64::try_from(pause.as_nanos()).unwrap_or(i64::MAX);
        self.next_attempt = Some(Timestamp(self.around.clock.now().0.saturating_add(ns)));
        Next::Again
    }

    fn tell(&mut self, failure: &Failure) {
        self.last_error = Some(format!("{}: {}", failure.code, cut(&failure.message)));
    }

    fn clear_trouble(&mut self) {
        if self.troubles > 0 {
            (self.troubles, self.last_error) = (0, None);
        }
    }
}

/// A part of the log, and what of it is meant.
struct Chunk {
    last: Position,
    /// Events that are no bookkeeping.
    others: u64,
    chosen: Vec<Chosen>,
}

enum SaveError {
    Closed,
    Failure(Failure),
}

/// A panic of one connector is a failure of one attempt.
pub(crate) fn guarded<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no reason was given");
        Err(Failure::retry("panicked", format!("the connector failed inside: {text}")))
    })
}
