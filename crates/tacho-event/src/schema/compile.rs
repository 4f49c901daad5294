//! From the text of a schema to something that validates, with bounds on both.

use super::subschema;
use crate::json::{self, JsonError};
use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, PatternOptions, ValidationError, Validator};
use serde_json::{Map, Value};
use thiserror::Error;

/// Largest schema, in bytes of its minified text.
pub const MAX_SCHEMA_BYTES: usize = 64 * 1024;
/// How deep schemas may stand inside each other, references followed.
pub const MAX_SCHEMA_DEPTH: usize = 32;
/// Most schemas inside a schema, counted once for each way that references lead there. No value of a
/// payload is looked at more often than this.
pub const MAX_SUBSCHEMAS: usize = 4096;
/// How deep schemas with `unevaluatedProperties` or `unevaluatedItems` may stand inside each other: each
/// level looks through the ones below it several times.
pub const MAX_UNEVALUATED_DEPTH: usize = 3;
/// Most regular expressions in a schema.
pub const MAX_PATTERNS: usize = 64;
/// Largest regular expression, in bytes of its compiled form.
pub const MAX_PATTERN_BYTES: usize = 1024 * 1024;

/// Why a schema cannot be used.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum UnusableSchema {
    #[error("the schema is {0} bytes, the limit is {MAX_SCHEMA_BYTES}")]
    TooLarge(usize),
    #[error("the schema is not JSON: {0}")]
    Json(#[from] JsonError),
    #[error(
        "the schema nests deeper than {MAX_SCHEMA_DEPTH} at {0}: a payload's schema must be finite, so a `$ref` may not lead back to where it stands"
    )]
    TooDeep(String),
    #[error(
        "the schema holds more than {MAX_SUBSCHEMAS} schemas, counting each use of a `$ref`: simplify it"
    )]
    TooMany,
    #[error("the schema holds more than {MAX_PATTERNS} regular expressions: use `enum` or fewer of them")]
    TooManyPatterns,
    #[error(
        "the regular expression at {at} cannot be used: write it without look-around and back references, and smaller than {MAX_PATTERN_BYTES} bytes when compiled"
    )]
    Pattern { at: String },
    #[error("`{keyword}` at {at} cannot be used: {instead}")]
    Keyword { at: String, keyword: &'static str, instead: &'static str },
    #[error(
        "`$ref` at {at} names nothing: {reference:?} must be a JSON Pointer into the schema, like #/$defs/x"
    )]
    Reference { at: String, reference: String },
    #[error(
        "`unevaluatedProperties` and `unevaluatedItems` nest deeper than {MAX_UNEVALUATED_DEPTH} at {0}: use `additionalProperties` or `items`"
    )]
    Unevaluated(String),
    #[error("the schema is not JSON Schema 2020-12: {what}, at {at}")]
    Invalid { at: String, what: String },
}

/// Checks a foreign schema and returns it minified.
pub fn checked(schema: &[u8]) -> Result<Box<[u8]>, UnusableSchema> {
    // White space may go, but not make the work unbounded.
    if schema.len() > 4 * MAX_SCHEMA_BYTES {
        return Err(UnusableSchema::TooLarge(schema.len()));
    }
    let mut minified = Vec::new();
    json::minify(schema, json::DEFAULT_DEPTH, &mut minified)?;
    if minified.len() > MAX_SCHEMA_BYTES {
        return Err(UnusableSchema::TooLarge(minified.len()));
    }
    compile(&minified)?;
    Ok(minified.into())
}

/// Compiles a minified schema. Nothing is fetched; regular expressions run in linear time, so they have
/// neither look-around nor back references; `format` is not checked, as 2020-12 has it.
pub fn compile(minified: &[u8]) -> Result<Validator, UnusableSchema> {
    if minified.len() > MAX_SCHEMA_BYTES {
        return Err(UnusableSchema::TooLarge(minified.len()));
    }
    let schema = json::to_value(minified);
    Walk { root: &schema, schemas: 0, patterns: 0, unevaluated: 0 }.visit(&schema, "#", 0)?;
    let patterns = PatternOptions::regex().size_limit(MAX_PATTERN_BYTES).dfa_size_limit(MAX_PATTERN_BYTES);
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .with_pattern_options(patterns)
        .offline()
        .build(&schema)
        .map_err(|error| invalid(&error))
}

