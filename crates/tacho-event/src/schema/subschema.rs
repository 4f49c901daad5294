//! Where schemas stand inside a schema (JSON Schema 2020-12, core, sections 10 and 11).

use serde_json::{Map, Value};

/// Keywords whose value is a schema.
const ONE: &[&str] = &[
    "additionalProperties",
    "contains",
    "contentSchema",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
];
/// Keywords whose value is an array of schemas.
const ARRAY: &[&str] = &["allOf", "anyOf", "oneOf", "prefixItems"];
/// Keywords whose value is an object of schemas that take part in validation. `dependencies` is older
/// than 2020-12, and its values may also be arrays.
const MAP: &[&str] = &["dependencies", "dependentSchemas", "patternProperties", "properties"];
/// Keywords whose value is an object of schemas that take part only where a `$ref` names them.
const DEFINITIONS: &[&str] = &["$defs", "definitions"];

/// Calls `visit` with each schema directly below `schema` that takes part in validation, and with the
/// JSON Pointer to it from there.
pub fn for_each<'a, E>(
    schema: &'a Map<String, Value>,
    mut visit: impl FnMut(String, &'a Value) -> Result<(), E>,
) -> Result<(), E> {
    for (keyword, value) in schema {
        let keyword = keyword.as_str();
        match value {
            Value::Array(items) if ARRAY.contains(&keyword) => {
                for (index, item) in items.iter().enumerate() {
                    visit(format!("/{keyword}/{index}"), item)?;
                }
            }
            Value::Object(members) if MAP.contains(&keyword) => {
                for (name, member) in members {
                    visit(format!("/{keyword}/{}", escaped(name)), member)?;
                }
            }
            _ if ONE.contains(&keyword) => visit(format!("/{keyword}"), value)?,
            _ => {}
        }
    }
    Ok(())
}

/// The schema without what only explains: two schemas that are equal so accept the same payloads.
pub fn without_annotations(schema: &Value) -> Value {
    let Value::Object(members) = schema else { return schema.clone() };
    let explains = |keyword: &str| {
        matches!(keyword, "$comment" | "$schema" | "$id" | "title" | "description" | "examples" | "default")
    };
    let stripped = members.iter().filter(|(keyword, _)| !explains(keyword)).map(|(keyword, value)| {
        let name = keyword.as_str();
        let value = match value {
            Value::Array(items) if ARRAY.contains(&name) => items.iter().map(without_annotations).collect(),
            Value::Object(inner) if MAP.contains(&name) || DEFINITIONS.contains(&name) => {
                let strip = |(name, value): (&String, _)| (name.clone(), without_annotations(value));
                Value::Object(inner.iter().map(strip).collect())
            }
            _ if ONE.contains(&name) => without_annotations(value),
            _ => value.clone(),
        };
        (keyword.clone(), value)
    });
    Value::Object(stripped.collect())
}

/// One token of a JSON Pointer (RFC 6901).
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
