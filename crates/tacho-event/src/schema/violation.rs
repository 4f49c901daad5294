//! How a payload breaks its schema, in words that name the place and what was expected.

use crate::{head, json};
use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::{ValidationError, Validator};
use semver::Version;
use serde_json::Value;
use std::fmt;

/// Most violations that are told of one payload.
pub const MAX_VIOLATIONS: usize = 10;
/// Longest path and longest text of a violation, in bytes: both hold foreign text.
const MAX_TEXT_BYTES: usize = 200;
/// Largest payload of which every violation is looked for, in bytes; of a larger one, the first. One
/// wrong element in each byte pair would else cost hundreds of times the payload's memory.
const MAX_SEARCHED_BYTES: usize = 64 * 1024;

/// Why a payload does not fit the schema of its type. Values are never repeated: they may be secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violations {
    pub kind: String,
    pub version: Version,
    /// At least one, at most [`MAX_VIOLATIONS`].
    pub list: Vec<Violation>,
    /// Whether there are more than those listed.
    pub more: bool,
}

/// One place where a payload does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// JSON Pointer (RFC 6901) into the payload; empty for the payload itself.
    pub path: String,
    /// What was expected there.
    pub expected: String,
}

/// Whether minified JSON fits; `None` is an event without a payload.
pub fn fits(validator: &Validator, data: Option<&[u8]>) -> bool {
    validator.is_valid(&data.map_or(Value::Null, json::to_value))
}

/// Validates minified JSON; `None` is an event without a payload.
pub fn find(validator: &Validator, data: Option<&[u8]>) -> Option<(Vec<Violation>, bool)> {
    let one =
        |expected: &str| Some((vec![Violation { path: String::new(), expected: expected.into() }], false));
    let value = data.map_or(Value::Null, json::to_value);
    if validator.is_valid(&value) {
        return None;
    }
    match data {
        None => return one("must be there: the event has no payload"),
        // The only texts that are JSON and no tree of values.
        Some(data) if value.is_null() && data != b"null" => {
            return one("must have no number beyond the range of a 64-bit float, and at most 127 levels");
        }
        Some(data) if data.len() > MAX_SEARCHED_BYTES => {
            let first = validator.validate(&value).err()?;
            return Some((vec![Violation::new(&first)], true));
        }
        Some(_) => {}
    }
    let mut errors = validator.iter_errors(&value);
    let list: Vec<_> = errors.by_ref().take(MAX_VIOLATIONS).map(|error| Violation::new(&error)).collect();
    Some((list, errors.next().is_some()))
}

impl Violation {
    fn new(error: &ValidationError<'_>) -> Self {
        let path = shortened(error.instance_path().to_string());
        Self { path, expected: shortened(expected(error)) }
    }
}

fn expected(error: &ValidationError<'_>) -> String {
    match error.kind() {
        Kind::Type { kind } => {
            let types = match kind {
                TypeKind::Single(kind) => kind.to_string(),
                TypeKind::Multiple(kinds) => {
                    kinds.iter().map(|kind| kind.to_string()).collect::<Vec<_>>().join(" or ")
                }
            };
            format!("must be {types}, but is {}", name_of(error.instance()))
        }
        Kind::Required { property } => format!("must have the member {property}"),
        Kind::Enum { options } => {
            let options = options.as_array().map(Vec::as_slice).unwrap_or_default();
            let options: Vec<_> = options.iter().map(ToString::to_string).collect();
            format!("must be one of {}", options.join(", "))
        }
        Kind::Constant { expected_value } => format!("must be {expected_value}"),
        Kind::Pattern { pattern } => format!("must match {pattern:?}"),
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            let unexpected: Vec<_> = unexpected.iter().map(|name| format!("{name:?}")).collect();
            format!("must not have the members {}", unexpected.join(", "))
        }
        Kind::AnyOf { .. } | Kind::OneOfNotValid { .. } => "must fit one of the allowed forms".to_owned(),
        Kind::OneOfMultipleValid { .. } => "must fit only one of the allowed forms".to_owned(),
        Kind::Not { .. } => "must not fit the forbidden form".to_owned(),
        Kind::FalseSchema => "must not be there".to_owned(),
        _ => error.masked_with("the value").to_string(),
    }
}

fn name_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Cuts foreign text to [`MAX_TEXT_BYTES`].
pub fn shortened(mut text: String) -> String {
    if text.len() > MAX_TEXT_BYTES {
        text.truncate(head(&text, MAX_TEXT_BYTES).len());
        text.push('…');
    }
    text
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "the payload" } else { &self.path };
        write!(formatter, "{path} {}", self.expected)
    }
}

impl fmt::Display for Violations {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the payload does not fit the schema of `{}` {}", self.kind, self.version)?;
        for (index, violation) in self.list.iter().enumerate() {
            write!(formatter, "{}{violation}", if index == 0 { ": " } else { "; " })?;
        }
        formatter.write_str(if self.more { "; and more" } else { "" })
    }
}

impl std::error::Error for Violations {}