fn invalid(error: &ValidationError<'_>) -> UnusableSchema {
    let at = super::violation::shortened(format!("#{}", error.instance_path()));
    match error.kind() {
        ValidationErrorKind::Format { format } if format == "regex" => UnusableSchema::Pattern { at },
        _ => UnusableSchema::Invalid { at, what: super::violation::shortened(error.to_string()) },
    }
}

/// Walks a schema as validation would, references followed.
struct Walk<'a> {
    root: &'a Value,
    schemas: usize,
    patterns: usize,
    /// How many schemas around this one ask for what is unevaluated.
    unevaluated: usize,
}

impl<'a> Walk<'a> {
    fn visit(&mut self, schema: &'a Value, at: &str, depth: usize) -> Result<(), UnusableSchema> {
        self.schemas += 1;
        if self.schemas > MAX_SUBSCHEMAS {
            return Err(UnusableSchema::TooMany);
        }
        if depth > MAX_SCHEMA_DEPTH {
            return Err(UnusableSchema::TooDeep(super::violation::shortened(at.to_owned())));
        }
        let Value::Object(members) = schema else { return Ok(()) };
        check_keywords(members, at, depth)?;
        self.patterns += members.contains_key("pattern") as usize;
        self.patterns += members.get("patternProperties").and_then(Value::as_object).map_or(0, Map::len);
        if self.patterns > MAX_PATTERNS {
            return Err(UnusableSchema::TooManyPatterns);
        }
        let unevaluated = self.unevaluated;
        if ["unevaluatedItems", "unevaluatedProperties"].iter().any(|name| members.contains_key(*name)) {
            self.unevaluated += 1;
        }
        if self.unevaluated > MAX_UNEVALUATED_DEPTH {
            return Err(UnusableSchema::Unevaluated(super::violation::shortened(at.to_owned())));
        }
        self.visit_inner(members, at, depth)?;
        self.unevaluated = unevaluated;
        Ok(())
    }

    fn visit_inner(
        &mut self,
        members: &'a Map<String, Value>,
        at: &str,
        depth: usize,
    ) -> Result<(), UnusableSchema> {
        if let Some(reference) = members.get("$ref").and_then(Value::as_str) {
            let target = pointer(reference).and_then(|pointer| self.root.pointer(pointer));
            let target = target.ok_or_else(|| UnusableSchema::Reference {
                at: at.to_owned(),
                reference: super::violation::shortened(reference.to_owned()),
            })?;
            self.visit(target, reference, depth + 1)?;
        }
        subschema::for_each(members, |path, inner| self.visit(inner, &format!("{at}{path}"), depth + 1))
    }
}

/// The JSON Pointer of a reference into the same schema. One with percent-encoding is none: it would be
/// resolved to another place than the one that was checked.
fn pointer(reference: &str) -> Option<&str> {
    let pointer = reference.strip_prefix('#')?;
    let plain = !pointer.contains('%') && (pointer.is_empty() || pointer.starts_with('/'));
    plain.then_some(pointer)
}

fn check_keywords(members: &Map<String, Value>, at: &str, depth: usize) -> Result<(), UnusableSchema> {
    let refuse = |keyword, instead| Err(UnusableSchema::Keyword { at: at.to_owned(), keyword, instead });
    for keyword in ["$dynamicRef", "$recursiveRef"] {
        if members.contains_key(keyword) {
            return refuse(keyword, "use `$ref` with a JSON Pointer");
        }
    }
    if depth > 0 && members.contains_key("$id") {
        return refuse("$id", "only the whole schema has an identity, leave it out here");
    }
    let draft = members.get("$schema").and_then(Value::as_str).map(|draft| draft.trim_end_matches('#'));
    if draft.is_some_and(|draft| draft != "https://json-schema.org/draft/2020-12/schema") {
        return refuse("$schema", "use https://json-schema.org/draft/2020-12/schema");
    }
    Ok(())
}
