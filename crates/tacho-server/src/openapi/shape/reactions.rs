//! The shapes of handlers, deliveries and dead letters.

use super::{maybe, moment, number, object, page, reference, text};
use serde_json::{Value, json};

pub(super) fn schemas() -> Value {
    let list = |schema: &str| json!({"type": "array", "items": reference(schema)});
    let counts = || json!({"type": "array", "items": object(&["type", "count"], json!({"type": text(), "count": number()}))});
    json!({
        "Handler": handler(),
        "HandlerList": object(&["handlers"], json!({"handlers": list("Handler")})),
        "HandlerMap": object(&["window_seconds", "handlers"], json!({
            "window_seconds": number(),
            "handlers": {"type": "array", "items": object(&["name", "in", "out"], json!({
                "name": text(), "in": counts(), "out": counts()
            }))}
        })),
        "DeliveryError": object(&["code", "message"], json!({"code": text(), "message": text()})),
        "PendingList": object(&["pending", "total"], json!({
            "total": number(),
            "pending": {"type": "array", "items": object(&["position", "event_id", "attempt", "state"], json!({
                "position": number(), "event_id": text(), "event_type": text(), "subject": text(),
                "priority": {"enum": ["critical", "high", "normal", "low"]},
                "attempt": {"type": "integer", "minimum": 0, "description": "Attempts that failed"},
                "state": {"enum": ["waiting", "running", "retrying"]},
                "error": error(), "next_attempt": maybe_moment()
            }))}
        })),
        "DeliveryList": object(&["deliveries"], json!({
            "deliveries": {"type": "array", "items": object(&["position", "event_id", "attempt", "outcome"], json!({
                "position": number(), "event_id": text(), "event_type": text(), "subject": text(),
                "traceparent": {"type": "string", "description": "Of the delivery's own span, below the event's"},
                "attempt": number(), "outcome": {"enum": ["done", "failed", "dead"]}, "started": moment(),
                "duration_ms": {"type": "number"}, "returned": number(), "error": error()
            }))}
        })),
        "HandlerTest": object(&["outcome", "duration_ms", "returned", "error"], json!({
            "outcome": {"enum": ["done", "failed"]}, "duration_ms": {"type": "number"},
            "returned": {"type": "array", "items": {"type": "object"}, "description": "As it would be appended"},
            "error": error()
        })),
        "Order": object(&[], json!({
            "reason": {"type": "string", "description": "Why; it is on the log with who asked"},
            "position": {"type": "integer"}, "event": {"type": "object"}, "data": {},
            "handler": text(), "code": text(),
            "id": {"type": "string", "description": "Names a replay: the same name does nothing twice"},
            "sequences": {"type": "array", "items": number(), "description": "Only these events of the stream"},
            "wait_seconds": {"type": "integer", "description": "How long a replay waits for handlers; 30 by default"}
        })),
        "DeadLetter": dead_letter(),
        "DeadLetterPage": dead_letters(),
        "DeadLetterCauses": object(&["causes", "total"], json!({
            "total": number(),
            "causes": {"type": "array", "items": object(&["handler", "code", "count", "first", "last", "message"], json!({
                "handler": text(), "code": text(), "count": number(), "first": moment(), "last": moment(),
                "message": {"type": "string", "description": "Of the last of them"}
            }))}
        })),
        "DeadLetterSettled": object(&["id", "state"], json!({"id": text(), "state": {"enum": ["retried", "discarded"]}})),
        "DeadLettersSettled": object(&["count", "left"], json!({"count": number(), "left": number()})),
        "Healing": healing()
    })
}

fn maybe_moment() -> Value {
    json!({"type": ["string", "null"], "format": "date-time"})
}

fn error() -> Value {
    json!({"oneOf": [reference("DeliveryError"), {"type": "null"}]})
}

