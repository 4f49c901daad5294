//! The events that tell of healing.

use super::SOURCE;
use super::case::Case;
use super::rule::Rule;
use crate::delivery::{Failure, cut, letter_stream};
use crate::handler::trace_of;
use serde_json::{Value, json};
use tacho_event::{Draft, Event, EventError, Sameness, Timestamp, derived_id, json as text, stream};

pub(crate) const ATTEMPTED: &str = "tacho.heal_attempted";
pub(crate) const HEALED: &str = "tacho.healed";
pub(crate) const FAILED: &str = "tacho.heal_failed";
pub(crate) const GIVEN_UP: &str = "tacho.heal_given_up";

/// One attempt of a rule.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attempt<'a> {
    pub(crate) rule: &'a str,
    /// Of the rule, from 1.
    pub(crate) number: u64,
}

/// An attempt begins. The same for the same attempt, so that a crash behind it tells it once.
pub(crate) fn attempted(
    case: &Case,
    rule: &Rule,
    attempt: u32,
    now: Timestamp,
) -> Result<Vec<Event>, EventError> {
    let id = derived_id("heal", &[&case.letter.id, &(case.tries() + 1).to_string()]);
    let data = json!({
        "letter": case.letter.id, "handler": case.letter.handler, "rule": rule.name,
        "action": rule.action.name(), "attempt": attempt, "at": now.to_rfc3339(),
    });
    let recovery = json!({
        "recovery_from": case.event.id(), "recovery_strategy": rule.action.name(),
        "attempt_number": attempt, "max_attempts": rule.attempts,
        "backoff_seconds": rule.pause_ms(attempt) as f64 / 1e3,
    });
    let mut events = vec![of_letter(case, ATTEMPTED, id.clone(), &data, now)?];
    events.extend(of_issue(case, "RecoveryAttempted", &id, &recovery, now)?);
    Ok(events)
}

/// An attempt came to nothing.
pub(crate) fn failed(
    case: &Case,
    attempt: Attempt<'_>,
    failure: &Failure,
    now: Timestamp,
) -> Result<Event, EventError> {
    let data = json!({
        "letter": case.letter.id, "rule": attempt.rule, "attempt": attempt.number,
        "error": {"code": cut(&failure.code), "message": cut(&failure.message)},
    });
    let parts = [case.letter.id.as_str(), attempt.rule, &attempt.number.to_string()];
    of_letter(case, FAILED, derived_id("heal-failed", &parts), &data, now)
}

/// The event of a letter that was healed is delivered.
pub(crate) fn healed(case: &Case, attempt: Attempt<'_>, now: Timestamp) -> Result<Vec<Event>, EventError> {
    let id = derived_id("healed", &[&case.letter.id]);
    let data = json!({"letter": case.letter.id, "rule": attempt.rule, "attempt": attempt.number});
    let took = now.0.saturating_sub(case.first_failed.0).max(0);
    let recovery = json!({
        "recovery_from": case.event.id(), "recovery_attempt": attempt.number,
        "recovery_duration_seconds": took as f64 / 1e9, "can_continue": true,
    });
    let mut events = vec![of_letter(case, HEALED, id.clone(), &data, now)?];
    events.extend(of_issue(case, "RecoverySucceeded", &id, &recovery, now)?);
    Ok(events)
}

/// What [`given_up`] is known by.
pub(crate) fn given_up_id(letter: &str) -> String {
    derived_id("heal-given-up", &[letter])
}

pub(crate) fn given_up(case: &Case, now: Timestamp) -> Result<Vec<Event>, EventError> {
    let id = given_up_id(&case.letter.id);
    let attempts = match case.tried.len() {
        1 => "1 attempt".to_owned(),
        count => format!("{count} attempts"),
    };
    let reason = format!("{attempts} did not help: {}", case.reason());
    let data = json!({"letter": case.letter.id, "reason": reason});
    let recovery = json!({
        "recovery_from": case.event.id(), "all_attempts_exhausted": true, "final_error": case.reason(),
        "escalation_required": true,
    });
    let mut events = vec![of_letter(case, GIVEN_UP, id.clone(), &data, now)?];
    events.extend(of_issue(case, "RecoveryFailed", &id, &recovery, now)?);
    Ok(events)
}

/// A person is asked, once for a letter. What waits is the event's task, or the letter where it names none.
pub(crate) fn escalated(case: &Case, now: Timestamp) -> Result<Event, EventError> {
    let letter = &case.letter;
    let task = case.event.data().and_then(|data| text::member(data, "task_id")).map(text::text);
    let task = task.filter(|task| !task.is_empty()).map(|task| task.into_owned());
    let data = json!({
        "task_id": task.unwrap_or_else(|| format!("dead-letter/{}/{}", letter.handler, letter.id)),
        "attempts": letter.attempts,
        "last_error": case.reason(),
        "priority": "high",
        "letter": letter.id,
        "handler": letter.handler,
    });
    let id = derived_id("heal-escalated", &[&letter.id]);
    on_stream(case, "hitl_escalated", case.event.stream().to_owned(), id, &data, now)
}

fn of_letter(
    case: &Case,
    kind: &'static str,
    id: String,
    data: &Value,
    now: Timestamp,
) -> Result<Event, EventError> {
    on_stream(case, kind, letter_stream(&case.letter.handler), id, data, now)
}

/// The same in the words of an orchestration, on the event's stream; nothing for an event of no issue.
fn of_issue(
    case: &Case,
    kind: &'static str,
    id: &str,
    data: &Value,
    now: Timestamp,
) -> Result<Option<Event>, EventError> {
    let event = &case.event;
    if !case.is_of_issue() || stream::is_reserved(event.stream()) {
        return Ok(None);
    }
    on_stream(case, kind, event.stream().to_owned(), derived_id(kind, &[id]), data, now).map(Some)
}

fn on_stream(
    case: &Case,
    kind: &'static str,
    stream: String,
    id: String,
    data: &Value,
    now: Timestamp,
) -> Result<Event, EventError> {
    let mut draft = Draft::new(kind, SOURCE, id);
    draft.subject = Some(stream.into());
    draft.put_text("time", &now.to_rfc3339());
    draft.put_text("causationid", &case.letter.id);
    draft.put_text("actortype", "system");
    draft.put_text("actorid", "heal");
    for name in ["sessionid", "correlationid", "contextid", "issuekey"] {
        if let Some(value) = case.event.attribute(name) {
            draft.put(name, value.to_vec());
        }
    }
    draft.put_text("traceparent", &trace_of(&case.event).to_traceparent());
    // What heals may be handled, and what handles it may fail.
    let hops = case.event.text("hops").and_then(|hops| hops.parse::<u64>().ok()).unwrap_or(0);
    draft.put("hops", (hops + 1).to_string().into_bytes());
    draft.set_data(data.to_string().into_bytes());
    draft.finish(Sameness::FirstWins)
}
