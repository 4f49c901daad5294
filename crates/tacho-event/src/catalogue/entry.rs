//! One type of the catalogue.

use super::VERSION;
use crate::schema::{Field, Registration, Severity, object_schema};

/// One event type, or all that a pattern with `*` matches.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    pub kind: &'static str,
    pub origin: Origin,
    /// What it means that such an event happened: one line.
    pub meaning: &'static str,
    /// The severity of such events that name none.
    pub severity: Option<Severity>,
    pub fields: &'static [Field<'static>],
    /// A payload that fits the schema: minified JSON.
    pub example: &'static str,
    /// The field of the payload that names the phase in which it happened, or which it is about.
    pub phase_field: Option<&'static str>,
    /// The field of the payload that names the agent that did it, or that it is about.
    pub agent_field: Option<&'static str>,
    /// Whether a replay may do it again. What acted on the world outside, what a person did and what only tells
    /// that something happened elsewhere is skipped.
    pub is_replayable: bool,
    /// The projections that look at such events; the timeline looks at all.
    pub read_by: &'static [&'static str],
}

/// Who emits events of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Origin {
    /// Tachograph itself.
    Tachograph,
    /// A hook of Claude Code.
    ClaudeCode,
    /// A hook of Codex.
    Codex,
    /// Telemetry over OTLP: Claude Code's, or any program's.
    Telemetry,
    /// A multi-agent test factory, over its event line.
    Factory,
    /// A tool server, or an agent that shares memory and registry with others.
    Bus,
    /// An agent, by markers that it declares.
    Agent,
    /// An issue-driven orchestration.
    Orchestration,
}

impl Origin {
    /// In the order of the reference page.
    pub const ALL: [Self; 8] = [
        Self::Orchestration,
        Self::Factory,
        Self::Bus,
        Self::Agent,
        Self::ClaudeCode,
        Self::Codex,
        Self::Telemetry,
        Self::Tachograph,
    ];

    /// As the reference names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tachograph => "tachograph",
            Self::ClaudeCode => "claude-code",
            Self::Codex => "codex",
            Self::Telemetry => "telemetry",
            Self::Factory => "factory",
            Self::Bus => "bus",
            Self::Agent => "agent",
            Self::Orchestration => "orchestration",
        }
    }
}

impl Entry {
    /// A type that may be replayed and that no projection but the timeline reads.
    pub(super) const fn new(
        kind: &'static str,
        origin: Origin,
        meaning: &'static str,
        fields: &'static [Field<'static>],
        example: &'static str,
    ) -> Self {
        Self {
            kind,
            origin,
            meaning,
            severity: None,
            fields,
            example,
            phase_field: None,
            agent_field: None,
            is_replayable: true,
            read_by: &[],
        }
    }

    pub(super) const fn with_severity(self, severity: Severity) -> Self {
        Self { severity: Some(severity), ..self }
    }

    pub(super) const fn with_phase(self, field: &'static str) -> Self {
        Self { phase_field: Some(field), ..self }
    }

    pub(super) const fn with_agent(self, field: &'static str) -> Self {
        Self { agent_field: Some(field), ..self }
    }

    /// It is not to be repeated by a replay.
    pub(super) const fn once(self) -> Self {
        Self { is_replayable: false, ..self }
    }

    pub(super) const fn read_by(self, projections: &'static [&'static str]) -> Self {
        Self { read_by: projections, ..self }
    }

    /// The JSON Schema of the payload, minified.
    pub fn schema(&self) -> Box<[u8]> {
        object_schema(self.fields)
    }

    /// The entry as the registry holds it.
    pub fn registration(&self) -> Registration {
        Registration {
            kind: self.kind.to_owned(),
            version: VERSION,
            schema: self.schema(),
            meaning: self.meaning.to_owned(),
            severity: self.severity,
            declared_by: None,
            example: Some(self.example.as_bytes().into()),
            upcast: None,
        }
    }
}
