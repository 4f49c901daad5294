//! What lies between two schemas of one type: the version that comes next.

use super::subschema::without_annotations;
use crate::json;
use semver::Version;
use serde_json::{Map, Value};

/// How a schema differs from the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// Both accept the same payloads.
    None,
    /// Payloads of the old one still fit, as far as the members of the payload tell.
    Wider,
    /// A payload of the old one may not fit.
    Other,
}

/// Compares two minified schemas.
pub fn between(old: &[u8], new: &[u8]) -> Difference {
    let (old, new) = (without_annotations(&json::to_value(old)), without_annotations(&json::to_value(new)));
    if old == new {
        Difference::None
    } else if is_wider(&old, &new) {
        Difference::Wider
    } else {
        Difference::Other
    }
}

/// The version of a schema that differs so from the one of `latest`.
pub fn next_version(latest: &Version, difference: Difference) -> Option<Version> {
    match difference {
        Difference::None => None,
        Difference::Wider => Some(Version::new(latest.major, latest.minor + 1, 0)),
        Difference::Other => Some(Version::new(latest.major + 1, 0, 0)),
    }
}

/// Whether `new` only adds optional members, makes members optional or forgets them.
fn is_wider(old: &Value, new: &Value) -> bool {
    let (Value::Object(old), Value::Object(new)) = (old, new) else { return false };
    let other = |schema: &Map<String, Value>| -> Map<String, Value> {
        let kept = schema.iter().filter(|(name, _)| !matches!(name.as_str(), "properties" | "required"));
        kept.map(|(name, value)| (name.clone(), value.clone())).collect()
    };
    let properties = |schema: &Map<String, Value>| schema.get("properties").cloned().unwrap_or_default();
    let required = |schema: &Map<String, Value>| match schema.get("required") {
        Some(Value::Array(names)) => names.clone(),
        _ => Vec::new(),
    };
    let (old_properties, new_properties) = (properties(old), properties(new));
    let kept = |(name, schema): (&String, &Value)| new_properties.get(name).is_none_or(|new| new == schema);
    // A closed object refuses what it forgot.
    let is_open = !old.contains_key("additionalProperties") && !old.contains_key("unevaluatedProperties");
    is_open
        && other(old) == other(new)
        && old_properties.as_object().into_iter().flatten().all(kept)
        && required(new).iter().all(|name| required(old).contains(name))
}
