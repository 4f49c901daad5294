//! The events that tell what a handler did: deliveries, failures, its breaker, who had it pause.

use super::core::Item;
use super::progress::{Paused, stream};
use super::returned::{span_below, trace_of};
use super::{BreakerState, Deed, Outcome};
use crate::delivery::{DEAD_LETTER, Failure, cut};
use serde_json::{Value, json};
use tacho_event::{Draft, Event, EventError, Position, Sameness, Timestamp, derived_id};

/// What was delivered, several deliveries an event.
pub const DELIVERED: &str = "tacho.delivered";
/// An attempt failed, and when the next one is due.
pub const FAILED: &str = "tacho.delivery_failed";
pub const BREAKER: &str = "tacho.breaker_changed";
pub const PAUSED: &str = "tacho.handler_paused";
pub const RESUMED: &str = "tacho.handler_resumed";
pub const RETRIED: &str = "tacho.delivery_retried";

/// Who writes all of them.
const SOURCE: &str = "/tacho/delivery";

/// An event about a handler.
fn about(handler: &str, kind: &'static str, id: String, data: &Value, now: Timestamp) -> Draft<'static> {
    let mut draft = Draft::new(kind, SOURCE, id);
    draft.subject = Some(stream(handler).into());
    draft.put_text("time", &now.to_rfc3339());
    draft.set_data(data.to_string().into_bytes());
    draft
}

/// Deliveries that ended, with what makes each a span; `others` ended well and are only counted.
pub(crate) fn delivered(
    handler: &str,
    save: u64,
    deeds: &[Deed],
    others: u64,
    now: Timestamp,
) -> Result<Event, EventError> {
    let mut data =
        json!({"handler": handler, "deliveries": deeds.iter().map(Deed::to_json).collect::<Vec<_>>()});
    if others > 0 {
        data["others"] = others.into();
    }
    let id = derived_id("delivered", &[handler, &save.to_string()]);
    about(handler, DELIVERED, id, &data, now).finish(Sameness::FirstWins)
}

/// An attempt of one event failed.
pub(crate) fn failed(
    handler: &str,
    item: &Item,
    attempt: u32,
    failure: &Failure,
    next: Option<Timestamp>,
    now: Timestamp,
) -> Result<Event, EventError> {
    let data = json!({
        "handler": handler,
        "event_id": item.event.id(),
        "event_type": item.event.kind(),
        "position": item.position.0,
        "attempt": attempt,
        "error": {"code": cut(&failure.code), "message": cut(&failure.message)},
        "next_attempt": next.map(|next| next.to_rfc3339()),
    });
    let id = derived_id("failed", &[handler, &item.position.to_string(), &attempt.to_string()]);
    let mut draft = about(handler, FAILED, id, &data, now);
    draft.put_text("severity", "warning");
    relate(&mut draft, item);
    draft.finish(Sameness::FirstWins)
}

/// An event that is given up.
pub(crate) fn dead(
    handler: &str,
    item: &Item,
    failure: &Failure,
    attempts: u32,
    now: Timestamp,
) -> Result<Event, EventError> {
    let mut data = json!({
        "handler": handler,
        "position": item.position.0,
        "event_id": item.event.id(),
        "event_source": item.event.source(),
        "event_type": item.event.kind(),
        "attempts": attempts,
        "error": {"message": cut(&failure.message), "code": cut(&failure.code)},
        "failedAt": now.to_rfc3339(),
    });
    if let Some(letter) = &item.retry_of {
        data["retry_of"] = letter.clone().into();
    }
    let mut draft =
        about(handler, DEAD_LETTER, crate::delivery::letter_id(handler, item.position), &data, now);
    draft.subject = Some(crate::delivery::letter_stream(handler).into());
    draft.put_text("severity", "error");
    relate(&mut draft, item);
    draft.finish(Sameness::FirstWins)
}

pub(crate) fn breaker(
    handler: &str,
    id: &str,
    state: BreakerState,
    until: Option<Timestamp>,
    reason: Option<&str>,
    now: Timestamp,
) -> Result<Event, EventError> {
    let data = json!({
        "handler": handler, "state": state.as_str(), "until": until.map(|until| until.to_rfc3339()), "reason": reason,
    });
    let id = derived_id("breaker", &[handler, id]);
    let mut draft = about(handler, BREAKER, id, &data, now);
    draft.put_text("severity", if state == BreakerState::Open { "warning" } else { "info" });
    draft.finish(Sameness::FirstWins)
}

/// Who had a handler pause or go on, or an event tried now: `kind` says which.
pub(crate) fn control(
    handler: &str,
    kind: &'static str,
    id: &str,
    who: &Paused,
) -> Result<Event, EventError> {
    let data = json!({"handler": handler, "by": who.by, "reason": who.reason});
    let id = derived_id(kind, &[handler, id]);
    let mut draft = about(handler, kind, id, &data, who.at);
    let (actor_type, actor) = who.by.split_once(':').unwrap_or(("user", &who.by));
    draft.put_text("actortype", actor_type);
    draft.put_text("actorid", actor);
    draft.finish(Sameness::FirstWins)
}

/// The event is the cause, and its session and trace are this event's too.
fn relate(draft: &mut Draft<'_>, item: &Item) {
    draft.put_text("causationid", item.event.id());
    for name in ["sessionid", "correlationid", "contextid"] {
        if let Some(value) = item.event.text(name) {
            draft.put_text(name, &value);
        }
    }
    draft.put_text("traceparent", &trace_of(&item.event).to_traceparent());
}

impl Deed {
    /// Of one event of a delivery.
    pub(crate) fn new(handler: &str, item: &Item, attempt: u32, outcome: Outcome) -> Self {
        let part = format!("delivery:{handler}:{}:{attempt}", item.position);
        Self {
            position: item.position,
            event_id: item.event.id().to_owned(),
            event_type: item.event.kind().to_owned(),
            stream: item.event.stream().to_owned(),
            parent: trace_of(&item.event).to_traceparent(),
            span: span_below(&item.event, &part).to_traceparent(),
            attempt,
            outcome,
            started: Timestamp(0),
            duration_ns: 0,
            returned: 0,
            error: None,
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        let mut data = json!({
            "position": self.position.0,
            "event_id": self.event_id,
            "event_type": self.event_type,
            "subject": self.stream,
            "traceparent": self.span,
            "parent": self.parent,
            "attempt": self.attempt,
            "outcome": self.outcome.as_str(),
            "started": self.started.to_rfc3339(),
            "duration_ms": self.duration_ns as f64 / 1e6,
            "returned": self.returned,
        });
        if let Some((code, message)) = &self.error {
            data["error"] = json!({"code": code, "message": message});
        }
        data
    }
}

/// Where a letter or a retry says that its event stands.
pub(crate) fn position_in(data: &[u8]) -> Option<Position> {
    let position = tacho_event::json::member(data, "position")?;
    tacho_event::json::text(position).parse().ok().map(Position)
}
