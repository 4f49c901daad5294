//! Celery on Redis, a task an event.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};

use super::super::stamps;
use super::super::warm::PER_SECOND;
use super::{Measured, Syncs, has_module};
use crate::options::Options;
use crate::peers::redis;
use crate::process::Server;

const TASKS: &str = include_str!("../../../../samples/react/tasks.py");

/// None where there is no Celery, or no Redis.
pub async fn measure(options: &Options, syncs: Syncs) -> Result<Option<Measured>> {
    let Some(program) = options.redis.as_deref().filter(|_| has_module(options, "celery")) else {
        return Ok(None);
    };
    let name = format!("Celery, {}", syncs.told());
    eprintln!("    {name}");
    let often = if syncs == Syncs::AsItComes { "everysec" } else { "always" };
    let server = redis::start_syncing(options, program, often).await?;
    let folder = options.fresh_folder("react-celery")?;
    std::fs::write(folder.join("tasks.py"), TASKS)?;
    let celery = Celery { python: options.python.clone(), folder, broker: server.address };

    let (file, events) = (celery.folder.join("throughput.txt"), options.pick(5_000, 500));
    celery.send(&file, events, 0).await?;
    let worker = celery.worker(&file)?;
    let rate = stamps::rate(&stamps::wait(&file, events as usize).await?);
    worker.stop().await?;

    let (file, events) = (celery.folder.join("latency.txt"), PER_SECOND * options.pick(10, 1));
    let worker = celery.worker(&file)?;
    celery.send(&file, 1, 0).await?;
    stamps::wait(&file, 1).await?;
    celery.send(&file, events, PER_SECOND).await?;
    let stamps = stamps::wait(&file, events as usize + 1).await?;
    worker.stop().await?;
    let latency = stamps[1..].iter().map(|stamp| stamp.took()).collect();
    Ok(Some(Measured { name, latency, rates: vec![(1, rate)] }))
}

struct Celery {
    python: PathBuf,
    folder: PathBuf,
    broker: SocketAddr,
}

impl Celery {
    fn command(&self, stamps: &Path) -> Command {
        let mut command = Command::new(&self.python);
        command.current_dir(&self.folder).env("BENCH_STAMPS", stamps);
        command.env("BENCH_BROKER", format!("redis://{}/0", self.broker));
        command
    }

    fn worker(&self, stamps: &Path) -> Result<Server> {
        let mut command = self.command(stamps);
        command.args(["-m", "celery", "-A", "tasks", "worker", "--concurrency", "1"]);
        command.args(["--loglevel", "WARNING"]);
        Server::start_worker(command, self.broker, &self.folder.join("worker.log"))
    }

    /// Sends events; `per_second` 0 is as fast as it goes.
    async fn send(&self, stamps: &Path, events: u32, per_second: u32) -> Result<()> {
        let mut command = self.command(stamps);
        command.arg("tasks.py").arg(events.to_string()).arg(per_second.to_string());
        let status = tokio::task::spawn_blocking(move || command.status()).await??;
        ensure!(status.success(), "the sender ended with {status}");
        Ok(())
    }
}
