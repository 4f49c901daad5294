//! How a process is started: what it is, where it runs, what it sees of the server.

use super::running::Running;
use super::spawn::spawn;
use super::{HandlerSettings, HandlerSurroundings};
use crate::SettingsError;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use tacho_engine::delivery::Failure;

/// The names of the server's environment that every command gets.
pub const ENVIRONMENT: &[&str] = &["PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "USER", "SHELL"];

#[derive(Debug, Clone)]
pub(super) struct Launch {
    command: Vec<String>,
    directory: Option<PathBuf>,
    environment: Vec<(OsString, OsString)>,
    memory_bytes: Option<u64>,
}

/// Whether a command can be started as it is written under `key`.
pub(super) fn check(
    key: &'static str,
    command: &[String],
    settings: &HandlerSettings,
) -> Result<(), SettingsError> {
    let unusable = |key, reason: &str| Err(SettingsError::unusable(key, reason));
    if command.first().ok_or(SettingsError::Missing(key))?.is_empty() {
        return unusable(key, "the program's name is empty");
    }
    if command.iter().any(|part| part.contains('\0')) {
        return unusable(key, "a part of it holds a null character");
    }
    let is_name = |name: &String| !name.is_empty() && !name.contains(['=', '\0']);
    if !settings.environment.iter().all(is_name) {
        return unusable("environment", "write names alone; values belong to `variables`");
    }
    if !settings.variables.keys().all(is_name)
        || settings.variables.values().any(|value| value.contains('\0'))
    {
        return unusable("variables", "a name is empty or holds `=`, or a value holds a null character");
    }
    match settings.output_bytes {
        Some(0) => unusable("output_bytes", "must be at least 1"),
        _ => Ok(()),
    }
}

impl Launch {
    pub(super) fn new(
        command: &[String],
        settings: &HandlerSettings,
        surroundings: &HandlerSurroundings,
    ) -> Self {
        let is_allowed = |name: &OsString| {
            let named = |allowed: &str| name == allowed;
            ENVIRONMENT.iter().any(|allowed| named(allowed)) || settings.environment.iter().any(|a| named(a))
        };
        let inherited = surroundings.environment.iter().filter(|(name, _)| is_allowed(name)).cloned();
        let own = settings.variables.iter().map(|(name, value)| (name.into(), value.into()));
        Self {
            command: command.to_vec(),
            directory: settings.directory.clone(),
            environment: inherited.chain(own).collect(),
            memory_bytes: settings.memory_bytes,
        }
    }

    /// What the program is called, for messages.
    pub(super) fn program(&self) -> &str {
        self.command.first().map_or("", String::as_str)
    }

    /// Starts it; `more` joins its environment.
    pub(super) fn start(&self, more: &[(&str, &str)]) -> Result<Running, Failure> {
        let mut command = Command::new(self.program());
        command.args(self.command.iter().skip(1)).env_clear();
        command.envs(self.environment.iter().map(|(name, value)| (name, value))).envs(more.iter().copied());
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = spawn(command, self.memory_bytes).map_err(|error| self.not_started(&error))?;
        Running::new(child).map_err(|error| self.not_started(&error))
    }

    fn not_started(&self, error: &std::io::Error) -> Failure {
        let place = match &self.directory {
            Some(directory) => format!(" in {}", directory.display()),
            None => String::new(),
        };
        let message = format!(
            "{:?} cannot be started{place}: {error}; check the command and the directory",
            self.program()
        );
        Failure::retry("not_started", message)
    }
}
