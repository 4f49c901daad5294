//! The kinds of handlers: each a file, all in one list.

mod agent;
mod conversation;
mod emit;
mod exit;
mod http;
mod json_rpc;
mod launch;
mod mcp;
mod output;
mod parent_death;
mod process;
mod running;
mod settings;
mod spawn;
mod tail;
mod warm;

use crate::SettingsError;
use std::sync::Arc;
use std::time::Duration;
use tacho_engine::delivery::Workers;

pub use launch::ENVIRONMENT;
pub use mcp::{Tool, list_tools};
pub use settings::{Emit, HandlerSettings, HandlerSurroundings, Recycle};

/// Longest answer unless configured otherwise, in bytes.
const OUTPUT_BYTES: usize = 4 << 20;
/// How long an attempt may take when the kernel names no time.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A kind of handler.
pub struct HandlerKind {
    pub name: &'static str,
    /// What it does, for the reference page.
    pub about: &'static str,
    /// The keys of [`HandlerSettings`] that it takes, as the configuration names them.
    pub keys: &'static [&'static str],
    /// Whether the settings are whole and can be used. The secret is not read yet. See [`check_handler`].
    pub check: fn(&HandlerSettings) -> Result<(), SettingsError>,
    /// Makes it ready from settings that were checked; starts nothing and connects to nothing yet.
    pub open: fn(&HandlerSettings, &HandlerSurroundings) -> OpenedHandler,
}

/// A handler that is ready, or why it cannot be.
pub type OpenedHandler = Result<Arc<dyn Workers>, SettingsError>;

/// Every kind.
pub const HANDLER_KINDS: &[HandlerKind] =
    &[process::KIND, warm::KIND, agent::KIND, http::KIND, mcp::KIND, emit::KIND];

/// The kind that a `run` table means.
pub fn handler_kind(settings: &HandlerSettings) -> Result<&'static HandlerKind, SettingsError> {
    if settings.capability.is_some() {
        let reason = "an agent is found by its capability when an event comes; there is no kind to open";
        return Err(SettingsError::unusable("capability", reason));
    }
    let name = match settings.mode.as_deref() {
        None | Some("process") if !settings.command.is_empty() => "process",
        Some("warm") if !settings.command.is_empty() => "warm",
        Some("agent") => "agent",
        Some("process" | "warm") => return Err(SettingsError::Missing("command")),
        Some(other) => {
            let reason = format!("{other:?} is none of process, warm and agent");
            return Err(SettingsError::unusable("mode", reason));
        }
        None if settings.emit.is_some() => "emit",
        None if settings.tool.is_some() || !settings.mcp.is_empty() => "mcp",
        None if settings.url.is_some() => "http",
        None => return Err(SettingsError::Missing("command")),
    };
    HANDLER_KINDS.iter().find(|kind| kind.name == name).ok_or(SettingsError::Missing("command"))
}

/// Finds the kind of a `run` table, and whether it is whole and takes all of its keys.
pub fn check_handler(settings: &HandlerSettings) -> Result<&'static HandlerKind, SettingsError> {
    let kind = handler_kind(settings)?;
    if let Some(key) = settings.keys().into_iter().find(|key| !kind.keys.contains(key)) {
        let reason = format!("a handler of the kind `{}` does not take it", kind.name);
        return Err(SettingsError::unusable(key, reason));
    }
    (kind.check)(settings)?;
    Ok(kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(settings: &HandlerSettings) -> String {
        match check_handler(settings) {
            Ok(kind) => kind.name.to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn the_table_tells_the_kind() {
        let none = HandlerSettings::default();
        let command = HandlerSettings { command: vec!["true".into()], ..none.clone() };
        let url = HandlerSettings { url: Some("http://localhost/".into()), ..none.clone() };
        let mode = |mode: &str, settings: &HandlerSettings| HandlerSettings {
            mode: Some(mode.into()),
            ..settings.clone()
        };
        assert_eq!(told(&command), "process");
        assert_eq!(told(&mode("warm", &command)), "warm");
        assert_eq!(told(&mode("agent", &none)), "agent");
        assert_eq!(told(&url), "http");
        assert_eq!(told(&HandlerSettings { tool: Some("t".into()), ..url.clone() }), "mcp");
        let emit = Emit { kind: "a.b".into(), ..Emit::default() };
        assert_eq!(told(&HandlerSettings { emit: Some(emit), ..none.clone() }), "emit");
        assert_eq!(told(&none), "`command` is missing");
        assert_eq!(told(&mode("warm", &none)), "`command` is missing");
        assert!(told(&mode("hot", &command)).contains("none of process, warm and agent"));
        assert!(told(&HandlerSettings { capability: Some("x".into()), ..none }).contains("`capability`"));
        let prompt = HandlerSettings { prompt: Some("x".into()), ..command };
        assert_eq!(told(&prompt), "`prompt`: a handler of the kind `process` does not take it");
    }
}
