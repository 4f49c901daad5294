//! `sdk/python`: its tests, which start the binary, and its types.

use anyhow::{Result, bail};

use super::summary::Outcome;
use crate::install::python_packages;
use crate::workspace::{Workspace, succeeds};

const FOLDER: &str = "sdk/python";
/// Pinned: a newer one may find what this one does not.
const TYPE_CHECKER: &str = "mypy==2.4.1";

/// The tests use the binary under test on ports of their own. They need nothing beside Python.
pub fn tests(workspace: &Workspace) -> Result<Outcome> {
    let binary = workspace.tacho();
    if !binary.is_file() {
        bail!("{} is missing: the release build must pass first", binary.display());
    }
    let mut command = workspace.command("python3");
    command.args(["-m", "unittest", "discover"]).current_dir(workspace.root.join(FOLDER).join("tests"));
    command.env("TACHO_BINARY", binary).env("PYTHONDONTWRITEBYTECODE", "1");
    Ok(succeeds(&mut command)?.into())
}

pub fn types(workspace: &Workspace) -> Result<Outcome> {
    let binaries = match python_packages(&workspace.target.join("python-types"), &[TYPE_CHECKER]) {
        Ok(binaries) => binaries,
        Err(error) => return Ok(Outcome::Skipped(format!("{error:#}"))),
    };
    let mut command = workspace.command(binaries.join("mypy"));
    command.arg("--cache-dir").arg(workspace.target.join("mypy")).current_dir(workspace.root.join(FOLDER));
    Ok(succeeds(&mut command)?.into())
}
