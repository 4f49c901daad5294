//! `tests/opentelemetry`: what is sent is read with OpenTelemetry's own messages, and what its exporters send is taken.

use anyhow::{Result, bail};

use super::summary::Outcome;
use crate::install::python_packages;
use crate::workspace::{Workspace, succeeds};

const FOLDER: &str = "tests/opentelemetry";
/// Pinned: exporters change what they send.
const PACKAGES: &[&str] = &[
    "opentelemetry-sdk==1.45.2",
    "opentelemetry-exporter-otlp-proto-http==1.45.2",
    "opentelemetry-exporter-otlp-proto-grpc==1.45.2",
];

/// The tests use the binary under test on ports of their own.
pub fn run(workspace: &Workspace) -> Result<Outcome> {
    let binary = workspace.tacho();
    if !binary.is_file() {
        bail!("{} is missing: the release build must pass first", binary.display());
    }
    let binaries = match python_packages(&workspace.target.join("python-opentelemetry"), PACKAGES) {
        Ok(binaries) => binaries,
        Err(error) => return Ok(Outcome::Skipped(format!("{error:#}"))),
    };
    let mut command = workspace.command(binaries.join("python"));
    command.args(["-m", "unittest", "discover"]).current_dir(workspace.root.join(FOLDER));
    command.env("TACHO_BINARY", binary).env("PYTHONDONTWRITEBYTECODE", "1");
    Ok(succeeds(&mut command)?.into())
}
