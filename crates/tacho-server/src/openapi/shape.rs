//! The shapes of what the server takes and answers, as the OpenAPI document describes them.

mod reactions;
mod reasons;
mod registry;
mod rewind;

use serde_json::{Map, Value, json};
use tacho_engine::{AGENT_FIGURES, AgentFigure, FIGURES, Figure};
use tacho_event::Code;

/// `components.schemas`.
pub(super) fn schemas() -> Value {
    let parts = [
        events(),
        streams(),
        rewind::schemas(),
        reasons::schemas(),
        schema_registry(),
        registry::schemas(),
        figures_and_alerts(),
        reactions::schemas(),
        server(),
    ];
    parts
        .into_iter()
        .flat_map(|part| part.as_object().cloned().unwrap_or_default())
        .collect::<Map<_, _>>()
        .into()
}

pub(super) fn reference(schema: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{schema}")})
}

pub(super) fn number() -> Value {
    json!({"type": "integer", "minimum": 0})
}

pub(super) fn text() -> Value {
    json!({"type": "string"})
}

pub(super) fn maybe() -> Value {
    json!({"type": ["string", "null"]})
}

pub(super) fn moment() -> Value {
    json!({"type": "string", "format": "date-time"})
}

pub(super) fn object(required: &[&str], properties: Value) -> Value {
    json!({"type": "object", "required": required, "properties": properties})
}

pub(super) fn page(name: &str, item: &str) -> Value {
    object(
        &[name, "next", "position"],
        json!({
            name: {"type": "array", "items": reference(item)},
            "next": {"type": ["string", "null"], "description": "Where the next page begins; null at the end"},
            "position": {"type": "integer", "description": "The answer includes everything up to here"}
        }),
    )
}

/// Events and where they stand.
fn events() -> Value {
    let mut event_page = page("events", "Event");
    event_page["properties"]["scanned_to"] = number();
    json!({
        "Event": event(),
        "Appended": object(&["appended"], json!({"appended": {"type": "array", "items": object(
            &["id", "subject", "sequence", "position", "duplicate"],
            json!({"id": text(), "subject": text(), "sequence": number(), "position": number(), "duplicate": {"type": "boolean"}})
        )}})),
        "EventPage": event_page
    })
}

/// Streams and their histories.
fn streams() -> Value {
    let end = || object(&["position", "time"], json!({"position": number(), "time": moment()}));
    json!({
        "Stream": object(&["stream", "category", "id", "sequence", "first", "last", "phase"], json!({
            "stream": text(), "category": text(), "id": text(), "sequence": number(), "first": end(), "last": end(), "phase": maybe()
        })),
        "StreamPage": page("streams", "Stream"),
        "Entry": object(&["position", "sequence", "id", "time", "type", "summary"], json!({
            "position": number(), "sequence": number(), "id": text(), "time": moment(), "type": text(),
            "actortype": maybe(), "actorid": maybe(), "severity": maybe(), "summary": text()
        })),
        "Timeline": page("entries", "Entry")
    })
}

/// Schemas of event types.
fn schema_registry() -> Value {
    json!({
        "Registration": object(&["type", "version", "schema"], json!({
            "type": text(), "version": text(), "schema": {"type": "object"}, "meaning": text(),
            "severity": {"enum": tacho_event::attribute::SEVERITIES}, "declared_by": text(), "example": {},
            "upcast": {"type": "array", "description": "Steps that make a payload of the version before one of this"}
        })),
        "SchemaReceipt": object(&["type", "version", "position", "duplicate"], json!({
            "type": text(), "version": text(), "position": {"type": ["integer", "null"]}, "duplicate": {"type": "boolean"}
        })),
        "Schema": object(&["type", "version", "dataschema"], json!({
            "type": text(), "version": text(), "dataschema": text(), "meaning": text(), "severity": maybe(),
            "declared_by": maybe(), "position": {"type": ["integer", "null"]}, "example": {}, "schema": {"type": "object"}
        })),
        "SchemaList": object(&["schemas", "validity"], json!({
            "schemas": {"type": "array", "items": reference("Schema")},
            "validity": {
                "type": "object",
                "description": "Events that came in since the start; the share of the valid among those with a schema",
                "additionalProperties": {"type": ["number", "null"]}
            }
        })),
        "SchemaVersions": object(&["type", "versions"], json!({
            "type": text(), "versions": {"type": "array", "items": reference("Schema")}
        }))
    })
}

