//! The healer at work: looks at letters when they come, and again when something is to be tried about them.

use super::case::Case;
use super::decide::{Decision, decide};
use super::deed::{Deed, Trouble, ask, question};
use super::outcome::Outcomes;
use super::record::{self, Attempt};
use super::rule::Rule;
use super::{AGENTS, PIECE, WAITING};
use crate::delivery::Failure;
use crate::engine::Engine;
use crate::error::WatchError;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tacho_event::{Event, EventError, Position, Timestamp};
use tacho_view::{Letter, LetterQuery, LetterState};
use tokio::runtime::Runtime;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

/// Least time between two looks.
const REST: Duration = Duration::from_millis(20);
/// Longest time between two looks; the time of day may jump.
const LONGEST_REST: Duration = Duration::from_secs(60);
/// How long something is left alone that cannot be done just now.
const RETRY_NS: i64 = 1_000_000_000;
/// How long the read side may take to know what was appended.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) struct Healer {
    pub(super) engine: Engine,
    rules: Arc<[Rule]>,
    runtime: Arc<Runtime>,
    /// Letters up to here were looked at.
    read_to: Position,
    /// Letters that something is to be tried about, by when.
    due: BTreeMap<(Timestamp, Position), String>,
    outcomes: Outcomes,
    /// Letters that a handler is asked about.
    asked: HashSet<String>,
    answers: UnboundedReceiver<Answered>,
    tell: UnboundedSender<Answered>,
    /// How far the read side was at the last look.
    seen: Option<Position>,
    /// The read side must know everything up to here: what was tried before this start, and what was tried since.
    knows: Position,
}

/// What a handler made of a letter.
struct Answered {
    letter: String,
    rule: String,
    attempt: u32,
    payload: Result<Vec<u8>, Failure>,
}

impl Healer {
    pub(super) fn new(engine: Engine, rules: Arc<[Rule]>, runtime: Arc<Runtime>) -> Self {
        let (tell, answers) = tokio::sync::mpsc::unbounded_channel();
        Self {
            knows: engine.head(),
            engine,
            rules,
            runtime,
            read_to: Position::ZERO,
            due: BTreeMap::new(),
            outcomes: Outcomes::default(),
            asked: HashSet::new(),
            answers,
            tell,
            seen: None,
        }
    }

    /// Looks at everything that is folded. What cannot be done now is done with a later look.
    pub(super) fn look(&mut self) {
        let folded = self.engine.shared.fold.position();
        self.seen = Some(folded);
        if folded < self.knows {
            return;
        }
        while let Ok(answered) = self.answers.try_recv() {
            self.asked.remove(&answered.letter);
            let letter = answered.letter.clone();
            if self.answered(answered).is_err() {
                self.look_again(letter, Position::ZERO);
            }
        }
        // Who reads or writes the log tells what is wrong with it.
        let _ = self.read();
        let _ = self.try_due();
        let _ = self.outcomes.look(&self.engine);
    }

    /// Waits until there may be something to do.
    pub(super) async fn rest(&mut self) {
        tokio::time::sleep(REST).await;
        let now = self.engine.now();
        let due = self.due.first_key_value().map(|((at, _), _)| at.0.saturating_sub(now.0).max(0));
        let due = due.map_or(LONGEST_REST, |ns| Duration::from_nanos(ns.unsigned_abs()).min(LONGEST_REST));
        let fold = &self.engine.shared.fold;
        tokio::select! {
            _ = fold.beyond(self.seen) => {}
            () = tokio::time::sleep(due) => {}
            answered = self.answers.recv() => {
                // Taken with the next look.
                drop(answered.map(|answered| self.tell.send(answered)));
            }
        }
    }

    /// Looks at letters that came, as long as there is room for them.
    fn read(&mut self) -> Result<(), WatchError> {
        loop {
            let limit = PIECE.min(WAITING.saturating_sub(self.due.len()));
            let query = LetterQuery { after: self.read_to, limit, ..LetterQuery::default() };
            let letters = self.engine.shared.fold.reader().letters(&query).map_err(query_error)?;
            if letters.is_empty() {
                return Ok(());
            }
            for letter in letters {
                let position = letter.position;
                self.consider(letter)?;
                self.read_to = position;
            }
        }
    }

    fn try_due(&mut self) -> Result<(), WatchError> {
        while let Some(entry) = self.due.first_entry().filter(|entry| entry.key().0 <= self.engine.now()) {
            let position = entry.key().1;
            let id = entry.remove();
            let letter = self.engine.shared.fold.reader().letter(&id).map_err(query_error);
            let done = letter.and_then(|letter| letter.map_or(Ok(()), |letter| self.consider(letter)));
            if let Err(error) = done {
                self.look_again(id, position);
                return Err(error);
            }
        }
        Ok(())
    }

    fn look_again(&mut self, letter: String, position: Position) {
        let at = Timestamp(self.engine.now().0.saturating_add(RETRY_NS));
        self.due.insert((at, position), letter);
    }

    /// Does what is due about a letter, or notes when something is.
    fn consider(&mut self, letter: Letter) -> Result<(), WatchError> {
        if letter.state != LetterState::Open || self.asked.contains(&letter.id) {
            return Ok(());
        }
        let Some(case) = Case::load(&self.engine.shared, letter)? else { return Ok(()) };
        match decide(&self.rules, &case.facts()) {
            Decision::Leave => Ok(()),
            Decision::GiveUp => self.give_up(&case),
            Decision::Try { rule, attempt, at } if at <= self.engine.now() => {
                self.attempt(&case, rule, attempt)
            }
            Decision::Try { at, .. } => {
                self.due.insert((at, case.letter.position), case.letter.id);
                Ok(())
            }
        }
    }