/// What a handler gave up on.
fn dead_letter() -> Value {
    object(
        &["id", "handler", "attempts", "error", "event", "failedAt"],
        json!({
            "id": text(),
            "handler": text(),
            "attempts": {"type": "integer", "minimum": 1, "description": "The first one counted"},
            "error": reference("DeliveryError"),
            "event": {"oneOf": [reference("Event"), {"type": "null"}]},
            "failedAt": moment(),
            "retry_of": {"type": ["string", "null"], "description": "The letter that was tried again before"},
            "state": {"enum": ["open", "retried", "discarded"]}
        }),
    )
}

fn dead_letters() -> Value {
    let mut letters = page("dead_letters", "DeadLetter");
    letters["properties"]["total"] =
        json!({"type": "integer", "description": "How many are open, on this page or not"});
    letters
}

/// What heals dead letters.
fn healing() -> Value {
    let action = || json!({"enum": ["later", "parameters", "capability", "agent", "escalate"]});
    let pattern = || json!({"type": "string", "description": "A pattern with `*`"});
    let rule = object(
        &["name", "on", "do", "attempts"],
        json!({
            "name": text(),
            "on": object(&[], json!({"handler": pattern(), "code": pattern(), "type": pattern()})),
            "do": action(),
            "attempts": {"type": "integer", "minimum": 1, "description": "Most for the same original event"}
        }),
    );
    let attempt = object(
        &["letter", "handler", "rule", "action", "attempt", "at", "state"],
        json!({
            "letter": text(), "handler": text(), "rule": text(), "action": action(),
            "attempt": {"type": "integer", "minimum": 1, "description": "Of this rule, for the same original event"},
            "at": moment(),
            "state": {"enum": ["tried", "healed", "given_up"], "description": "given_up: the last one, and no rule was left"},
            "to": {"type": ["string", "null"], "description": "Who the event was given to"},
            "error": {"type": ["string", "null"], "description": "Why it came to nothing"}
        }),
    );
    let list = |items: Value| json!({"type": "array", "items": items});
    object(&["rules", "attempts"], json!({"rules": list(rule), "attempts": list(attempt)}))
}

/// How far a handler is.
fn handler() -> Value {
    let count = |description: &str| json!({"type": "integer", "minimum": 0, "description": description});
    let texts = || json!({"type": "array", "items": text()});
    object(
        &[
            "name", "kind", "role", "state", "position", "head", "pending", "done", "dead", "skipped",
            "breaker",
        ],
        json!({
            "name": text(),
            "kind": text(),
            "role": {"enum": ["handler", "sink"], "description": "A sink returns nothing and takes no orders"},
            "state": {"enum": ["running", "paused", "broken"], "description": "broken: several attempts in a row failed"},
            "position": count("Everything up to here is settled"),
            "head": count("The log's last position"),
            "matched": count("pending + done + dead + skipped"),
            "pending": count("Events that are meant and wait, those under way among them"),
            "in_flight": count("Events that are being delivered"),
            "done": count("Events delivered since its start"),
            "dead": count("Events given up on"),
            "skipped": count("Events that were there already"),
            "rate_per_second": {"type": "number", "description": "Events delivered a second, of late"},
            "latency_ms": {"type": ["object", "null"], "description": "p50 and p99 of the last deliveries"},
            "success_rate": {"type": ["number", "null"], "description": "Of the last deliveries"},
            "retried": count("Attempts that failed and were followed by another one, since this process began"),
            "attempt": count("Attempts in a row that failed"),
            "last_error": maybe(),
            "next_attempt": maybe_moment(),
            "breaker": {"enum": ["closed", "open", "half_open"]},
            "breaker_until": maybe_moment(),
            "workers": {"type": ["object", "null"], "description": "alive, busy, max"},
            "types": texts(), "returns": texts(), "capabilities": texts(), "version": maybe(),
            "paused": {"type": ["object", "null"], "description": "by, reason, at"}
        }),
    )
}
