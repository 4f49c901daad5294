//! What a handler is opened with.

use crate::{Secret, SettingsError};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use tacho_event::Timestamp;

/// The `run` table of a handler, read. Each kind takes those keys that it names.
#[derive(Debug, Clone, Default)]
pub struct HandlerSettings {
    /// A program and its arguments; no shell reads them. Empty where none is given.
    pub command: Vec<String>,
    /// How a command is used: `process`, `warm` or `agent`.
    pub mode: Option<String>,
    /// Where a command runs; where the server runs when it is missing.
    pub directory: Option<PathBuf>,
    /// Names of the server's environment that a command gets beside [`super::ENVIRONMENT`].
    pub environment: Vec<String>,
    /// Further names of a command's environment, with their values.
    pub variables: BTreeMap<String, String>,
    /// Longest answer, in bytes.
    pub output_bytes: Option<usize>,
    /// Most address space of a process, in bytes.
    pub memory_bytes: Option<u64>,
    pub recycle: Recycle,
    /// How long a warm worker is idle before it is asked for its health, in milliseconds.
    pub health_ms: Option<u64>,
    /// The fixed text before the event in what an agent is told.
    pub prompt: Option<String>,
    /// The type of the event that an agent's answer becomes.
    pub returns: Option<String>,
    /// Who shares a conversation with an agent: all events of a worker, or those of a `stream`.
    pub session: Option<String>,
    pub url: Option<String>,
    /// What requests are signed with; never told in an error.
    pub secret: Option<Secret>,
    /// The program and the arguments of an MCP server on stdio. Empty where none is given.
    pub mcp: Vec<String>,
    /// The tool that is called.
    pub tool: Option<String>,
    /// A jq program: its first answer to the CloudEvent is the tool's arguments.
    pub arguments: Option<String>,
    pub emit: Option<Emit>,
    /// What a registered agent can do; the kernel finds the agent.
    pub capability: Option<String>,
}

/// When a warm process is replaced though it is well. Whatever comes first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recycle {
    /// After so many events.
    pub events: Option<u64>,
    /// So old, in milliseconds.
    pub age_ms: Option<u64>,
    /// So much resident memory, in bytes. Known on Linux alone.
    pub memory_bytes: Option<u64>,
}

/// An event made of another one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Emit {
    /// The `type` of the event.
    pub kind: String,
    /// A jq program over the CloudEvent that answers a text; the event's own subject when it is missing.
    pub subject: Option<String>,
    /// A jq program over the CloudEvent; `.data` when it is missing.
    pub data: Option<String>,
}

/// What a kind may use beside its settings.
#[derive(Clone)]
pub struct HandlerSurroundings {
    /// The server's environment, from which a command gets the names that are allowed.
    pub environment: Arc<[(OsString, OsString)]>,
    /// The clock.
    pub now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
}

impl HandlerSettings {
    /// The keys that are given, as the configuration names them.
    pub fn keys(&self) -> Vec<&'static str> {
        let given = [
            ("command", !self.command.is_empty()),
            ("mode", self.mode.is_some()),
            ("directory", self.directory.is_some()),
            ("environment", !self.environment.is_empty()),
            ("variables", !self.variables.is_empty()),
            ("output_bytes", self.output_bytes.is_some()),
            ("memory_bytes", self.memory_bytes.is_some()),
            ("recycle", self.recycle != Recycle::default()),
            ("health_ms", self.health_ms.is_some()),
            ("prompt", self.prompt.is_some()),
            ("returns", self.returns.is_some()),
            ("session", self.session.is_some()),
            ("url", self.url.is_some()),
            ("secret", self.secret.is_some()),
            ("mcp", !self.mcp.is_empty()),
            ("tool", self.tool.is_some()),
            ("arguments", self.arguments.is_some()),
            ("emit", self.emit.is_some()),
            ("capability", self.capability.is_some()),
        ];
        given.into_iter().filter(|(_, is_given)| *is_given).map(|(key, _)| key).collect()
    }

    pub(super) fn output_bytes(&self) -> usize {
        self.output_bytes.unwrap_or(super::OUTPUT_BYTES)
    }
}

/// The program that a text is, under the key that names it.
pub(super) fn program(key: &'static str, text: &str) -> Result<tacho_event::Jq, SettingsError> {
    tacho_event::Jq::compile(text).map_err(|error| SettingsError::unusable(key, error.reason))
}