    fn give_up(&mut self, case: &Case) -> Result<(), WatchError> {
        let id = record::given_up_id(&case.letter.id);
        let told = self.engine.journal().find(super::SOURCE, &id).map_err(crate::QueryError::from)?;
        if told.is_some() {
            return Ok(());
        }
        self.append(record::given_up(case, self.engine.now()))
    }

    fn attempt(&mut self, case: &Case, rule: usize, attempt: u32) -> Result<(), WatchError> {
        let rules = self.rules.clone();
        let Some(rule) = rules.get(rule) else { return Ok(()) };
        if self.engine.is_settled(&case.letter)? {
            return Ok(());
        }
        let deed = match self.engine.heal_deed(&rule.action, case, &self.runtime) {
            Err(Trouble::Later(error)) => return Err(error.into()),
            Err(Trouble::Failed(failure)) => Err(failure),
            Ok(deed) => Ok(deed),
        };
        if matches!(deed, Ok(Deed::Ask(_))) && self.asked.len() >= AGENTS {
            self.look_again(case.letter.id.clone(), case.letter.position);
            return Ok(());
        }
        let now = self.engine.now();
        let retry = match &deed {
            Ok(Deed::Retry { data, to }) => {
                self.engine.heal_retry(case, &rule.name, data.as_deref(), to.as_deref()).map(Some)
            }
            Err(failure) => Err(failure.clone()),
            Ok(_) => Ok(None),
        };
        let events = record::attempted(case, rule, attempt, now).and_then(|mut events| {
            match &retry {
                Ok(retry) => events.extend(retry.clone()),
                Err(failure) => events.push(record::failed(case, of(&rule.name, attempt), failure, now)?),
            }
            if matches!(deed, Ok(Deed::Escalate)) {
                events.push(record::escalated(case, now)?);
            }
            Ok(events)
        });
        self.append(events)?;
        match deed {
            Ok(Deed::Ask(handler)) => self.ask(case, rule, attempt, handler),
            // The next attempt, or the end of them.
            _ if retry.is_err() => self.look_again(case.letter.id.clone(), case.letter.position),
            _ => {}
        }
        Ok(())
    }

    /// Has a handler repair the payload, on a thread of its own: that may take a while.
    fn ask(&mut self, case: &Case, rule: &Rule, attempt: u32, handler: String) {
        let answered =
            |payload| Answered { letter: case.letter.id.clone(), rule: rule.name.clone(), attempt, payload };
        self.asked.insert(case.letter.id.clone());
        let question = match question(case, attempt, self.engine.now()) {
            Ok(question) => question,
            Err(failure) => return drop(self.tell.send(answered(Err(failure)))),
        };
        let (engine, tell, mut answer) = (self.engine.clone(), self.tell.clone(), answered(Ok(Vec::new())));
        let work = move || {
            answer.payload = ask(&engine, &handler, question);
            drop(engine);
            // Nobody waits for it when the engine was closed meanwhile.
            let _ = tell.send(answer);
        };
        if let Err(error) = std::thread::Builder::new().name("tacho-heal-ask".into()).spawn(work) {
            let failure = Failure::retry("no_thread", format!("no thread can be started: {error}"));
            let _ = self.tell.send(answered(Err(failure)));
        }
    }

    /// Delivers the event of a letter with the payload that a handler made.
    fn answered(&mut self, answered: Answered) -> Result<(), WatchError> {
        let letter = self.engine.shared.fold.reader().letter(&answered.letter).map_err(query_error)?;
        let Some(letter) = letter.filter(|letter| letter.state == LetterState::Open) else { return Ok(()) };
        if self.engine.is_settled(&letter)? {
            return Ok(());
        }
        let Some(case) = Case::load(&self.engine.shared, letter)? else { return Ok(()) };
        let Answered { rule, attempt, payload, .. } = answered;
        let retry = payload.and_then(|data| self.engine.heal_retry(&case, &rule, Some(&data), None));
        let now = self.engine.now();
        let has_failed = retry.is_err();
        let event = match retry {
            Ok(retry) => Ok(retry),
            Err(failure) => record::failed(&case, of(&rule, attempt), &failure, now),
        };
        self.append(event.map(|event| vec![event]))?;
        if has_failed {
            self.look_again(case.letter.id, case.letter.position);
        }
        Ok(())
    }

    /// Appends, and waits until the read side knows: what is decided next counts on it. What can make no event is left
    /// alone.
    fn append(&mut self, events: Result<Vec<Event>, EventError>) -> Result<(), WatchError> {
        let Ok(events) = events else { return Ok(()) };
        let appended = self.engine.append_and_wait(events)?;
        let Some(last) = appended.events.iter().map(|receipt| receipt.position).max() else { return Ok(()) };
        self.knows = self.knows.max(last);
        self.runtime.block_on(self.engine.shared.fold.reach(last, PATIENCE));
        Ok(())
    }
}

fn of(rule: &str, attempt: u32) -> Attempt<'_> {
    Attempt { rule, number: u64::from(attempt) }
}

fn query_error(error: tacho_view::ViewError) -> WatchError {
    WatchError::Query(error.into())
}
