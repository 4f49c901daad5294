//! Keeps the server running after a reboot: a systemd user unit, or a launchd agent on macOS.
//!
//! Without it the hooks spool until somebody runs `tacho up` again.

mod launchd;
mod systemd;

use serde::Serialize;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The server that the service starts. All paths are absolute.
#[derive(Debug, Clone)]
pub struct Service {
    /// The `tacho` binary.
    pub binary_path: PathBuf,
    pub data_dir: PathBuf,
    /// The address to listen on; `None` leaves it to the configuration.
    pub listen: Option<String>,
    pub config_file: Option<PathBuf>,
}

impl Service {
    /// The command line of the server.
    fn arguments(&self) -> Result<Vec<&str>, Error> {
        let mut arguments = vec![text(&self.binary_path)?, "up", "--data", text(&self.data_dir)?];
        if let Some(listen) = &self.listen {
            arguments.extend(["--listen", listen]);
        }
        if let Some(config) = &self.config_file {
            arguments.extend(["--config", text(config)?]);
        }
        Ok(arguments)
    }
}

/// The program that runs services for a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Supervisor {
    Systemd,
    Launchd,
}

impl Supervisor {
    /// The one of this system.
    ///
    /// # Errors
    /// On systems that are neither Linux nor macOS.
    pub fn of_this_system() -> Result<Supervisor, Error> {
        match std::env::consts::OS {
            "linux" => Ok(Supervisor::Systemd),
            "macos" => Ok(Supervisor::Launchd),
            system => Err(Error::UnknownSystem { system }),
        }
    }
}

/// Where service files are kept.
#[derive(Debug, Clone)]
pub struct Folders {
    /// The user's home folder, absolute.
    pub home: PathBuf,
    /// `XDG_CONFIG_HOME` when it is set.
    pub xdg_config_home: Option<PathBuf>,
}

/// What was done, or is the case. `Display` renders it for people, `Serialize` for `--json`.
#[derive(Debug, Serialize)]
pub struct Report {
    pub supervisor: Supervisor,
    pub file: PathBuf,
    /// The file exists.
    pub installed: bool,
    /// It starts at login or boot; `None` when the supervisor could not be asked.
    pub enabled: Option<bool>,
    /// It runs now; `None` when the supervisor could not be asked.
    pub running: Option<bool>,
    /// What the supervisor did not do, and what to run when that is mended; the file is as it should be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// What the user should know or do next, a sentence each.
    pub notes: Vec<String>,
}

