//! A dead letter with all that is known of it.

use super::SOURCE;
use super::decide::{Facts, Tried};
use crate::engine::Shared;
use crate::error::QueryError;
use crate::handler::{event_at, letter_of};
use serde_json::{Value, json};
use tacho_event::{Recorded, Timestamp, json as text};
use tacho_view::Letter;

/// A retry of a retry of a retry …
const MAX_DEPTH: usize = 64;
/// Who tells of deliveries.
const DELIVERY: &str = "/tacho/delivery";

pub(crate) struct Case {
    pub(crate) letter: Letter,
    /// The event that was not delivered, with the payload that it had then.
    pub(crate) event: Recorded,
    /// Code and message, as JSON.
    pub(crate) error: Value,
    /// Who gave up on the event, the last one first.
    pub(crate) handlers: Vec<String>,
    pub(crate) tried: Vec<Tried>,
    /// When the event was given up on for the first time.
    pub(crate) first_failed: Timestamp,
}

impl Case {
    /// `None` where there is nothing to heal: the log does not hold the event any more, or the event itself tells of
    /// deliveries or of healing, which would never end.
    pub(crate) fn load(shared: &Shared, letter: Letter) -> Result<Option<Self>, QueryError> {
        let Some(event) = event_at(&shared.log, letter.event)? else { return Ok(None) };
        if [SOURCE, DELIVERY].contains(&event.source()) {
            return Ok(None);
        }
        let own = shared.log.get(letter.position)?;
        let error = own.as_ref().and_then(|own| text::member(own.data()?, "error")).map(text::to_value);
        let mut case = Self {
            handlers: Vec::new(),
            tried: Vec::new(),
            first_failed: letter.failed,
            error: error.unwrap_or(Value::Null),
            event,
            letter: letter.clone(),
        };
        case.follow(shared, letter)?;
        Ok(Some(case))
    }

    /// Goes back from letter to letter, to the first one.
    fn follow(&mut self, shared: &Shared, letter: Letter) -> Result<(), QueryError> {
        let reader = shared.fold.reader();
        let mut next = Some(letter);
        while let Some(letter) = next.take().filter(|_| self.handlers.len() < MAX_DEPTH) {
            let is_of_letter = self.handlers.is_empty();
            self.tried.extend(reader.heals_of(&letter.id)?.into_iter().map(|heal| Tried {
                rule: heal.rule,
                at: heal.at,
                is_of_letter,
                is_escalation: heal.action == "escalate",
            }));
            self.first_failed = letter.failed;
            self.handlers.push(letter.handler);
            let before = shared.log.get(letter.event)?.as_ref().and_then(letter_of);
            next = before.map(|before| reader.letter(&before)).transpose()?.flatten();
        }
        Ok(())
    }

    pub(crate) fn facts(&self) -> Facts<'_> {
        Facts {
            handlers: &self.handlers,
            code: &self.letter.code,
            kind: self.event.kind(),
            failed: self.letter.failed,
            tried: &self.tried,
        }
    }

    /// How often something was tried about this very letter.
    pub(crate) fn tries(&self) -> usize {
        self.tried.iter().filter(|tried| tried.is_of_letter).count()
    }

    /// Code and message in one line.
    pub(crate) fn reason(&self) -> String {
        format!("{}: {}", self.letter.code, self.letter.message)
    }

    /// As programs and agents get it.
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "event": text::to_value(&self.event.to_cloudevent()),
            "error": self.error,
            "attempts": self.letter.attempts,
            "handler": self.letter.handler,
        })
    }

    /// Whether the event is part of an issue's orchestration.
    pub(crate) fn is_of_issue(&self) -> bool {
        let in_data = || self.event.data().is_some_and(|data| text::member(data, "issue_key").is_some());
        self.event.stream().starts_with("issue/") || self.event.attribute("issuekey").is_some() || in_data()
    }
}
