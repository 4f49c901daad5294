//! The OpenAPI 3.1 document, made from the table of routes.

use crate::intake::Format;
use crate::route::{Answers, Carries, Kind, Parameter, ROUTES, Route};
use serde_json::{Map, Value, json};
use tacho_event::Code;

/// The document, as it is served and, with a newline behind it, checked in.
pub fn document() -> String {
    let mut paths = Map::new();
    for route in ROUTES {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method] = operation(route);
    }
    let document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Tachograph",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Records every act of AI agents on a durable, tamper-evident log. Refusals are RFC 9457 \
                            problem details with a stable `code`."
        },
        "servers": [{"url": "http://127.0.0.1:3010"}],
        "paths": paths,
        "components": {"schemas": schemas(), "responses": {"Problem": {
            "description": "Refused; `code` says why",
            "content": {"application/problem+json": {"schema": reference("Problem")}}
        }}}
    });
    serde_json::to_string_pretty(&document).unwrap_or_default()
}

fn operation(route: &Route) -> Value {
    let (status, success) = match &route.response {
        Answers::Empty(status, description) => (status, json!({"description": description})),
        Answers::Plain(status, media_type, description) => (
            status,
            json!({"description": description, "content": {*media_type: {"schema": {"type": "string"}}}}),
        ),
        Answers::Json(status, schema, description) => (
            status,
            json!({"description": description, "content": {"application/json": {"schema": reference(schema)}}}),
        ),
    };
    let mut operation = json!({
        "summary": route.summary,
        "operationId": operation_id(route),
        "parameters": route.parameters.iter().flat_map(parameters).collect::<Vec<_>>(),
        "responses": {status.to_string(): success, "default": {"$ref": "#/components/responses/Problem"}}
    });
    if let Some(carries) = &route.request {
        operation["requestBody"] = request_body(carries);
    }
    operation
}

/// `get /api/streams/{category}/{id}` → `get_api_streams_category_id`.
fn operation_id(route: &Route) -> String {
    let words = route.path.split(['/', '{', '}', '.', '-']).filter(|word| !word.is_empty());
    let mut id = route.method.to_owned();
    for word in words {
        id.push('_');
        id.push_str(word);
    }
    id
}

fn parameters(parameter: &Parameter) -> Vec<Value> {
    let one = |place: &str, name: &str, schema: Value, description: &str| json!({"name": name, "in": place, "required": place == "path", "description": description, "schema": schema});
    let text = || json!({"type": "string"});
    match parameter {
        Parameter::Query(name, kind, description) => vec![one("query", name, schema_of(*kind), description)],
        Parameter::Path(name, description) => vec![one("path", name, text(), description)],
        Parameter::Header(name, description) => vec![one("header", name, text(), description)],
        Parameter::Filters => FILTERS
            .iter()
            .map(|(name, description)| {
                let schema = match *name {
                    "type" => json!({"type": "array", "items": {"type": "string"}}),
                    "system" => schema_of(Kind::Switch),
                    _ => text(),
                };
                one("query", name, schema, description)
            })
            .collect(),
    }
}

const FILTERS: [(&str, &str); 15] = [
    ("type", "Event types; `*` matches any run of characters; may be given several times"),
    ("stream", "The stream, such as issue/PROJ-1; may hold `*`"),
    ("source", "The producer; may hold `*`"),
    ("session", "The session's id"),
    ("agent", "The actor's id"),
    ("actor", "TYPE, TYPE:ID or an id"),
    ("phase", "The payload's phase, else the one that the stream is in"),
    ("correlation", "The correlation id"),
    ("trace", "The trace id, 32 hex digits"),
    ("id", "The event's id"),
    ("since", "Not before this moment: RFC 3339, 14:00 (UTC), yesterday, last week, 2h"),
    ("until", "Before this moment"),
    ("search", "Words that all occur in type, actor or payload; a word may end in `*`"),
    ("where", "A jq expression that must hold for the event"),
    ("system", "Bookkeeping too"),
];

fn schema_of(kind: Kind) -> Value {
    match kind {
        Kind::Text => json!({"type": "string"}),
        Kind::Number => json!({"type": "integer", "minimum": 0}),
        Kind::Switch => json!({"type": "boolean", "default": false}),
        Kind::Format => json!({"type": "string", "enum": Format::ALL.map(Format::name)}),
    }
}

