//! A schema on its way into the registry, and the payload of `tacho.schema_registered`.

use super::compile::{self, UnusableSchema};
use super::upcast::Upcast;
use super::violation::Violations;
use crate::event::MAX_TYPE_BYTES;
use crate::json::{self, Kind};
use semver::Version;
use thiserror::Error;

/// Longest meaning, in bytes.
pub const MAX_MEANING_BYTES: usize = 2000;

/// What someone says about an event type, or about all types that a pattern with `*` matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// The event type, or a pattern like `tool.*.completed`.
    pub kind: String,
    pub version: Version,
    /// JSON Schema 2020-12 of the payload, minified once it is registered.
    pub schema: Box<[u8]>,
    /// What it means that such an event happened, in a line or a few.
    pub meaning: String,
    /// The severity of such events that name none.
    pub severity: Option<Severity>,
    /// The agent that declares it.
    pub declared_by: Option<String>,
    /// A payload that fits, as JSON.
    pub example: Option<Box<[u8]>>,
    /// How a payload of the version before becomes one of this: the steps of an [`Upcast`], as JSON.
    pub upcast: Option<Box<[u8]>>,
}

/// How much an event asks for attention: the attribute `severity`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    Info,
    Warning,
    Error,
}

/// Why a registration is refused.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum RegistrationError {
    #[error(
        "{0:?} names no event type: use 1 to {MAX_TYPE_BYTES} bytes without control characters, not of `*` alone"
    )]
    Type(String),
    #[error("{0:?} is reserved: only Tachograph itself defines types `tacho.*`")]
    Reserved(String),
    #[error("{0:?} is no version: use three numbers like 1.0.0 (semver), without build metadata")]
    Version(String),
    #[error(transparent)]
    Unusable(#[from] UnusableSchema),
    #[error("the meaning of `{0}` is longer than {MAX_MEANING_BYTES} bytes")]
    Meaning(String),
    #[error("the example of `{kind}` is not JSON: {error}")]
    ExampleJson { kind: String, error: json::JsonError },
    #[error("the example does not fit: {0}")]
    Example(Violations),
    #[error(
        "`{kind}` {version} is registered with another schema, and a registered version never changes: register this one as {next}"
    )]
    Changed { kind: String, version: Version, next: Version },
    #[error("the upcaster of `{kind}` cannot be used: {reason}")]
    Upcast { kind: String, reason: String },
    #[error(
        "payloads of `{kind}` {latest} may not fit {version}: say in `upcast` how the one becomes the other, or register a schema that only adds optional members"
    )]
    Incompatible { kind: String, version: Version, latest: Version },
    #[error("the registry holds {limit} {of}, which is its limit")]
    Full { of: &'static str, limit: usize },
    #[error("the registration has no readable `{0}`")]
    Missing(&'static str),
}

impl Registration {
    /// The payload of the event that registers it: minified JSON.
    pub fn to_data(&self) -> Vec<u8> {
        let mut out = b"{".to_vec();
        let mut text = |name: &str, value: &str| {
            out.extend_from_slice(if out.len() > 1 { b",\"" } else { b"\"" });
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b"\":");
            json::write_string(value, &mut out);
        };
        text("type", &self.kind);
        text("version", &self.version.to_string());
        text("meaning", &self.meaning);
        if let Some(severity) = self.severity {
            text("severity", severity.as_str());
        }
        if let Some(agent) = &self.declared_by {
            text("declared_by", agent);
        }
        if let Some(example) = &self.example {
            out.extend_from_slice(b",\"example\":");
            out.extend_from_slice(example);
        }
        if let Some(upcast) = &self.upcast {
            out.extend_from_slice(b",\"upcast\":");
            out.extend_from_slice(upcast);
        }
        out.extend_from_slice(b",\"schema\":");
        out.extend_from_slice(&self.schema);
        out.push(b'}');
        out
    }

    /// Reads what [`Self::to_data`] wrote, or what a client sent in the same form: minified JSON. Only
    /// `type`, `version` and `schema` must be there. What they say is not checked here.
    pub fn from_data(data: &[u8]) -> Result<Self, RegistrationError> {
        let text =
            |name| json::member(data, name).filter(|value| json::kind(value) == Kind::String).map(json::text);
        let version = text("version").ok_or(RegistrationError::Missing("version"))?;
        let schema = json::member(data, "schema").ok_or(RegistrationError::Missing("schema"))?;
        Ok(Self {
            kind: text("type").ok_or(RegistrationError::Missing("type"))?.into_owned(),
            version: parse_version(&version)?,
            schema: schema.into(),
            meaning: text("meaning").unwrap_or_default().into_owned(),
            severity: text("severity").and_then(|severity| Severity::parse(&severity)),
            declared_by: text("declared_by").map(|agent| agent.into_owned()),
            example: json::member(data, "example").map(Into::into),
            upcast: json::member(data, "upcast").filter(|steps| *steps != b"null").map(Into::into),
        })
    }

    /// Checks everything but whether it goes together with what is registered, and minifies.
    pub(super) fn checked(mut self) -> Result<Self, RegistrationError> {
        let named = self.kind.len() <= MAX_TYPE_BYTES
            && !self.kind.chars().any(char::is_control)
            && self.kind.chars().any(|character| character != '*');
        if !named {
            return Err(RegistrationError::Type(super::violation::shortened(self.kind)));
        }
        if self.kind.starts_with("tacho.") {
            return Err(RegistrationError::Reserved(self.kind));
        }
        if !self.version.build.is_empty() {
            return Err(RegistrationError::Version(self.version.to_string()));
        }
        if self.meaning.len() > MAX_MEANING_BYTES {
            return Err(RegistrationError::Meaning(self.kind));
        }
        self.schema = compile::checked(&self.schema)?;
        if let Some(steps) = self.upcast.take() {
            let refuse = |reason: String| RegistrationError::Upcast { kind: self.kind.clone(), reason };
            let mut minified = Vec::new();
            json::minify(&steps, json::DEFAULT_DEPTH, &mut minified)
                .map_err(|error| refuse(error.to_string()))?;
            Upcast::parse(&minified).map_err(refuse)?;
            self.upcast = Some(minified.into());
        }
        if let Some(example) = self.example.take() {
            self.example = Some(self.checked_example(&example)?);
        }
        Ok(self)
    }

    fn checked_example(&self, example: &[u8]) -> Result<Box<[u8]>, RegistrationError> {
        let mut minified = Vec::new();
        json::minify(example, json::DEFAULT_DEPTH, &mut minified)
            .map_err(|error| RegistrationError::ExampleJson { kind: self.kind.clone(), error })?;
        let validator = compile::compile(&self.schema)?;
        match super::violation::find(&validator, Some(&minified)) {
            None => Ok(minified.into()),
            Some((list, more)) => Err(RegistrationError::Example(Violations {
                kind: self.kind.clone(),
                version: self.version.clone(),
                list,
                more,
            })),
        }
    }
}

fn parse_version(text: &str) -> Result<Version, RegistrationError> {
    Version::parse(text).map_err(|_| RegistrationError::Version(super::violation::shortened(text.to_owned())))
}

impl Severity {
    /// Reads `info`, `warning` or `error`.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Info, Self::Warning, Self::Error].into_iter().find(|severity| severity.as_str() == word)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}
