//! `cargo xtask test`: every check and test, in order, with a headline for each and a summary at the end.

mod opentelemetry;
mod plugin;
mod python_sdk;
mod readme;
mod summary;
pub mod web;

use std::process::Command;
use std::time::Instant;

use anyhow::{Result, bail};

use crate::install::{self, Program};
use crate::tidy;
use crate::workspace::{Workspace, succeeds};
use summary::{Outcome, Summary};

/// What a step needs beyond Rust. The C compiler builds the embedded SQLite and zstd.
const PROGRAMS: &[Program] = &[
    Program { name: "git", package: "git", purpose: "tidy lists the repository's files with it" },
    Program { name: "cc", package: "build-essential", purpose: "it compiles the embedded SQLite" },
    Program { name: "redis-server", package: "redis-server", purpose: "the tests deliver to it" },
    Program { name: "promtool", package: "prometheus", purpose: "it checks what `/metrics` answers" },
    Program { name: "sh", package: "dash", purpose: "the README's commands run in it" },
    Program { name: "python3", package: "python3", purpose: "the Python SDK's tests run in it" },
];

struct Step {
    name: &'static str,
    /// Only with `--slow`.
    slow: bool,
    run: fn(&Workspace) -> Result<Outcome>,
}

const STEPS: &[Step] = &[
    Step { name: "programs that the run needs", slow: false, run: programs },
    Step { name: "tidy", slow: false, run: |workspace| tidy::run(workspace).map(Outcome::from) },
    Step { name: "cargo test", slow: false, run: cargo_test },
    Step { name: "release build", slow: false, run: release_build },
    Step { name: "the README's commands", slow: false, run: readme::run },
    Step { name: "the dashboard", slow: false, run: web::run },
    Step { name: "the Claude Code plugin", slow: false, run: plugin::run },
    Step { name: "the Python SDK (sdk-python)", slow: false, run: python_sdk::tests },
    Step { name: "the Python SDK's types", slow: false, run: python_sdk::types },
    Step { name: "OpenTelemetry's own library", slow: false, run: opentelemetry::run },
    Step { name: "the load generator's tests", slow: true, run: load_generator },
    Step { name: "slow tests of the binary", slow: true, run: slow_tests },
    Step { name: "a reader of traces (Phoenix)", slow: true, run: reader_of_traces },
];

/// Runs the steps; answers whether none failed. A failed step does not keep later ones from running.
pub fn run(workspace: &Workspace, slow: bool) -> Result<bool> {
    let begun = Instant::now();
    let steps: Vec<&Step> = STEPS.iter().filter(|step| slow || !step.slow).collect();
    let mut summary = Summary::default();
    for (index, step) in steps.iter().enumerate() {
        println!("\n==> {}/{} {}", index + 1, steps.len(), step.name);
        let step_begun = Instant::now();
        let outcome = (step.run)(workspace).unwrap_or_else(|error| Outcome::Failed(format!("{error:#}")));
        if let Outcome::Failed(why) | Outcome::Skipped(why) = &outcome {
            println!("{why}");
        }
        summary.add(step.name, outcome, step_begun.elapsed());
    }
    print!("\n{}", summary.render(begun.elapsed()));
    Ok(summary.failed() == 0)
}

fn programs(_: &Workspace) -> Result<Outcome> {
    for wanted in PROGRAMS {
        println!("{}: {}", wanted.name, install::program(wanted)?.display());
    }
    Ok(Outcome::Passed)
}

/// Without the load generator, whose clients for other systems take long to build.
fn cargo_test(workspace: &Workspace) -> Result<Outcome> {
    let mut command = workspace.cargo(&["test", "--workspace", "--exclude", "tacho-bench", "--no-fail-fast"]);
    Ok(succeeds(&mut command)?.into())
}

fn load_generator(workspace: &Workspace) -> Result<Outcome> {
    Ok(succeeds(&mut workspace.cargo(&["test", "--package", "tacho-bench"]))?.into())
}

fn release_build(workspace: &Workspace) -> Result<Outcome> {
    if let Some(path) = std::env::var_os("TACHO") {
        return Ok(Outcome::Skipped(format!("TACHO names {}", path.to_string_lossy())));
    }
    Ok(succeeds(&mut workspace.cargo(&["build", "--release", "--package", "tacho"]))?.into())
}

/// The binary's `slow` tests: a server killed under load, a real coding agent that runs offline.
/// They find the agent by `TACHO_TEST_CLAUDE`.
fn slow_tests(workspace: &Workspace) -> Result<Outcome> {
    let claude = install::npm_program(&workspace.target.join("npm"), "@anthropic-ai/claude-code", "claude")?;
    let mut command = slow(workspace, &["--skip", "phoenix"])?;
    command.env("TACHO_TEST_CLAUDE", claude);
    Ok(succeeds(&mut command)?.into())
}

/// Pinned: its prices are compared with ours.
const PHOENIX: &str = "arize-phoenix==20.26.1";

/// The slow test with a real reader of traces, which it finds by `TACHO_TEST_PHOENIX`.
fn reader_of_traces(workspace: &Workspace) -> Result<Outcome> {
    let binaries = match install::python_packages(&workspace.target.join("python-phoenix"), &[PHOENIX]) {
        Ok(binaries) => binaries,
        Err(error) => return Ok(Outcome::Skipped(format!("{error:#}"))),
    };
    let mut command = slow(workspace, &["phoenix"])?;
    command.env("TACHO_TEST_PHOENIX", binaries.join("phoenix"));
    Ok(succeeds(&mut command)?.into())
}

fn slow(workspace: &Workspace, chosen: &[&str]) -> Result<Command> {
    let binary = workspace.tacho();
    if !binary.is_file() {
        bail!("{} is missing: the release build must pass first", binary.display());
    }
    let mut command = workspace.cargo(&["test", "--release", "--package", "tacho", "--test", "slow", "--"]);
    command.args(["--test-threads", "1", "--nocapture"]).args(chosen).env("TACHO_SLOW", "1");
    Ok(command)
}
