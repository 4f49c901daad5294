//! The shapes of states and what is told of them.

use super::{maybe, moment, number, object, reference, text};
use serde_json::{Value, json};

fn list(item: Value) -> Value {
    json!({"type": "array", "items": item})
}

fn maybe_moment() -> Value {
    json!({"type": ["string", "null"], "format": "date-time"})
}

fn any() -> Value {
    json!({})
}

pub(super) fn schemas() -> Value {
    let mut all = states();
    for part in [changes(), plans()] {
        if let (Value::Object(all), Value::Object(part)) = (&mut all, part) {
            all.extend(part);
        }
    }
    all
}

fn states() -> Value {
    let at = json!({
        "stream": text(), "projection": text(), "position": number(), "sequence": number(), "at": maybe_moment(), "state": any()
    });
    let mut state = at.clone();
    state["path"] = text();
    state["query_timestamp"] = moment();
    state["surrounding_events"] = list(reference("Event"));
    state["state_summary"] = json!({"type": "object"});
    let mut supposed = at.clone();
    for name in ["folded", "left_out", "added", "changed"] {
        supposed[name] = number();
    }
    supposed["patch"] = list(reference("PatchOperation"));
    supposed["changes"] = list(reference("Leaf"));
    let mut found = at.clone();
    found["found"] = json!({"type": "boolean"});
    found["more"] =
        json!({"type": "boolean", "description": "Whether there is more to look at behind `sequence`"});
    found["event"] = json!({"anyOf": [reference("Event"), {"type": "null"}]});
    let required = ["stream", "projection", "position", "sequence", "at", "state"];
    json!({
        "State": object(&required, state),
        "Supposed": object(&required, supposed),
        "Break": object(&required, found),
        "Supposition": object(&[], json!({
            "without": list(text()),
            "with": list(object(&["type"], json!({
                "type": text(), "data": any(), "time": moment(),
                "after": {"type": "integer", "description": "It comes behind this event of the stream"}
            }))),
            "instead": {"type": "object", "description": "Other payloads, by the id of the event"},
            "until": text(), "projection": text()
        })),
        "Place": object(&["sequence", "position", "at"], json!({
            "sequence": number(), "position": number(), "at": maybe_moment()
        }))
    })
}

fn changes() -> Value {
    json!({
        "PatchOperation": object(&["op", "path"], json!({
            "op": {"enum": ["add", "remove", "replace"]}, "path": text(), "value": any()
        })),
        "Leaf": object(&["path", "kind"], json!({
            "path": text(), "kind": {"enum": ["added", "removed", "changed"]}, "before": any(), "after": any()
        })),
        "StateDiff": object(&["stream", "projection", "from", "to", "patch", "changes"], json!({
            "stream": text(), "projection": text(), "from": reference("Place"), "to": reference("Place"),
            "patch": list(reference("PatchOperation")), "changes": list(reference("Leaf"))
        })),
        "History": object(&["stream", "projection", "entries", "next"], json!({
            "stream": text(), "projection": text(), "next": {"type": ["integer", "null"]},
            "entries": list(object(&["sequence", "position", "at", "id", "type", "summary"], json!({
                "sequence": number(), "position": number(), "at": moment(), "id": text(), "type": text(),
                "actor": maybe(), "summary": text(), "patch": list(reference("PatchOperation")),
                "before": any(), "after": any()
            })))
        })),
        "Overview": object(&["stream", "projection", "first", "last", "buckets", "bands", "active"], json!({
            "stream": text(), "projection": text(), "first": reference("Place"), "last": reference("Place"),
            "buckets": list(object(&["from", "to", "at", "until", "events", "changes", "failures"], json!({
                "from": number(), "to": number(), "at": moment(), "until": moment(),
                "events": number(), "changes": number(), "failures": number()
            }))),
            "bands": list(object(&["name", "from", "to"], json!({"name": text(), "from": number(), "to": number()}))),
            "active": list(object(&["sequence", "count"], json!({"sequence": number(), "count": number()})))
        })),
        "Divergence": object(&["a", "b", "common", "first", "changes"], json!({
            "a": object(&["stream", "events"], json!({"stream": text(), "events": number()})),
            "b": object(&["stream", "events"], json!({"stream": text(), "events": number()})),
            "common": number(),
            "first": {"anyOf": [{"type": "null"}, object(&["sequence", "why", "a", "b", "changes"], json!({
                "sequence": number(), "why": {"enum": ["type", "data", "ended"]},
                "a": {"anyOf": [reference("Event"), {"type": "null"}]},
                "b": {"anyOf": [reference("Event"), {"type": "null"}]},
                "changes": list(reference("Leaf"))
            }))]},
            "changes": list(reference("Leaf"))
        }))
    })
}

fn plans() -> Value {
    json!({
        "ReplayPlan": object(
            &["dry_run", "stream", "replayed_count", "skipped_count", "failed_count", "results"],
            json!({
                "dry_run": {"type": "boolean"}, "replay_id": text(), "repeated": number(), "open": list(text()),
                "as_planned": {"type": "boolean", "description": "Executed: no handler gave up, and all are done"},
                "as_before": {"type": "boolean", "description": "Executed: handlers answered as they had"},
                "stream": text(), "replayed_count": number(), "skipped_count": number(),
                "failed_count": number(), "truncated": {"type": "boolean"},
                "results": list(object(&["event_id", "type", "sequence", "position", "status"], json!({
                    "event_id": text(), "type": text(), "sequence": number(), "position": number(),
                    "status": {"enum": ["success", "skipped", "failed"]}, "reason": text(), "detail": text(),
                    "returned": list(json!({"type": "object"})), "as_before": {"type": "boolean"}
                })))
            })
        ),
        "Snapshot": object(
            &["id", "projection", "version", "sequence", "position", "until", "created_at", "bytes", "manual", "checksum"],
            json!({
                "id": text(), "projection": text(), "version": text(), "sequence": number(), "position": number(),
                "until": moment(), "created_at": moment(), "bytes": number(), "manual": {"type": "boolean"},
                "checksum": {"type": "string", "description": "SHA-256 of what is stored, in hexadecimal digits"}
            })
        ),
        "SnapshotList": object(&["snapshots"], json!({"snapshots": list(reference("Snapshot"))})),
        "Pruned": object(&["removed"], json!({"removed": number()})),
        "ProjectionList": object(&["projections"], json!({"projections": list(object(
            &["name", "category", "version", "meaning", "built_in", "reads"],
            json!({
                "name": text(), "category": maybe(), "version": text(), "meaning": text(),
                "built_in": {"type": "boolean"}, "reads": list(text())
            })
        ))}))
    })
}
