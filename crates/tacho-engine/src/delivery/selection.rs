//! Which events a handler is meant to get.

use super::{DEAD_LETTER, Failure, letter};
use crate::condition::{ConditionError, Conditions, Turn};
use tacho_event::{Filter, Jq, Pattern, Recorded};
use tokio::runtime::Runtime;

/// Events whose condition is evaluated at once.
const CONDITION_EVENTS: usize = 64;

pub(crate) struct Selection {
    filter: Filter,
    /// The stream of the handler's own dead letters, which it never gets.
    own_letters: String,
    evaluation: Option<Evaluation>,
}

/// Where conditions in jq are evaluated.
struct Evaluation {
    conditions: Conditions,
    /// For waiting for a turn on a thread that is no task.
    runtime: Runtime,
}

/// An event that is meant, and why it cannot be decided whether it is.
pub(crate) type Chosen = (Recorded, Option<Failure>);

impl Selection {
    /// Without a type, a handler gets every type but Tachograph's own. `conditions` is where a condition in
    /// jq is evaluated; `None` evaluates it on the spot.
    pub(crate) fn new(
        handler: &str,
        filter: Filter,
        conditions: Option<Conditions>,
    ) -> std::io::Result<Self> {
        let has_condition = filter.where_jq.is_some();
        Self::with_programs(handler, filter, conditions, has_condition)
    }

    /// As [`Self::new`], for one who also asks [`Self::first`].
    pub(crate) fn with_programs(
        handler: &str,
        mut filter: Filter,
        conditions: Option<Conditions>,
        has_programs: bool,
    ) -> std::io::Result<Self> {
        if filter.types.is_empty() {
            filter.types.push(Pattern::new("*"));
        }
        filter.system = false;
        let evaluation = match conditions.filter(|_| has_programs) {
            Some(conditions) => {
                let runtime = tokio::runtime::Builder::new_current_thread().build()?;
                Some(Evaluation { conditions, runtime })
            }
            None => None,
        };
        Ok(Self { filter, own_letters: letter::stream(handler), evaluation })
    }

    /// Whether an event may be meant, as far as that is known without a program.
    pub(crate) fn may_want(&self, event: &Recorded) -> bool {
        let is_own = event.kind() == DEAD_LETTER && event.stream() == self.own_letters;
        !is_own && self.filter.matches_but_for_where(event, None)
    }

    /// The first answer of a program to each of the texts, or why it has none.
    pub(crate) fn first(
        &self,
        program: &Jq,
        texts: &[Vec<u8>],
    ) -> Result<Vec<Result<String, String>>, Failure> {
        match &self.evaluation {
            Some(evaluation) => evaluation.first(program, texts),
            None => Ok(texts.iter().map(|text| program.first_of(text)).collect()),
        }
    }

    /// Those of the events that are meant.
    pub(crate) fn choose(&self, events: Vec<Recorded>) -> Result<Vec<Chosen>, Failure> {
        let candidates: Vec<Recorded> = events.into_iter().filter(|event| self.may_want(event)).collect();
        match (&self.filter.where_jq, &self.evaluation) {
            (None, _) => Ok(candidates.into_iter().map(|event| (event, None)).collect()),
            (Some(condition), Some(evaluation)) => evaluation.choose(condition, candidates),
            (Some(condition), None) => {
                let held = candidates.into_iter().filter(|event| condition.holds(event));
                Ok(held.map(|event| (event, None)).collect())
            }
        }
    }
}

impl Evaluation {
    fn choose(&self, condition: &Jq, candidates: Vec<Recorded>) -> Result<Vec<Chosen>, Failure> {
        let mut chosen = Vec::new();
        if candidates.is_empty() {
            return Ok(chosen);
        }
        let turn = self.runtime.block_on(self.conditions.turn()).map_err(unavailable)?;
        for events in candidates.chunks(CONDITION_EVENTS) {
            match check(&turn, condition, events) {
                Ok(answers) => {
                    let held = events.iter().zip(answers).filter(|(_, holds)| *holds);
                    chosen.extend(held.map(|(event, _)| (event.clone(), None)));
                }
                Err(error) if is_of_the_event(&error) => {
                    chosen.extend(one_by_one(&turn, condition, events)?);
                }
                Err(error) => return Err(unavailable(error)),
            }
        }
        Ok(chosen)
    }
}

impl Evaluation {
    fn first(&self, program: &Jq, texts: &[Vec<u8>]) -> Result<Vec<Result<String, String>>, Failure> {
        if texts.is_empty() {
            return Ok(Vec::new());
        }
        let turn = self.runtime.block_on(self.conditions.turn()).map_err(unavailable)?;
        let mut answers = Vec::with_capacity(texts.len());
        for text in texts.chunks(CONDITION_EVENTS) {
            if let Ok(together) = turn.first(program, text) {
                answers.extend(together.into_iter().map(Ok));
                continue;
            }
            for text in text {
                match turn.first(program, std::slice::from_ref(text)) {
                    Ok(alone) => answers.extend(alone.into_iter().map(Ok)),
                    Err(error) if is_of_the_event(&error) => answers.push(Err(error.to_string())),
                    Err(error) => return Err(unavailable(error)),
                }
            }
        }
        Ok(answers)
    }
}

/// Finds the events on which a condition fails: they are dead letters, for nobody knows whether they are meant.
fn one_by_one(turn: &Turn, condition: &Jq, events: &[Recorded]) -> Result<Vec<Chosen>, Failure> {
    let mut chosen = Vec::new();
    for event in events {
        match check(turn, condition, std::slice::from_ref(event)) {
            Ok(answers) => chosen.extend(answers.contains(&true).then(|| (event.clone(), None))),
            Err(error) if is_of_the_event(&error) => {
                chosen.push((event.clone(), Some(Failure::reject("condition_failed", error.to_string()))));
            }
            Err(error) => return Err(unavailable(error)),
        }
    }
    Ok(chosen)
}

fn check(turn: &Turn, condition: &Jq, events: &[Recorded]) -> Result<Vec<bool>, ConditionError> {
    let texts: Vec<Vec<u8>> = events.iter().map(Recorded::to_cloudevent).collect();
    turn.check(condition, &texts)
}

fn is_of_the_event(error: &ConditionError) -> bool {
    matches!(
        error,
        ConditionError::TooSlow { .. }
            | ConditionError::Died { .. }
            | ConditionError::Refused(_)
            | ConditionError::Failed(_)
    )
}

fn unavailable(error: ConditionError) -> Failure {
    Failure::retry("condition_unavailable", error.to_string())
}
