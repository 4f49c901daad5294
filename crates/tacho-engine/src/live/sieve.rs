//! The condition of one subscription, evaluated for what it gathered, a batch at a time, in order.

use super::Item;
use crate::condition::{ConditionError, Conditions, Pace, Turn};
use bytes::Bytes;
use std::collections::VecDeque;
use std::time::{Duration, Instant};
use tacho_event::Jq;
use tokio::task::{JoinHandle, spawn_blocking};

pub(super) struct Sieve {
    conditions: Conditions,
    condition: Jq,
    pace: Pace,
    /// What was not decided yet.
    items: VecDeque<Item>,
    check: Option<Check>,
}

/// The first events are being decided. Kept here, so that a caller who stops waiting loses nothing.
struct Check {
    task: JoinHandle<Result<Decided, ConditionError>>,
    events: usize,
    is_full: bool,
}

struct Decided {
    answers: Vec<bool>,
    time: Duration,
}

impl Sieve {
    pub(super) fn new(conditions: Conditions, condition: Jq) -> Self {
        Self { conditions, condition, pace: Pace::new(), items: VecDeque::new(), check: None }
    }

    pub(super) fn push(&mut self, item: Item) {
        self.items.push_back(item);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The next item, if it is none that the condition decides.
    pub(super) fn take_mark(&mut self) -> Option<Item> {
        match self.items.front() {
            Some(Item::Event(_)) | None => None,
            Some(_) => self.items.pop_front(),
        }
    }

    /// Decides the first events; answers those for which the condition holds.
    ///
    /// Cancel safe: the work goes on, and the next call waits for it.
    pub(super) async fn sift(&mut self) -> Result<Vec<Item>, ConditionError> {
        let check = match &mut self.check {
            Some(check) => check,
            None => {
                let begun = self.begin();
                self.check.insert(begun)
            }
        };
        let decided = (&mut check.task).await;
        let (events, is_full) = (check.events, check.is_full);
        self.check = None;
        let Decided { answers, time } = decided.map_err(|_| ConditionError::Stopped)??;
        if is_full {
            self.pace.took(time);
        }
        let sifted = self.items.drain(..events).zip(answers);
        Ok(sifted.filter_map(|(item, holds)| holds.then_some(item)).collect())
    }

    fn begin(&self) -> Check {
        let (mut texts, mut bytes, mut is_full) = (Vec::<Bytes>::new(), 0, false);
        for item in &self.items {
            let Item::Event(event) = item else { break };
            if !texts.is_empty() && !self.pace.has_room(texts.len(), bytes) {
                is_full = true;
                break;
            }
            let text = event.cloudevent();
            bytes += text.len();
            texts.push(text.clone());
        }
        let events = texts.len();
        let (conditions, condition) = (self.conditions.clone(), self.condition.clone());
        let task = tokio::spawn(async move {
            let turn = conditions.turn().await?;
            let decided = spawn_blocking(move || decide(&turn, &condition, &texts));
            decided.await.map_err(|_| ConditionError::Stopped)?
        });
        Check { task, events, is_full }
    }
}

fn decide(turn: &Turn, condition: &Jq, texts: &[Bytes]) -> Result<Decided, ConditionError> {
    let begun = Instant::now();
    Ok(Decided { answers: turn.check(condition, texts)?, time: begun.elapsed() })
}

impl Drop for Sieve {
    fn drop(&mut self) {
        if let Some(check) = &self.check {
            check.task.abort();
        }
    }
}