/// Key figures, money, alerts.
fn figures_and_alerts() -> Value {
    json!({
        "AlertRules": object(&["rules", "anomalies"], json!({"anomalies": {
            "type": "array", "items": {"type": "object"}, "description": "Payloads of the last hour, the newest first"
        }, "rules": {"type": "array", "items": object(
            &["condition", "metric", "operator", "threshold", "current_value", "state", "action", "message"],
            json!({
                "condition": text(), "metric": text(), "operator": text(), "threshold": {"type": "number"},
                "current_value": {"type": ["number", "null"]}, "state": {"enum": ["ok", "firing", "no_data"]},
                "action": {"enum": ["notify_admin", "warn_user"]}, "message": text(), "window_seconds": number(),
                "fired_at": {"type": ["string", "null"], "format": "date-time"}
            })
        )}})),
        "AlertPage": page("alerts", "Event"),
        "Waits": object(&["waits"], json!({"waits": {"type": "array", "items": reference("Wait")}})),
        "Wait": object(&["id", "kind", "state", "since", "position", "stream", "asks"], json!({
            "id": text(), "kind": {"enum": ["escalation", "permission", "question"]},
            "state": {"enum": ["open", "acknowledged", "answered", "resolved", "over"]}, "since": moment(),
            "position": number(), "stream": text(), "session": maybe(), "agent": maybe(), "task": maybe(),
            "asks": text(), "priority": maybe(),
            "acknowledged": {"type": ["object", "null"], "description": "`by`, `at`, `said`"},
            "ended": {"type": ["object", "null"], "description": "The answer or the resolution: `by`, `at`, `said`"}
        })),
        "Deed": object(&["changed", "wait"], json!({"changed": {"type": "boolean"}, "wait": reference("Wait")})),
        "DeedRequest": object(&[], json!({
            "by": {"type": "string", "description": "Who does it; `user` without it"},
            "note": {"type": "string", "description": "For acknowledge and resolve"},
            "answer": {"type": "string", "description": "For answer, where it must be there"}
        })),
        "PageRequest": object(&[], json!({"path": {"type": "string", "description": "Such as /handlers; `/` without it"}})),
        "Ticket": object(&["ticket", "path"], json!({
            "ticket": text(), "path": {"type": "string", "description": "What the browser is to ask of this server"}
        })),
        "AlertTest": object(&["told"], json!({"told": {"const": true}})),
        "Metrics": figures(),
        "Costs": object(&["by", "cost_usd", "requests", "unpriced_requests", "rows", "position"], json!({
            "by": text(), "cost_usd": {"type": ["number", "null"]}, "requests": number(), "unpriced_requests": number(),
            "input_tokens": number(), "output_tokens": number(), "cache_read_tokens": number(),
            "cache_creation_tokens": number(), "position": number(),
            "rows": {"type": "array", "items": {"type": "object", "description": "As the whole, with the name under what `by` says; by `model,day` both"}}
        }))
    })
}

/// The server itself, and its refusals.
fn server() -> Value {
    let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    json!({
        "Exported": object(&[], json!({"partialSuccess": {"type": "object"}})),
        "Rebuilt": object(&["head", "position"], json!({"head": number(), "position": number()})),
        "Health": object(&["status"], json!({"status": {"const": "ok"}})),
        "Readiness": object(&["status", "log", "head", "position"], json!({
            "status": {"const": "ready"}, "log": {"type": "string", "format": "uuid"}, "head": number(), "position": number()
        })),
        "Problem": object(&["type", "title", "status", "code", "detail"], json!({
            "type": text(), "title": text(), "status": number(), "code": {"type": "string", "enum": codes}, "detail": text(),
            "expected": {"description": "What was expected, or the limit"}, "actual": {"description": "What was found"},
            "index": {"type": "integer", "description": "Which event of the batch, from 0"}
        }))
    })
}

/// Every figure is null without data.
fn figures() -> Value {
    let shares = |figure: AgentFigure| {
        let numbers = json!({"type": "number"});
        json!({"type": "object", "additionalProperties": numbers, "description": figure.help})
    };
    let number = |figure: Figure| json!({"type": ["number", "null"], "description": figure.help});
    let mut properties = Map::new();
    properties.extend(FIGURES.map(|figure| (figure.name.to_owned(), number(figure))));
    properties.extend(AGENT_FIGURES.map(|figure| (figure.name.to_owned(), shares(figure))));
    properties.insert("window_seconds".into(), json!({"type": "number"}));
    properties.insert("models".into(), json!({"type": "object"}));
    properties.insert("trend".into(), json!({"type": "array", "items": {"type": "object"}}));
    properties.insert("position".into(), json!({"type": "integer"}));
    json!({"type": "object", "required": ["window_seconds", "agent_utilization", "position"], "properties": properties})
}

/// CloudEvents 1.0 structured JSON with the extensions that have a meaning here.
fn event() -> Value {
    let mut properties = Map::new();
    let texts = [
        "specversion",
        "id",
        "source",
        "type",
        "subject",
        "datacontenttype",
        "dataschema",
        "data_base64",
        "traceparent",
        "tracestate",
        "correlationid",
        "causationid",
        "sequence",
        "sessionid",
        "actortype",
        "actorid",
        "actormodel",
        "gitsha",
        "branch",
        "codebasestate",
        "contextid",
        "originsequence",
        "origintraceparent",
    ];
    properties.extend(texts.map(|name| (name.to_owned(), json!({"type": "string"}))));
    properties.insert("time".into(), json!({"type": "string", "format": "date-time"}));
    properties
        .insert("recordedtime".into(), json!({"type": "string", "format": "date-time", "readOnly": true}));
    properties.insert("position".into(), json!({"type": "integer", "readOnly": true}));
    properties["sequence"]["readOnly"] = json!(true);
    properties.insert("hops".into(), json!({"type": "integer"}));
    properties.insert("priority".into(), json!({"enum": tacho_event::attribute::PRIORITIES}));
    properties.insert("severity".into(), json!({"enum": tacho_event::attribute::SEVERITIES}));
    properties.insert("data".into(), json!({"description": "The payload; any JSON"}));
    json!({
        "type": "object",
        "required": ["specversion", "id", "source", "type"],
        "properties": properties,
        "additionalProperties": {"type": ["string", "number", "boolean"]}
    })
}
