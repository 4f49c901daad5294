//! The agents: which of them report here.

use super::{Finding, fail, ok, warn};
use crate::command::{folder_variable, home};
use crate::connect::{Error, Outcome, Report, Request, Scope, claude_code, codex};
use crate::place::Place;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A program that does not tell its version by then is left alone.
const VERSION_PATIENCE: Duration = Duration::from_secs(5);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Takes an agent's hooks away; only ever asked what it would do.
type Disconnect = fn(&Request) -> Result<Report, Error>;

pub fn hooks(place: &Place) -> Vec<Finding> {
    let claude = hooked(place, claude_code::CONFIG_DIR_VARIABLE, claude_code::disconnect);
    let codex = hooked(place, codex::CONFIG_DIR_VARIABLE, codex::disconnect);
    match (claude, codex) {
        (Ok(claude), Ok(codex)) if claude.is_empty() && codex.is_empty() => {
            warn("hooks", "no agent reports here", "connect one with `tacho connect claude-code`")
        }
        (claude, codex) => [tell("claude-code hooks", claude), tell("codex hooks", codex)].concat(),
    }
}

fn tell(about: &'static str, hooked: Result<Vec<PathBuf>, Error>) -> Vec<Finding> {
    match hooked {
        Ok(files) if files.is_empty() => Vec::new(),
        Ok(files) if files.len() == 1 => ok(about, files[0].display().to_string()),
        Ok(files) => {
            let files: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
            fail(
                about,
                format!("every act is recorded {} times: {}", files.len(), files.join(", ")),
                "disconnect all but one scope with `tacho disconnect`",
            )
        }
        Err(error) => fail(about, error.to_string(), "correct the file"),
    }
}

/// The settings files that hook us. A disconnecting that only says what it would do finds them.
fn hooked(place: &Place, config_variable: &str, disconnect: Disconnect) -> Result<Vec<PathBuf>, Error> {
    let (Ok(home), Ok(config_dir)) = (home(), folder_variable(config_variable)) else {
        return Ok(Vec::new());
    };
    let project_dir = std::env::current_dir().unwrap_or_default();
    let mut files = Vec::new();
    for scope in [Scope::User, Scope::Project, Scope::Local] {
        let request = Request {
            scope: Some(scope),
            project_dir: project_dir.clone(),
            home: home.clone(),
            config_dir: config_dir.clone(),
            binary_path: std::env::current_exe().unwrap_or_default(),
            data_dir: place.data.clone(),
            dry_run: true,
        };
        match disconnect(&request) {
            Ok(report) if report.outcome == Outcome::WouldChange && !files.contains(&report.file) => {
                files.push(report.file)
            }
            Ok(_) | Err(Error::NoSuchScope { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(files)
}

pub fn claude_code(_: &Place) -> Vec<Finding> {
    const ABOUT: &str = "claude code";
    match version_of("claude") {
        Some(version) => ok(ABOUT, version),
        None => warn(
            ABOUT,
            "`claude` was not found or does not tell its version",
            "install it, if it is to report here",
        ),
    }
}

/// The first line of `PROGRAM --version`.
fn version_of(program: &str) -> Option<String> {
    let mut child = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let begun = Instant::now();
    while child.try_wait().ok()?.is_none() {
        if begun.elapsed() > VERSION_PATIENCE {
            // It answers to nobody; its end is all that is wanted.
            let _ = child.kill();
            let _ = child.wait();
            return None;
        }
        std::thread::sleep(LOOK_AGAIN);
    }
    let output = child.wait_with_output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).lines().next()?.trim().to_owned();
    (output.status.success() && !text.is_empty()).then_some(text)
}
