//! NATS JetStream with `sync_interval: always`: every message is synced before it is acknowledged.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use anyhow::Result;
use async_nats::jetstream;
use async_nats::jetstream::stream::{Config, RetentionPolicy, StorageType};

use crate::load::Client;
use crate::options::Options;
use crate::payload::{Variety, payload};
use crate::process::{Server, free_address};

const SUBJECT: &str = "bench.events";

pub async fn start(options: &Options, program: &Path) -> Result<Server> {
    start_syncing(options, program, "always").await
}

/// A server that syncs so often: `always`, or `2m`, as it comes.
pub async fn start_syncing(options: &Options, program: &Path, often: &str) -> Result<Server> {
    let (folder, address) = (options.fresh_folder("nats")?, free_address()?);
    let config = folder.join("server.conf");
    let store = folder.join("store");
    fs::write(
        &config,
        format!("listen: \"{address}\"\njetstream {{ store_dir: {store:?}, sync_interval: {often} }}\n"),
    )?;
    let mut command = Command::new(program);
    command.arg("--config").arg(config);
    let server = Server::start(command, address, &folder.join("server.log")).await?;
    let stream = Config {
        name: "BENCH".to_owned(),
        subjects: vec!["bench.>".to_owned()],
        storage: StorageType::File,
        ..Config::default()
    };
    context(address).await?.create_stream(stream).await?;
    Ok(server)
}

async fn context(address: SocketAddr) -> Result<jetstream::Context> {
    Ok(jetstream::new(async_nats::connect(format!("nats://{address}")).await?))
}

/// Makes a stream whose messages are gone once they are acknowledged, and answers who publishes to it.
pub async fn work_queue(address: SocketAddr, subject: &str) -> Result<jetstream::Context> {
    let context = context(address).await?;
    let stream = Config {
        name: "WORK".to_owned(),
        subjects: vec![subject.to_owned()],
        storage: StorageType::File,
        retention: RetentionPolicy::WorkQueue,
        ..Config::default()
    };
    context.create_stream(stream).await?;
    Ok(context)
}

pub struct NatsClient {
    context: jetstream::Context,
    payload: Vec<u8>,
}

impl NatsClient {
    pub async fn connect(address: SocketAddr) -> Result<NatsClient> {
        Ok(NatsClient {
            context: context(address).await?,
            payload: payload(&mut Variety::new(3)).into_bytes(),
        })
    }
}

impl Client for NatsClient {
    /// A batch is that many messages in flight: each is acknowledged, all are awaited.
    async fn append(&mut self, count: usize) -> Result<()> {
        let mut acknowledgements = Vec::with_capacity(count);
        for _ in 0..count {
            acknowledgements.push(self.context.publish(SUBJECT, self.payload.clone().into()).await?);
        }
        for acknowledgement in acknowledgements {
            acknowledgement.await?;
        }
        Ok(())
    }
}
