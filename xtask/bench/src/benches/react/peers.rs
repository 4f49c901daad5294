//! What else runs Python for an event: a command hook, Celery on Redis, a work queue of NATS JetStream.

mod celery;
mod hook;
mod work_queue;

use std::process::{Command, Stdio};

use anyhow::Result;

use super::Part;
use super::warm::{PER_SECOND, Warm};
use crate::latency::Latencies;
use crate::options::Options;
use crate::report::Verdict;

pub use hook::{HOOK_PAYLOAD, run_hook};

/// How often a peer's server syncs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Syncs {
    BeforeAnswer,
    AsItComes,
}

impl Syncs {
    fn told(self) -> &'static str {
        match self {
            Syncs::BeforeAnswer => "synced",
            Syncs::AsItComes => "as it comes",
        }
    }
}

/// What a peer came to.
struct Measured {
    name: String,
    /// Of single events, from sending to the worker.
    latency: Latencies,
    /// With one worker: events of a delivery, and events a second.
    rates: Vec<(usize, f64)>,
}

pub async fn measure(options: &Options, warm: &Warm) -> Result<Part> {
    let mut part = Part::default();
    hook::measure(options, warm, &mut part).await?;
    for syncs in [Syncs::BeforeAnswer, Syncs::AsItComes] {
        let peers = [
            ("Celery", celery::measure(options, syncs).await),
            ("NATS", work_queue::measure(options, syncs).await),
        ];
        for (name, measured) in peers {
            match measured {
                Ok(Some(measured)) => beside(warm, &measured, &mut part),
                Ok(None) => part.notes.push(format!("{name} is left out: its programs could not be had.")),
                Err(error) => part.notes.push(format!("{name} is left out: {error:#}")),
            }
        }
    }
    part.notes.push(
        "The hook is the command that Claude Code would run, started by the generator without a shell, which flatters \
         it. Celery: a prefork worker of one process with `task_acks_late`, on Redis with `appendfsync always`, and as \
         it comes, with `everysec`. NATS: a stream of work-queue retention with a pull consumer, with `sync_interval: \
         always`, and as it comes, with `2m`. Their events were there before the worker began, and are counted by the \
         worker's own clock from the first to the last; Tachograph's count as done once that is on the log, and it \
         syncs in every case."
            .to_owned(),
    );
    Ok(part)
}

fn beside(warm: &Warm, measured: &Measured, part: &mut Part) {
    let Measured { name, latency, rates } = measured;
    part.latency(format!("{name}: from sending to its worker"), latency);
    part.verdicts.push(Verdict::at_most(
        format!("append to a warm Python worker beside {name}, median"),
        warm.latency.percentile_ms(50.0) / latency.percentile_ms(50.0),
        1.0,
        "×",
    ));
    if rates.first().is_some_and(|(_, rate)| *rate < f64::from(PER_SECOND)) {
        part.notes.push(format!(
            "{name} did not keep up with {PER_SECOND} events a second here: its latency is that of a queue that grew."
        ));
    }
    for (batch, rate) in rates {
        let plural = if *batch == 1 { "" } else { "s" };
        part.rate(format!("{name}: 1 worker, {batch} event{plural} a delivery"), *rate);
        let own = warm.rates.iter().find(|(of, _)| of == batch).map_or(0.0, |(_, rate)| *rate);
        part.verdicts.push(Verdict::at_least(
            format!("1 worker, {batch} event{plural} a delivery, beside {name}"),
            own / rate,
            1.0,
            "×",
        ));
    }
}

fn has_module(options: &Options, name: &str) -> bool {
    let mut command = Command::new(&options.python);
    command.args(["-c", &format!("import {name}")]).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
