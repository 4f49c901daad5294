//! The project's own commands: `cargo xtask help` lists them.

mod bench;
mod generated;
mod install;
mod test;
mod tidy;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use workspace::Workspace;

const HELP: &str = "\
Usage: cargo xtask <COMMAND>

Commands:
  test [--slow]   Run every check and test, in order, with a summary at the end.
                  --slow adds the tests that take minutes (kill -9 under load, a real agent's session).
  tidy            Check layers, bans, lengths, names, leftovers, stale generated files, format, lints, licences.
  codegen         Write every generated file that is checked in.
  bench [NAME...] [--quick] [--json] [--write]
                  Measure the product beside its peers, which it installs under target/ and starts itself.
                  `cargo xtask bench --list` names the benches; --quick shortens them; --write updates BENCHMARKS.md.
  help            Print this text.

Environment:
  CARGO_TARGET_DIR   where builds, peers and scratch data go (default: target)
  TACHO              the binary to measure or to try the README with (default: <target>/release/tacho)

Exit status: 0 done, 1 something was found or failed, 2 wrong usage.
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((command, rest)) = arguments.split_first() else {
        eprint!("{HELP}");
        return ExitCode::from(2);
    };
    match run(command, rest) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            if error.is::<WrongUsage>() { ExitCode::from(2) } else { ExitCode::FAILURE }
        }
    }
}

/// An argument that the command does not take.
#[derive(Debug)]
struct WrongUsage(String);

impl std::fmt::Display for WrongUsage {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "unexpected argument `{}`: `cargo xtask help` names what there is", self.0)
    }
}

impl std::error::Error for WrongUsage {}

fn run(command: &str, rest: &[String]) -> Result<ExitCode> {
    let passed = match command {
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            true
        }
        "test" => {
            let slow = only_flag(rest, "--slow")?;
            test::run(&Workspace::find()?, slow)?
        }
        "tidy" => {
            no_arguments(rest)?;
            tidy::run(&Workspace::find()?)?
        }
        "codegen" => {
            no_arguments(rest)?;
            generated::write(&Workspace::find()?)?;
            true
        }
        "bench" => bench::run(&Workspace::find()?, rest)?,
        unknown => {
            eprintln!("error: there is no command `{unknown}`\n\n{HELP}");
            return Ok(ExitCode::from(2));
        }
    };
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn no_arguments(rest: &[String]) -> Result<(), WrongUsage> {
    rest.first().map_or(Ok(()), |unknown| Err(WrongUsage(unknown.clone())))
}

fn only_flag(rest: &[String], flag: &str) -> Result<bool, WrongUsage> {
    match rest {
        [] => Ok(false),
        [only] if only == flag => Ok(true),
        [first, second, ..] if first == flag => Err(WrongUsage(second.clone())),
        [unknown, ..] => Err(WrongUsage(unknown.clone())),
    }
}
