//! The shapes of causes, failures and profiles.

use super::{maybe, moment, number, object, reference, text};
use serde_json::{Value, json};

pub(super) fn schemas() -> Value {
    let list = |schema: &str| json!({"type": "array", "items": reference(schema)});
    let one = |schema: &str| json!({"oneOf": [reference(schema), {"type": "null"}]});
    json!({
        "CauseNode": object(&["id", "type", "at", "position", "stream", "sequence", "actor", "summary"], json!({
            "id": text(), "type": text(), "at": moment(), "position": number(), "stream": text(), "sequence": number(),
            "actor": maybe(), "summary": text(), "relation": {"enum": ["cause", "self", "effect", "correlated"]},
            "depth": {"type": "integer", "description": "Steps from the event: negative for causes"}
        })),
        "CauseEdge": object(&["from", "to", "kind", "from_position", "to_position"], json!({
            "from": {"type": "string", "description": "The cause's id"},
            "to": {"type": "string", "description": "The effect's id"},
            "kind": {"enum": ["causation", "trace", "correlation", "inferred"]},
            "from_position": number(), "to_position": number()
        })),
        "Causes": object(&["event", "nodes", "edges", "truncated"], json!({
            "event": text(), "nodes": list("CauseNode"), "edges": list("CauseEdge"),
            "truncated": {"type": "boolean", "description": "A limit ended the search before everything was found"}
        })),
        "Recovery": object(&["id", "type", "at", "position", "strategy", "outcome", "summary"], json!({
            "id": text(), "type": text(), "at": moment(), "position": number(), "strategy": text(),
            "outcome": {"enum": ["succeeded", "failed", "open"]}, "summary": text()
        })),
        "Why": object(&["stream", "failed", "sentence", "failure", "first_cause", "chain", "recoveries", "next_actions"], json!({
            "stream": text(), "failed": {"type": "boolean"}, "sentence": text(), "failure": one("CauseNode"),
            "first_cause": one("CauseNode"), "chain": list("CauseNode"), "edges": list("CauseEdge"),
            "sequence_before": {"type": ["integer", "null"], "description": "Of the stream, before its first event of the chain"},
            "state_before": {"description": "The stream's state before the first cause; null where it had none"},
            "recoveries": list("Recovery"), "next_actions": {"type": "array", "items": text()},
            "truncated": {"type": "boolean", "description": "The stream has more than 100,000 events"}
        })),
        "Profile": profile()
    })
}

fn profile() -> Value {
    let money = || json!({"type": ["number", "null"]});
    let share = || json!({"type": "number", "minimum": 0, "maximum": 1});
    let list = |required: &[&str], properties: Value| json!({"type": "array", "items": object(required, properties)});
    object(
        &[
            "stream",
            "from",
            "until",
            "wall_ms",
            "active_ms",
            "waiting_for_people_ms",
            "idle_ms",
            "cost_usd",
            "events",
            "by_model",
            "by_tool",
            "by_agent",
            "critical_path",
            "spans",
            "truncated",
        ],
        json!({
            "stream": text(), "from": moment(), "until": moment(), "wall_ms": number(), "active_ms": number(),
            "waiting_for_people_ms": number(), "idle_ms": number(), "cost_usd": money(), "events": number(),
            "by_model": list(&["name", "requests", "ms", "cost_usd"], json!({
                "name": text(), "requests": number(), "ms": number(), "cost_usd": money()
            })),
            "by_tool": list(&["name", "calls", "failures", "ms", "share"], json!({
                "name": text(), "calls": number(), "failures": number(), "ms": number(), "share": share()
            })),
            "by_agent": list(&["name", "ms", "cost_usd", "calls"], json!({
                "name": text(), "ms": number(), "cost_usd": money(), "calls": number()
            })),
            "critical_path": list(&["name", "kind", "at", "ms", "share", "id"], json!({
                "name": text(), "kind": {"enum": ["agent", "tool", "request", "wait", "idle"]}, "at": moment(),
                "ms": number(), "share": share(), "id": {"type": "string", "description": "The span's"}
            })),
            "spans": list(&["id", "parent", "name", "kind", "at", "until", "ms", "failed"], json!({
                "id": {"type": "string", "description": "Of the event that begins it; the stream's name for the whole"},
                "parent": maybe(), "name": text(), "detail": text(),
                "kind": {"enum": ["stream", "orchestration", "phase", "agent", "turn", "tool", "request", "wait"]},
                "at": moment(), "until": moment(), "ms": number(), "failed": {"type": "boolean"},
                "open": {"type": "boolean", "description": "No end of it is on the log"}
            })),
            "truncated": {"type": "boolean", "description": "More than 100,000 events, or more than 10,000 spans"}
        }),
    )
}
