//! What to measure, and with which programs.

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::benches::{BENCHES, Bench};

pub const HELP: &str = "\
Usage: cargo xtask bench [NAME...] [--quick] [--json] [--write] [--list]

  NAME      what to measure (default: all but those that --list calls long)
  --quick   shorter runs and 200,000 events instead of 5,000,000, to see whether it works
  --json    print one JSON document instead of Markdown
  --write   also write BENCHMARKS.md
  --list    name what can be measured
";

pub struct Options {
    names: Vec<String>,
    pub quick: bool,
    pub json: bool,
    pub write: bool,
    /// On the disk to measure; emptied as the run goes.
    pub data: PathBuf,
    pub tacho: PathBuf,
    /// The interpreter itself: a wrapper script would be measured with it.
    pub python: PathBuf,
    /// None where the peer could not be had.
    pub nats: Option<PathBuf>,
    pub redis: Option<PathBuf>,
    pub umadb: Option<PathBuf>,
    /// None where there is no browser.
    pub chromium: Option<PathBuf>,
    /// The dashboard's sources, whose packages drive the browser.
    pub web: PathBuf,
}

pub enum Request {
    Help,
    List,
    Run(Box<Options>),
}

impl Options {
    pub fn parse(arguments: impl Iterator<Item = String>) -> Result<Request> {
        let path = |name: &str| std::env::var_os(name).map(PathBuf::from);
        let mut options = Options {
            names: Vec::new(),
            quick: false,
            json: false,
            write: false,
            data: path("TACHO_BENCH_DATA").unwrap_or_else(|| "target/bench".into()),
            tacho: path("TACHO").unwrap_or_else(|| "target/release/tacho".into()),
            python: path("TACHO_BENCH_PYTHON").unwrap_or_else(|| "python3".into()),
            nats: path("TACHO_BENCH_NATS"),
            redis: path("TACHO_BENCH_REDIS"),
            umadb: path("TACHO_BENCH_UMADB"),
            chromium: path("TACHO_BENCH_CHROMIUM"),
            web: path("TACHO_BENCH_WEB").unwrap_or_else(|| "web".into()),
        };
        for argument in arguments {
            match argument.as_str() {
                "--help" | "-h" => return Ok(Request::Help),
                "--list" => return Ok(Request::List),
                "--quick" => options.quick = true,
                "--json" => options.json = true,
                "--write" => options.write = true,
                name if BENCHES.iter().any(|bench| bench.name == name) => options.names.push(argument),
                unknown => {
                    bail!("there is no bench and no option `{unknown}`: see `cargo xtask bench --list`")
                }
            }
        }
        Ok(Request::Run(Box::new(options)))
    }

    pub fn wants(&self, bench: &Bench) -> bool {
        if self.names.is_empty() { !bench.long } else { self.names.iter().any(|name| name == bench.name) }
    }

    /// An empty folder for one server's or one file's data.
    pub fn fresh_folder(&self, name: &str) -> Result<PathBuf> {
        let folder = self.data.join(name);
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        std::fs::create_dir_all(&folder)?;
        Ok(std::path::absolute(folder)?)
    }

    /// `full`, or `quick` in a quick run.
    pub fn pick<T>(&self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }
}
