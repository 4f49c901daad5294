//! Measures Tachograph beside its peers on this machine, in one run. `cargo xtask bench` builds it, hands it the
//! programs and a folder on the disk to measure, and passes the arguments on.
//!
//! One thread drives every client, so that the generator takes little from a machine that the servers share.

mod benches;
mod fill;
mod http;
mod issue;
mod latency;
mod load;
mod machine;
mod options;
mod payload;
mod peers;
mod process;
mod receiver;
mod report;
mod subscriber;
mod tacho;
mod work;

use std::process::ExitCode;

use anyhow::{Context, Result};
use tokio::signal::unix::{SignalKind, signal};

use benches::BENCHES;
use options::{HELP, Options, Request};
use report::Report;

fn main() -> ExitCode {
    let request = match Options::parse(std::env::args().skip(1)) {
        Ok(request) => request,
        Err(error) => {
            eprintln!("error: {error:#}");
            return ExitCode::from(2);
        }
    };
    let options = match request {
        Request::Help => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Request::List => {
            BENCHES.iter().for_each(|bench| println!("{:10} {}", bench.name, bench.about));
            return ExitCode::SUCCESS;
        }
        Request::Run(options) => options,
    };
    match run(&options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Answers whether every bench could be measured; a missed floor is a figure, not a failure.
fn run(options: &Options) -> Result<bool> {
    // Whoever started the generator may be killed; the servers must not outlive that.
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::TERM))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        // Dropping the measurement ends every server that it started.
        tokio::select! {
            measured = measure(options) => measured,
            _ = interrupt.recv() => Ok(false),
            _ = terminate.recv() => Ok(false),
        }
    })
}

async fn measure(options: &Options) -> Result<bool> {
    let mut report = Report::new(machine::describe(&options.data)?, options.quick);
    let mut complete = true;
    for bench in BENCHES.iter().filter(|bench| options.wants(bench)) {
        eprintln!("==> {}: {}", bench.name, bench.about);
        match (bench.run)(options).await {
            Ok(section) => report.add(section),
            Err(error) => {
                complete = false;
                eprintln!("{} could not be measured: {error:#}", bench.name);
                report.add_failure(bench.name, &error);
            }
        }
    }
    if options.json {
        println!("{}", report.json());
    } else {
        print!("{}", report.markdown());
    }
    if options.write {
        std::fs::write("BENCHMARKS.md", report.markdown()).context("BENCHMARKS.md cannot be written")?;
        eprintln!("wrote BENCHMARKS.md");
    }
    Ok(complete)
}
