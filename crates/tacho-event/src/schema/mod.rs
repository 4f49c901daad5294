//! The schema registry: what the payload of an event type looks like, version by version.
//!
//! A schema is JSON Schema 2020-12. The registry is a fold over `tacho.schema_registered`, on top of
//! the [catalogue](crate::catalogue). A schema is checked before it is accepted so that validating
//! costs no more than the payload times the schema: see [`MAX_SUBSCHEMAS`].

mod compile;
mod difference;
mod object;
mod registration;
mod registry;
mod subschema;
mod upcast;
mod urn;
mod violation;

pub use compile::{
    MAX_PATTERN_BYTES, MAX_PATTERNS, MAX_SCHEMA_BYTES, MAX_SCHEMA_DEPTH, MAX_SUBSCHEMAS,
    MAX_UNEVALUATED_DEPTH, UnusableSchema,
};
pub use object::{Field, ValueKind, object_schema};
pub use registration::{MAX_MEANING_BYTES, Registration, RegistrationError, Severity};
pub use registry::{MAX_REGISTERED_TYPES, MAX_VERSIONS, Registered, Registry};
pub use semver::Version;
pub use upcast::{MAX_UPCAST_STEPS, Upcast};
pub use urn::{parse_urn, urn};
pub use violation::{MAX_VIOLATIONS, Violation, Violations};

/// The type of the event that puts a schema into the registry.
pub const REGISTERED: &str = "tacho.schema_registered";

/// What happens to an event whose payload breaks the schema of its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Mode {
    /// It is refused.
    Strict,
    /// It is recorded all the same.
    #[default]
    Lenient,
}

impl Mode {
    /// Reads `strict` or `lenient`.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Strict, Self::Lenient].into_iter().find(|mode| mode.as_str() == text)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Strict => "strict",
            Self::Lenient => "lenient",
        }
    }
}
