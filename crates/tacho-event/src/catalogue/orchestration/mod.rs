//! The types of an issue-driven orchestration, whose payload is the record's `metadata`. Required is what a
//! projection reads in any case; whatever else is known may be left out, and may be null.

pub mod agent;
pub mod lifecycle;
pub mod outside;
pub mod quality;
pub mod recovery;

use super::{Entry, Origin};
use crate::schema::{Field, Severity, ValueKind};

/// The phases of an orchestration, in their order.
pub const PHASES: &[&str] = &["EXPLORE", "PLAN", "CODE", "TEST", "FIX", "DOCUMENT"];

/// How bad a gap is, the worst first: other words than those of an event's own severity.
const GAP_SEVERITIES: &[&str] = &["critical", "high", "medium", "low"];

const fn of(
    kind: &'static str,
    severity: Severity,
    meaning: &'static str,
    fields: &'static [Field<'static>],
    example: &'static str,
) -> Entry {
    Entry::new(kind, Origin::Orchestration, meaning, fields, example).with_severity(severity)
}

const fn required(name: &'static str, kind: ValueKind) -> Field<'static> {
    Field::required(name, kind)
}

/// A field that may be left out or null.
const fn maybe(name: &'static str, kind: ValueKind) -> Field<'static> {
    Field::optional(name, kind).or_null()
}

const fn phase(name: &'static str) -> Field<'static> {
    Field::one_of(name, PHASES)
}

const fn maybe_phase(name: &'static str) -> Field<'static> {
    maybe(name, ValueKind::String).among(PHASES)
}