/// Why a service was not installed or removed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("services are not supported on {system}; start `tacho up` by the means of that system")]
    UnknownSystem { system: &'static str },
    #[error("{} was not written by tacho; move it away, then run this again", file.display())]
    Foreign { file: PathBuf },
    #[error("{} cannot be written into a service file; use a path that is UTF-8 without control characters", path.display())]
    Path { path: PathBuf },
    #[error("cannot {action} {}", path.display())]
    Io { action: &'static str, path: PathBuf, source: io::Error },
}

/// Writes the service file and has the supervisor start it now and from then on.
///
/// Where the supervisor is absent the file is written all the same, and the report says what to run.
///
/// # Errors
/// When the file cannot be written, or one is there that is not ours.
pub fn install(supervisor: Supervisor, service: &Service, folders: &Folders) -> Result<Report, Error> {
    let file = file(supervisor, folders);
    let text = match supervisor {
        Supervisor::Systemd => systemd::unit(service)?,
        Supervisor::Launchd => launchd::property_list(service, &folders.home)?,
    };
    refuse_foreign(&file)?;
    if supervisor == Supervisor::Launchd && file.exists() {
        // launchd loads a label once; that nothing was loaded is no failure.
        let _ = run_all(&launchd::stop_commands());
    }
    write(&file, &text)?;
    let commands = match supervisor {
        Supervisor::Systemd => systemd::install_commands(),
        Supervisor::Launchd => launchd::install_commands(&file),
    };
    let failure = run_all(&commands).err();
    let mut notes = Vec::new();
    if supervisor == Supervisor::Systemd && failure.is_none() {
        notes.push("to keep it running while you are logged out: loginctl enable-linger".to_owned());
    }
    Ok(Report { failure, ..report(supervisor, file, notes) })
}

/// Says whether the service is installed, enabled and running, and where its file is.
pub fn status(supervisor: Supervisor, folders: &Folders) -> Report {
    report(supervisor, file(supervisor, folders), Vec::new())
}

/// Stops the service and removes its file; the data stay.
///
/// # Errors
/// When the file is not ours or cannot be removed.
pub fn remove(supervisor: Supervisor, folders: &Folders) -> Result<Report, Error> {
    let file = file(supervisor, folders);
    if !file.exists() {
        return Ok(report(supervisor, file, vec!["there was nothing to remove".to_owned()]));
    }
    refuse_foreign(&file)?;
    let (before, after) = match supervisor {
        Supervisor::Systemd => (systemd::stop_commands(), systemd::forget_commands()),
        Supervisor::Launchd => (launchd::stop_commands(), Vec::new()),
    };
    let stopped = run_all(&before);
    fs::remove_file(&file).map_err(|source| Error::Io { action: "remove", path: file.clone(), source })?;
    let failure = stopped.and_then(|()| run_all(&after)).err();
    Ok(Report { failure, ..report(supervisor, file, Vec::new()) })
}

/// In every file that we write, so that a person's own is never overwritten.
const MARK: &str = "Written by `tacho service install`";

fn file(supervisor: Supervisor, folders: &Folders) -> PathBuf {
    match supervisor {
        Supervisor::Systemd => {
            let config = folders.xdg_config_home.clone().unwrap_or_else(|| folders.home.join(".config"));
            config.join("systemd/user").join(systemd::UNIT)
        }
        Supervisor::Launchd => {
            folders.home.join("Library/LaunchAgents").join(format!("{}.plist", launchd::LABEL))
        }
    }
}

fn report(supervisor: Supervisor, file: PathBuf, notes: Vec<String>) -> Report {
    let installed = file.exists();
    let (enabled, running) = match supervisor {
        Supervisor::Systemd => systemd::state(),
        Supervisor::Launchd => launchd::state(installed),
    };
    Report { supervisor, file, installed, enabled, running, failure: None, notes }
}

fn refuse_foreign(file: &Path) -> Result<(), Error> {
    match fs::read_to_string(file) {
        Ok(text) if !text.contains(MARK) => Err(Error::Foreign { file: file.to_owned() }),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(Error::Io { action: "read", path: file.to_owned(), source }),
    }
}

fn write(file: &Path, text: &str) -> Result<(), Error> {
    let failed = |source| Error::Io { action: "write", path: file.to_owned(), source };
    fs::create_dir_all(file.parent().unwrap_or(Path::new("/"))).map_err(failed)?;
    fs::write(file, text).map_err(failed)
}

/// Runs commands in order until one fails; the error says what the user has to do then.
fn run_all(commands: &[Vec<String>]) -> Result<(), String> {
    for (done, command) in commands.iter().enumerate() {
        let Err(reason) = run(command) else { continue };
        let rest: Vec<_> = commands[done..].iter().map(|command| command.join(" ")).collect();
        return Err(format!("{reason}; when that is mended, run: {}", rest.join(" && ")));
    }
    Ok(())
}

fn run(command: &[String]) -> Result<(), String> {
    let output = output(command).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => format!("`{}` is not installed here", command[0]),
        _ => format!("`{}` cannot be run: {error}", command[0]),
    })?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("`{}` failed: {}", command.join(" "), said.trim().replace('\n', "; ")))
}

fn output(command: &[String]) -> io::Result<Output> {
    Command::new(&command[0]).args(&command[1..]).output()
}

fn words(command: &str) -> Vec<String> {
    command.split(' ').map(str::to_owned).collect()
}

fn text(path: &Path) -> Result<&str, Error> {
    let text = path.to_str().filter(|text| !text.chars().any(char::is_control));
    text.ok_or_else(|| Error::Path { path: path.to_owned() })
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let answer = |known: Option<bool>| known.map_or("unknown", |known| if known { "yes" } else { "no" });
        writeln!(out, "file       {}", self.file.display())?;
        writeln!(out, "installed  {}", answer(Some(self.installed)))?;
        writeln!(out, "enabled    {}", answer(self.enabled))?;
        writeln!(out, "running    {}", answer(self.running))?;
        self.notes.iter().try_for_each(|note| writeln!(out, "{note}"))
    }
}

#[cfg(test)]
mod tests;
