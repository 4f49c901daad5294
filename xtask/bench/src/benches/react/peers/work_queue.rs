//! A work queue of NATS JetStream, with a pull consumer in Python.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use async_nats::jetstream::Context;

use super::super::stamps::{self, now_ns};
use super::super::warm::PER_SECOND;
use super::{Measured, Syncs, has_module};
use crate::options::Options;
use crate::peers::nats;
use crate::process::Server;

const WORKER: &str = include_str!("../../../../samples/react/work_queue.py");
const SUBJECT: &str = "work.events";
/// Messages in flight of who fills the queue.
const IN_FLIGHT: usize = 100;

/// None where there is no server, or no client in Python.
pub async fn measure(options: &Options, syncs: Syncs) -> Result<Option<Measured>> {
    let Some(program) = options.nats.as_deref().filter(|_| has_module(options, "nats")) else {
        return Ok(None);
    };
    let name = format!("NATS, {}", syncs.told());
    eprintln!("    {name}");
    let often = if syncs == Syncs::AsItComes { "2m" } else { "always" };
    let server = nats::start_syncing(options, program, often).await?;
    let context = nats::work_queue(server.address, SUBJECT).await?;
    let folder = options.fresh_folder("react-nats")?;
    let script = folder.join("work_queue.py");
    std::fs::write(&script, WORKER)?;
    let worker = |batch: usize, stamps: &Path| {
        let mut command = Command::new(&options.python);
        command.arg(&script).arg(server.address.to_string()).arg(SUBJECT);
        command.arg(batch.to_string()).arg(stamps);
        Server::start_worker(command, server.address, &folder.join("worker.log"))
    };

    let (events, mut rates) = (options.pick(10_000, 1_000), Vec::new());
    for batch in [1, 100] {
        fill(&context, events).await?;
        let file = folder.join(format!("throughput-{batch}.txt"));
        let worker = worker(batch, &file)?;
        rates.push((batch, stamps::rate(&stamps::wait(&file, events).await?)));
        worker.stop().await?;
    }

    let (file, events) = (folder.join("latency.txt"), (PER_SECOND * options.pick(10, 1)) as usize);
    let worker = worker(1, &file)?;
    fill(&context, IN_FLIGHT).await?;
    stamps::wait(&file, IN_FLIGHT).await?;
    let begun = tokio::time::Instant::now();
    for event in 0..events {
        tokio::time::sleep_until(begun + Duration::from_secs(1) / PER_SECOND * event as u32).await;
        context.publish(SUBJECT, payload().into()).await?.await?;
    }
    let stamps = stamps::wait(&file, IN_FLIGHT + events).await?;
    worker.stop().await?;
    let latency = stamps[IN_FLIGHT..].iter().map(|stamp| stamp.took()).collect();
    Ok(Some(Measured { name, latency, rates }))
}

fn payload() -> String {
    format!("{{\"sent\":{},\"text\":\"{}\"}}", now_ns(), "x".repeat(220))
}

async fn fill(context: &Context, events: usize) -> Result<()> {
    for _ in (0..events).step_by(IN_FLIGHT) {
        let mut acknowledgements = Vec::with_capacity(IN_FLIGHT);
        for _ in 0..IN_FLIGHT {
            acknowledgements.push(context.publish(SUBJECT, payload().into()).await?);
        }
        for acknowledgement in acknowledgements {
            acknowledgement.await?;
        }
    }
    Ok(())
}
