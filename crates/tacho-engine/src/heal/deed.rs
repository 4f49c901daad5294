//! How a rule's action is done.

use super::answer::{self, MAX_DEPTH};
use super::case::Case;
use super::rule::Action;
use crate::condition::ConditionError;
use crate::delivery::Failure;
use crate::engine::Engine;
use crate::error::QueryError;
use crate::handler::Asker;
use crate::registry::healthiest;
use tacho_event::{
    Draft, Event, Jq, MAX_EVENT_BYTES, Position, Recorded, Sameness, Sequence, Timestamp, json, stream,
};
use tokio::runtime::Runtime;

/// What follows from an action.
pub(super) enum Deed {
    /// The event is delivered again.
    Retry {
        data: Option<Vec<u8>>,
        to: Option<String>,
    },
    /// This handler is asked for a payload first.
    Ask(String),
    Escalate,
}

/// Why nothing is done.
pub(super) enum Trouble {
    /// The attempt came to nothing.
    Failed(Failure),
    /// Nothing can be tried just now.
    Later(QueryError),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl Engine {
    pub(super) fn heal_deed(&self, action: &Action, case: &Case, runtime: &Runtime) -> Result<Deed, Trouble> {
        let deed = match action {
            Action::Escalate => return Ok(Deed::Escalate),
            Action::Later => Deed::Retry { data: None, to: None },
            Action::Parameters(program) => {
                let data = self.payload_by(program, case, runtime)?;
                Deed::Retry { data: Some(data), to: None }
            }
            Action::Capability(capability) => {
                let to = self.other_handler(case, capability.as_deref())?;
                Deed::Retry { data: None, to: Some(to) }
            }
            Action::Agent(handler) => Deed::Ask(handler.clone()),
        };
        let taker = match &deed {
            Deed::Retry { to: Some(to), .. } => to,
            _ => &case.letter.handler,
        };
        if !self.is_known_handler(taker) {
            let reason = format!("handler {taker:?} does not run: start it, then try again");
            return Err(Failure::retry("no_handler", reason).into());
        }
        Ok(deed)
    }

    /// The event of a letter, delivered again on behalf of a rule.
    pub(super) fn heal_retry(
        &self,
        case: &Case,
        rule: &str,
        data: Option<&[u8]>,
        to: Option<&str>,
    ) -> Result<Event, Failure> {
        let asker = Asker { by: "system:heal".into(), reason: format!("rule {rule}") };
        let event = self.retry_of(&case.letter, data, to, &asker);
        let event = event.map_err(|error| Failure::reject("bad_event", error.to_string()))?;
        let bytes = event.bytes().len();
        if bytes > MAX_EVENT_BYTES {
            let reason = format!("the payload makes an event of {bytes} bytes, {MAX_EVENT_BYTES} at most");
            return Err(Failure::reject("event_too_large", reason));
        }
        Ok(event)
    }

    /// What a program makes of the letter. Blocks as long as the program may take.
    fn payload_by(&self, program: &Jq, case: &Case, runtime: &Runtime) -> Result<Vec<u8>, Trouble> {
        let text = case.to_json().to_string().into_bytes();
        let turn = runtime.block_on(self.shared.conditions.turn());
        let answer = turn.and_then(|turn| turn.first(program, &[text]));
        let answer = match answer {
            Ok(answers) => answers.into_iter().next().unwrap_or_default(),
            Err(error @ (ConditionError::Busy(_) | ConditionError::Worker(_) | ConditionError::Stopped)) => {
                return Err(Trouble::Later(error.into()));
            }
            Err(error) => return Err(Failure::reject("program_failed", error.to_string()).into()),
        };
        let refuse = |reason: String| Failure::reject("no_payload", format!("`data` answers {reason}"));
        let mut data = Vec::with_capacity(answer.len());
        json::minify(answer.as_bytes(), MAX_DEPTH, &mut data).map_err(|error| refuse(error.to_string()))?;
        if data == b"null" {
            return Err(refuse("null, which is no payload".into()).into());
        }
        Ok(data)
    }

    /// Who takes over: the healthiest that can do it and has not failed on the event.
    fn other_handler(&self, case: &Case, capability: Option<&str>) -> Result<String, Failure> {
        let wanted: Vec<String> = match capability {
            Some(capability) => vec![capability.to_owned()],
            None => self.handler(&case.letter.handler).map(|failed| failed.capabilities).unwrap_or_default(),
        };
        let other = healthiest(self, |one| {
            let can_do = one.capabilities.iter().any(|capability| wanted.contains(capability));
            can_do && !case.handlers.contains(&one.name)
        });
        other.ok_or_else(|| {
            let reason = match wanted.is_empty() {
                true => {
                    format!("handler {:?} names no capability that another could have", case.letter.handler)
                }
                false => format!("no other healthy handler has a capability of {}", wanted.join(", ")),
            };
            Failure::retry("no_capability", reason)
        })
    }
}

/// Has a handler make a payload of a letter. Blocks as long as the handler may take.
pub(super) fn ask(engine: &Engine, handler: &str, question: Recorded) -> Result<Vec<u8>, Failure> {
    let tested = engine.test_handler(handler, question);
    let tested = tested.map_err(|error| Failure::retry("no_agent", error.to_string()))?;
    answer::payload(&tested.result?)
}

/// The letter as an event, for a handler that is asked.
pub(super) fn question(case: &Case, attempt: u32, now: Timestamp) -> Result<Recorded, Failure> {
    let id = format!("{}:{attempt}", case.letter.id);
    let mut draft = Draft::new(crate::delivery::DEAD_LETTER, super::SOURCE, id);
    // What is returned goes to the stream of its cause, and to no reserved one.
    let of_event = Some(case.event.stream()).filter(|name| !stream::is_reserved(name));
    draft.subject = Some(of_event.unwrap_or("heal").into());
    draft.put_text("time", &now.to_rfc3339());
    draft.put_text("causationid", &case.letter.id);
    draft.set_data(case.to_json().to_string().into_bytes());
    let event = draft.finish(Sameness::FirstWins);
    let event = event.map_err(|error| Failure::reject("bad_event", error.to_string()))?;
    let recorded = Recorded::new(Position::ZERO, Sequence(0), now, event.bytes().to_vec().into());
    recorded.ok_or_else(|| Failure::reject("bad_event", "the letter makes no event"))
}
