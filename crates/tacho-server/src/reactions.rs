//! Handlers, deliveries and dead letters as JSON.

use serde_json::{Value, json};
use tacho_engine::delivery::{DeadLetter, Failure, HandlerStatus};
use tacho_engine::handler::{Deed, Pending, Tested, Throughput};
use tacho_engine::{Heal, heal};
use tacho_event::{Position, Recorded, Sequence, Timestamp, json as text};
use tacho_ingest::shape::Format;

pub(crate) fn status_json(status: &HandlerStatus) -> Value {
    let time = |time: Option<Timestamp>| time.map(|time| time.to_rfc3339_millis());
    let rounded = |number: f64| (number * 1_000.0).round() / 1_000.0;
    json!({
        "name": status.name,
        "kind": status.kind,
        "role": status.role.as_str(),
        "state": status.state.as_str(),
        "position": status.position.0,
        "head": status.head.0,
        "matched": status.pending + status.done + status.dead + status.skipped,
        "pending": status.pending,
        "in_flight": status.in_flight,
        "done": status.done,
        "dead": status.dead,
        "skipped": status.skipped,
        "rate_per_second": rounded(status.rate_per_second),
        "latency_ms": status.latency_ms.map(|(p50, p99)| json!({"p50": rounded(p50), "p99": rounded(p99)})),
        "success_rate": status.success_rate.map(rounded),
        "retried": status.retried,
        "attempt": status.attempt,
        "last_error": status.last_error,
        "next_attempt": time(status.next_attempt),
        "breaker": status.breaker.as_str(),
        "breaker_until": time(status.breaker_until),
        "workers": status.workers.map(|count| json!({"alive": count.alive, "busy": count.busy, "max": count.most})),
        "types": status.types,
        "returns": status.returns,
        "capabilities": status.capabilities,
        "version": status.version,
        "paused": status.paused.as_ref().map(|paused| {
            json!({"by": paused.by, "reason": paused.reason, "at": paused.at.to_rfc3339_millis()})
        }),
    })
}

pub(crate) fn pending_json(pending: &Pending) -> Value {
    json!({
        "position": pending.position.0,
        "event_id": pending.event_id,
        "event_type": pending.event_type,
        "subject": pending.stream,
        "priority": pending.priority,
        "attempt": pending.attempts,
        "state": pending.state.as_str(),
        "error": pending.error.as_ref().map(|(code, message)| error_json(code, message)),
        "next_attempt": pending.next.map(|next| next.to_rfc3339_millis()),
    })
}

pub(crate) fn deed_json(deed: &Deed) -> Value {
    json!({
        "position": deed.position.0,
        "event_id": deed.event_id,
        "event_type": deed.event_type,
        "subject": deed.stream,
        "traceparent": deed.span,
        "attempt": deed.attempt,
        "outcome": deed.outcome.as_str(),
        "started": deed.started.to_rfc3339_millis(),
        "duration_ms": deed.duration_ns as f64 / 1e6,
        "returned": deed.returned,
        "error": deed.error.as_ref().map(|(code, message)| error_json(code, message)),
    })
}

pub(crate) fn throughput_json(throughput: &Throughput) -> Value {
    let counts = |counts: &[(String, u64)]| -> Vec<Value> {
        counts.iter().map(|(kind, count)| json!({"type": kind, "count": count})).collect()
    };
    json!({"name": throughput.name, "in": counts(&throughput.incoming), "out": counts(&throughput.outgoing)})
}

pub(crate) fn letter_json(letter: &DeadLetter) -> Value {
    let row = &letter.letter;
    json!({
        "id": row.id,
        "handler": row.handler,
        "attempts": row.attempts,
        "error": text::to_value(&letter.error),
        "event": letter.event.as_ref().map(|event| text::to_value(&event.to_cloudevent())),
        "failedAt": row.failed.to_rfc3339_millis(),
        "retry_of": row.retry_of,
        "state": row.state.as_str(),
    })
}

/// In the shape of the bus of tool servers.
pub(crate) fn letter_on_the_bus(letter: &DeadLetter) -> Value {
    let error = text::to_value(&letter.error);
    let original = letter.event.as_ref().map(|event| {
        let mut out = Vec::new();
        tacho_ingest::shape::render(event, Format::Mcp, &mut out);
        text::to_value(&out)
    });
    json!({
        "id": letter.letter.id,
        "handler": letter.letter.handler,
        "error": {"message": error["message"], "stack": error["stack"], "code": error["code"]},
        "retryCount": letter.letter.attempts.saturating_sub(1),
        "originalEvent": original,
        "failedAt": letter.letter.failed.to_rfc3339_millis(),
    })
}

pub(crate) fn heal_rule_json(rule: &heal::Rule) -> Value {
    let on: serde_json::Map<String, Value> =
        rule.on.conditions().map(|(name, pattern)| (name.to_owned(), pattern.into())).collect();
    json!({"name": rule.name, "on": on, "do": rule.action.name(), "attempts": rule.attempts})
}

pub(crate) fn heal_json(heal: &Heal) -> Value {
    json!({
        "letter": heal.letter,
        "handler": heal.handler,
        "rule": heal.rule,
        "action": heal.action,
        "attempt": heal.attempt,
        "at": heal.at.to_rfc3339_millis(),
        "state": heal.state.as_str(),
        "to": heal.retry.as_ref().map(|(taker, _)| taker),
        "error": heal.error,
    })
}

pub(crate) fn tested_json(tested: &Tested) -> Value {
    let event = |event: &tacho_event::Event| {
        let bytes = event.bytes().to_vec().into();
        let whole = Recorded::new(Position(0), Sequence(0), Timestamp(0), bytes);
        let mut value = whole.map_or(Value::Null, |event| text::to_value(&event.to_cloudevent()));
        if let Some(attributes) = value.as_object_mut() {
            // It is on no log.
            for name in ["sequence", "position", "recordedtime"] {
                attributes.remove(name);
            }
        }
        value
    };
    let returned: Vec<Value> = tested.result.iter().flatten().map(event).collect();
    let error = |failure: &Failure| error_json(&failure.code, &failure.message);
    json!({
        "outcome": if tested.result.is_ok() { "done" } else { "failed" },
        "duration_ms": tested.took.as_secs_f64() * 1e3,
        "returned": returned,
        "error": tested.result.as_ref().err().map(error),
    })
}

fn error_json(code: &str, message: &str) -> Value {
    json!({"code": code, "message": message})
}
