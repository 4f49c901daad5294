//! Where the repository and its build products are, and how its programs are run.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// The repository's root, its target folder, and what Cargo knows of its packages.
pub struct Workspace {
    pub root: PathBuf,
    pub target: PathBuf,
    /// `packages` of `cargo metadata --no-deps`.
    pub packages: Vec<Value>,
}

impl Workspace {
    pub fn find() -> Result<Workspace> {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
        let start = if manifest.is_dir() { manifest } else { Path::new(".") };
        let output = Command::new(cargo())
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .current_dir(start)
            .stderr(Stdio::inherit())
            .output()
            .context("cargo metadata could not be started")?;
        if !output.status.success() {
            bail!("cargo metadata failed: run it by hand to see why");
        }
        let metadata: Value = serde_json::from_slice(&output.stdout)?;
        let path =
            |key: &str| metadata[key].as_str().map(PathBuf::from).context("cargo metadata lacks a path");
        let packages = metadata["packages"].as_array().cloned().unwrap_or_default();
        Ok(Workspace { root: path("workspace_root")?, target: path("target_directory")?, packages })
    }

    /// The binary under test: `TACHO`, else the release build.
    pub fn tacho(&self) -> PathBuf {
        match std::env::var_os("TACHO") {
            Some(path) => std::path::absolute(&path).unwrap_or_else(|_| path.into()),
            None => self.target.join("release").join("tacho"),
        }
    }

    /// A command that runs in the repository's root.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        command
    }

    pub fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(cargo());
        command.args(arguments);
        command
    }
}

fn cargo() -> std::ffi::OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Runs a command with its output streamed, and says whether it succeeded.
pub fn succeeds(command: &mut Command) -> Result<bool> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command.status().with_context(|| format!("{program} could not be started"))?;
    Ok(status.success())
}

/// Whether a program can be found on the path.
pub fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|candidate| candidate.is_file())
}
