//! Writes Tachograph's hooks into the settings of a coding agent, and takes them out again.
//!
//! These files belong to their users. So an edit touches only our own entries, byte for byte; it replaces
//! the file in one step, keeps a backup beside it, and happens once however often it is asked for.

pub mod claude_code;
pub mod codex;
pub mod git;
mod hooks_text;
mod json_text;
mod settings_file;

use hooks_text::{Event, TextError};
use serde::Serialize;
use serde_json::Value;
use settings_file::SettingsFile;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// What to connect, and where.
#[derive(Debug, Clone)]
pub struct Request {
    /// Whose sessions are recorded; `None` takes the agent's default.
    pub scope: Option<Scope>,
    /// The project's folder, absolute: where the agent is started.
    pub project_dir: PathBuf,
    /// The user's home folder, absolute.
    pub home: PathBuf,
    /// The agent's own configuration folder when its variable (`CONFIG_DIR_VARIABLE`) names one.
    pub config_dir: Option<PathBuf>,
    /// The `tacho` binary that the hooks will run, absolute.
    pub binary_path: PathBuf,
    /// The data folder that the hooks will write to, absolute.
    pub data_dir: PathBuf,
    /// Report what would change and write nothing.
    pub dry_run: bool,
}

/// Whose sessions a settings file governs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// All projects of this user.
    User,
    /// Everyone who works on the project: the file is usually committed.
    Project,
    /// This user in this project.
    Local,
}

impl Scope {
    /// The flag that selects it on the command line.
    pub fn flag(self) -> &'static str {
        match self {
            Scope::User => "--user",
            Scope::Project => "--project",
            Scope::Local => "--local",
        }
    }
}

/// What a connecting or disconnecting did. `Display` renders it for people, `Serialize` for `--json`.
#[derive(Debug, Serialize)]
pub struct Report {
    pub agent: &'static str,
    pub scope: Scope,
    /// The settings file, links followed.
    pub file: PathBuf,
    pub outcome: Outcome,
    /// The events that are hooked now; empty after a disconnecting.
    pub events: Vec<&'static str>,
    /// A copy of the file as it was; absent when nothing changed or there was no file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup: Option<PathBuf>,
    /// A unified diff; only in a dry run that would change something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
    /// What the user should know or do next, a sentence each.
    pub notes: Vec<String>,
}

/// What became of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Connected,
    Disconnected,
    /// It already was as asked for; nothing was written.
    Unchanged,
    /// A dry run that would write.
    WouldChange,
}