fn request_body(carries: &Carries) -> Value {
    let object = || json!({"schema": {"type": "object"}});
    match carries {
        Carries::Registration => {
            json!({"required": true, "content": {"application/json": {"schema": reference("Registration")}}})
        }
        Carries::HookPayload => json!({"required": true, "content": {"application/json": object()}}),
        Carries::Telemetry(message) => {
            let protobuf = format!("opentelemetry-proto's {message}");
            json!({"required": true, "content": {
                "application/x-protobuf": {"schema": {"type": "string", "format": "binary", "description": protobuf}},
                "application/json": object()
            }})
        }
        Carries::Events => {
            let event = || json!({"schema": reference("Event")});
            let batch = json!({"schema": {"type": "array", "items": reference("Event"), "maxItems": 1000}});
            json!({"required": true, "content": {
                "application/json": {"schema": {"oneOf": [
                    reference("Event"), {"type": "object"}, {"type": "array", "items": {"type": "object"}}
                ]}},
                "application/cloudevents+json": event(),
                "application/cloudevents-batch+json": batch,
                "application/x-ndjson": {"schema": {"type": "string"}}
            }})
        }
    }
}

fn reference(schema: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{schema}")})
}

fn schemas() -> Value {
    let number = || json!({"type": "integer", "minimum": 0});
    let text = || json!({"type": "string"});
    let maybe = || json!({"type": ["string", "null"]});
    let moment = || json!({"type": "string", "format": "date-time"});
    let object = |required: &[&str], properties: Value| json!({"type": "object", "required": required, "properties": properties});
    let page = |name: &str, item: &str| {
        object(
            &[name, "next", "position"],
            json!({
                name: {"type": "array", "items": reference(item)},
                "next": {"type": ["string", "null"], "description": "Where the next page begins; null at the end"},
                "position": {"type": "integer", "description": "The answer includes everything up to here"}
            }),
        )
    };
    let mut event_page = page("events", "Event");
    event_page["properties"]["scanned_to"] = number();
    let end = || object(&["position", "time"], json!({"position": number(), "time": moment()}));
    let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    json!({
        "Event": event(),
        "Appended": object(&["appended"], json!({"appended": {"type": "array", "items": object(
            &["id", "subject", "sequence", "position", "duplicate"],
            json!({"id": text(), "subject": text(), "sequence": number(), "position": number(), "duplicate": {"type": "boolean"}})
        )}})),
        "EventPage": event_page,
        "Stream": object(&["stream", "category", "id", "sequence", "first", "last", "phase"], json!({
            "stream": text(), "category": text(), "id": text(), "sequence": number(), "first": end(), "last": end(), "phase": maybe()
        })),
        "StreamPage": page("streams", "Stream"),
        "Entry": object(&["position", "sequence", "id", "time", "type", "summary"], json!({
            "position": number(), "sequence": number(), "id": text(), "time": moment(), "type": text(),
            "actortype": maybe(), "actorid": maybe(), "severity": maybe(), "summary": text()
        })),
        "Timeline": page("entries", "Entry"),
        "Registration": object(&["type", "version", "schema"], json!({
            "type": text(), "version": text(), "schema": {"type": "object"}, "meaning": text(),
            "severity": {"enum": tacho_event::attribute::SEVERITIES}, "declared_by": text(), "example": {}
        })),
        "AlertRules": object(&["rules"], json!({"rules": {"type": "array", "items": object(
            &["condition", "metric", "operator", "threshold", "current_value", "state", "action", "message"],
            json!({
                "condition": text(), "metric": text(), "operator": text(), "threshold": {"type": "number"},
                "current_value": {"type": ["number", "null"]}, "state": {"enum": ["ok", "firing", "no_data"]},
                "action": {"enum": ["notify_admin", "warn_user"]}, "message": text(), "window_seconds": number(),
                "fired_at": {"type": ["string", "null"], "format": "date-time"}
            })
        )}})),
        "AlertPage": page("alerts", "Event"),
        "AlertTest": object(&["told"], json!({"told": {"const": true}})),
        "Metrics": figures(),
        "Costs": object(&["by", "cost_usd", "requests", "unpriced_requests", "rows", "position"], json!({
            "by": text(), "cost_usd": {"type": ["number", "null"]}, "requests": number(), "unpriced_requests": number(),
            "input_tokens": number(), "output_tokens": number(), "cache_read_tokens": number(),
            "cache_creation_tokens": number(), "position": number(),
            "rows": {"type": "array", "items": {"type": "object", "description": "As the whole, with the name under what `by` says"}}
        })),
        "SchemaReceipt": object(&["type", "version", "position", "duplicate"], json!({
            "type": text(), "version": text(), "position": {"type": ["integer", "null"]}, "duplicate": {"type": "boolean"}
        })),
        "Schema": object(&["type", "version", "dataschema"], json!({
            "type": text(), "version": text(), "dataschema": text(), "meaning": text(), "severity": maybe(),
            "declared_by": maybe(), "position": {"type": ["integer", "null"]}, "example": {}, "schema": {"type": "object"}
        })),
        "SchemaList": object(&["schemas"], json!({"schemas": {"type": "array", "items": reference("Schema")}})),
        "SchemaVersions": object(&["type", "versions"], json!({
            "type": text(), "versions": {"type": "array", "items": reference("Schema")}
        })),
        "Exported": object(&[], json!({"partialSuccess": {"type": "object"}})),
        "Handler": handler(),
        "HandlerList": object(&["handlers"], json!({"handlers": {"type": "array", "items": reference("Handler")}})),
        "DeadLetter": dead_letter(),
        "DeadLetterPage": page("dead_letters", "DeadLetter"),
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
    let shares =
        json!({"type": "object", "additionalProperties": {"type": "number"}, "description": "By agent"});
    let rates = [
        "cost_per_feature",
        "average_retry_count",
        "critic_rejection_rate",
        "validation_pass_rate",
        "time_to_completion_seconds",
        "failure_rate",
        "cost_usd",
    ];
    let mut properties = Map::new();
    properties.extend(rates.map(|name| (name.to_owned(), json!({"type": ["number", "null"]}))));
    properties.insert("window_seconds".into(), json!({"type": "number"}));
    properties.insert("agent_utilization".into(), shares.clone());
    properties.insert("agent_busy".into(), shares);
    properties.insert("models".into(), json!({"type": "object"}));
    properties.insert("trend".into(), json!({"type": "array", "items": {"type": "object"}}));
    properties.insert("position".into(), json!({"type": "integer"}));
    json!({"type": "object", "required": ["window_seconds", "agent_utilization", "position"], "properties": properties})
}

/// What a handler gave up on.
fn dead_letter() -> Value {
    let text = || json!({"type": "string"});
    json!({
        "type": "object",
        "required": ["id", "handler", "attempts", "error", "event", "failedAt"],
        "properties": {
            "id": text(),
            "handler": text(),
            "attempts": {"type": "integer", "minimum": 1, "description": "The first one counted"},
            "error": {
                "type": "object", "required": ["message", "code"], "properties": {"message": text(), "code": text()}
            },
            "event": {"oneOf": [reference("Event"), {"type": "null"}]},
            "failedAt": {"type": "string", "format": "date-time"}
        }
    })
}

/// How far a handler is.
fn handler() -> Value {
    let number = |description: &str| json!({"type": "integer", "minimum": 0, "description": description});
    json!({
        "type": "object",
        "required": ["name", "kind", "state", "position", "head", "pending", "done", "dead", "skipped", "breaker"],
        "properties": {
            "name": {"type": "string"},
            "kind": {"type": "string"},
            "state": {"enum": ["running", "paused", "broken"], "description": "broken: several attempts in a row failed"},
            "position": number("Everything up to here is settled"),
            "head": number("The log's last position"),
            "pending": number("Events that are meant and wait"),
            "done": number("Events delivered since its start"),
            "dead": number("Events given up on"),
            "skipped": number("Events that were there already"),
            "rate_per_second": {"type": "number", "description": "Events delivered a second, of late"},
            "attempt": number("Attempts in a row that failed"),
            "last_error": {"type": ["string", "null"]},
            "next_attempt": {"type": ["string", "null"], "format": "date-time"},
            "breaker": {"enum": ["closed", "open", "half_open"]}
        }
    })
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
