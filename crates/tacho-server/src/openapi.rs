//! The OpenAPI 3.1 document, made from the table of routes.

mod shape;

use crate::intake::Format;
use crate::route::{Answers, Carries, Kind, Parameter, Route, all};
use serde_json::{Map, Value, json};
use shape::{reference, schemas};

/// The document, as it is served and, with a newline behind it, checked in.
pub fn document() -> String {
    let mut paths = Map::new();
    for route in all() {
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

const FILTERS: [(&str, &str); 16] = [
    ("type", "Event types; `*` matches any run of characters; may be given several times"),
    ("stream", "The stream, such as issue/PROJ-1; may hold `*`"),
    ("source", "The producer; may hold `*`"),
    ("session", "The session's id"),
    ("agent", "The actor's id"),
    ("actor", "TYPE, TYPE:ID or an id"),
    ("phase", "The payload's phase, else the one that the stream is in"),
    ("correlation", "The correlation id"),
    ("causation", "The id of the event that caused it, as the event names it"),
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
        Carries::Supposition => {
            json!({"required": true, "content": {"application/json": {"schema": reference("Supposition")}}})
        }
        Carries::Deed => {
            json!({"required": true, "content": {"application/json": {"schema": reference("DeedRequest")}}})
        }
        Carries::Order => {
            json!({"required": true, "content": {"application/json": {"schema": reference("Order")}}})
        }
        Carries::RegistryRequest => {
            json!({"required": true, "content": {"application/json": {"schema": reference("RegistryRequest")}}})
        }
        Carries::Page => {
            json!({"required": false, "content": {"application/json": {"schema": reference("PageRequest")}}})
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