/// Why a settings file was left alone.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Two sets of hooks would record every act twice.
    #[error("{agent} already reports to tacho through {place}; {remedy}")]
    AlreadyHooked { agent: &'static str, place: String, remedy: String },
    #[error("{} {source}; nothing was written: correct the file, then run this again", file.display())]
    Text { file: PathBuf, source: TextError },
    #[error("{agent} has no {} scope: use {instead}", scope.flag())]
    NoSuchScope { agent: &'static str, scope: Scope, instead: &'static str },
    #[error("{} cannot be written into a settings file: {reason}; use another path", path.display())]
    Path { path: PathBuf, reason: &'static str },
    #[error("{} has {bytes} bytes, more than the {limit} of a settings file; nothing was written", file.display())]
    TooLarge { file: PathBuf, bytes: u64, limit: u64 },
    #[error("{} is in no git repository, or git cannot be run: run this inside a repository", folder.display())]
    NoRepository { folder: PathBuf },
    #[error("{} is no shell script: have it run `{command} --commit COMMIT` itself", file.display())]
    ForeignHook { file: PathBuf, command: String },
    #[error("{} was changed by another program just now; nothing was written: run this again", file.display())]
    Changed { file: PathBuf },
    #[error("cannot {action} {}", path.display())]
    Io { action: &'static str, path: PathBuf, source: io::Error },
}

/// An agent whose hooks are a JSON file of the shared shape.
struct Agent {
    name: &'static str,
    events: &'static [Event],
    scope: Scope,
    file: PathBuf,
}

impl Agent {
    fn connect(&self, request: &Request, notes: Vec<String>) -> Result<Report, Error> {
        let command = hook_command(self.name, request)?;
        let file = SettingsFile::open(&self.file)?;
        let old = file.text.as_deref();
        self.refuse_foreign(&file)?;
        let new = hooks_text::add(old.unwrap_or("{}\n"), self.events, &command)
            .map_err(|source| self.text(source))?;
        let mut report = self.report(request, &file, Some(new), Outcome::Connected)?;
        report.events = self.events.iter().map(|event| event.name).collect();
        report.notes = notes;
        Ok(report)
    }

    fn disconnect(&self, request: &Request, notes: Vec<String>) -> Result<Report, Error> {
        let file = SettingsFile::open(&self.file)?;
        let Some(old) = file.text.as_deref() else {
            return Ok(Report { notes, ..self.report(request, &file, None, Outcome::Disconnected)? });
        };
        let before = file.backup_where(|value| hooks_text::commands(value).next().is_none());
        let text = hooks_text::remove(old, before.as_ref()).map_err(|source| self.text(source))?;
        // Without a backup there was no file before us, so an empty object is ours to take away.
        let is_ours = text != old && before.is_none() && text.trim() == "{}";
        let new = (!is_ours).then_some(text);
        Ok(Report { notes, ..self.report(request, &file, new, Outcome::Disconnected)? })
    }

    /// A wrapper that the user wrote around our hook is theirs: it is neither edited nor doubled.
    fn refuse_foreign(&self, file: &SettingsFile) -> Result<(), Error> {
        let value = file.text.as_deref().and_then(parsed);
        let foreign = value.as_ref().and_then(|value| {
            hooks_text::commands(value).find(|command| !hooks_text::is_own(command)).map(str::to_owned)
        });
        match foreign {
            None => Ok(()),
            Some(command) => Err(Error::AlreadyHooked {
                agent: self.name,
                place: format!("`{}` in {}", command.escape_debug(), file.target.display()),
                remedy: "remove that hook there, then run this again, or keep it and leave out this one"
                    .to_owned(),
            }),
        }
    }

    fn report(
        &self,
        request: &Request,
        file: &SettingsFile,
        new: Option<String>,
        changed: Outcome,
    ) -> Result<Report, Error> {
        let mut report = Report {
            agent: self.name,
            scope: self.scope,
            file: file.target.clone(),
            outcome: Outcome::Unchanged,
            events: Vec::new(),
            backup: None,
            diff: None,
            notes: Vec::new(),
        };
        if new == file.text {
        } else if request.dry_run {
            report.outcome = Outcome::WouldChange;
            report.diff = Some(diff(&file.target, file.text.as_deref(), new.as_deref()));
        } else {
            report.backup = file.replace(new.as_deref())?;
            report.outcome = changed;
        }
        Ok(report)
    }

    fn text(&self, source: TextError) -> Error {
        Error::Text { file: self.file.clone(), source }
    }
}

fn is_hooked(settings: &Value) -> bool {
    hooks_text::commands(settings).next().is_some()
}

fn hook_command(agent: &str, request: &Request) -> Result<String, Error> {
    let binary = quoted(&request.binary_path)?;
    let data = quoted(&request.data_dir)?;
    Ok(format!("{binary} hook {agent} --data {data}"))
}

fn quoted(path: &Path) -> Result<String, Error> {
    let refuse = |reason| Error::Path { path: path.to_owned(), reason };
    if !path.is_absolute() {
        return Err(refuse("it is not absolute, and hooks run in other folders"));
    }
    let text = path.to_str().ok_or_else(|| refuse("it is not UTF-8"))?;
    Ok(shlex::try_quote(text).map_err(|_| refuse("it holds a zero byte"))?.into_owned())
}

fn parsed(text: &str) -> Option<Value> {
    serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()
}

fn same_file(left: &Path, right: &Path) -> bool {
    left == right
        || matches!((left.canonicalize(), right.canonicalize()), (Ok(left), Ok(right)) if left == right)
}

fn diff(file: &Path, old: Option<&str>, new: Option<&str>) -> String {
    let name = |side: Option<&str>| side.map_or("/dev/null".to_owned(), |_| file.display().to_string());
    similar::TextDiff::from_lines(old.unwrap_or(""), new.unwrap_or(""))
        .unified_diff()
        .header(&name(old), &name(new))
        .to_string()
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (agent, file) = (self.agent, self.file.display());
        match self.outcome {
            Outcome::Connected => {
                writeln!(out, "{agent} reports to tacho: {} events in {file}", self.events.len())?
            }
            Outcome::Disconnected => writeln!(out, "{agent} no longer reports to tacho through {file}")?,
            Outcome::Unchanged if self.events.is_empty() => writeln!(out, "{file} has no hooks of tacho")?,
            Outcome::Unchanged => writeln!(out, "{agent} already reports to tacho through {file}")?,
            Outcome::WouldChange => write!(out, "{}", self.diff.as_deref().unwrap_or_default())?,
        }
        if let Some(backup) = &self.backup {
            writeln!(out, "the file as it was: {}", backup.display())?;
        }
        self.notes.iter().try_for_each(|note| writeln!(out, "{note}"))
    }
}

#[cfg(test)]
mod tests;
