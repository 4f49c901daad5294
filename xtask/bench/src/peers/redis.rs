//! Redis Streams with the append-only file synced before every answer.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use anyhow::Result;
use redis::aio::MultiplexedConnection;

use crate::load::Client;
use crate::options::Options;
use crate::payload::{Variety, payload};
use crate::process::{Server, free_address};

pub async fn start(options: &Options, program: &Path) -> Result<Server> {
    start_syncing(options, program, "always").await
}

/// A server whose append-only file is synced so often: `always`, or `everysec`, as it comes.
pub async fn start_syncing(options: &Options, program: &Path, often: &str) -> Result<Server> {
    let (folder, address) = (options.fresh_folder("redis")?, free_address()?);
    let mut command = Command::new(program);
    command.args(["--port", &address.port().to_string(), "--bind", "127.0.0.1", "--save", ""]);
    command.args(["--appendonly", "yes", "--appendfsync", often, "--dir"]).arg(&folder);
    Server::start(command, address, &folder.join("server.log")).await
}

pub struct RedisClient {
    connection: MultiplexedConnection,
    payload: String,
}

impl RedisClient {
    pub async fn connect(address: SocketAddr) -> Result<RedisClient> {
        let client = redis::Client::open(format!("redis://{address}/"))?;
        let connection = client.get_multiplexed_async_connection().await?;
        Ok(RedisClient { connection, payload: payload(&mut Variety::new(3)) })
    }
}

impl Client for RedisClient {
    /// A batch is a pipeline.
    async fn append(&mut self, count: usize) -> Result<()> {
        let mut pipeline = redis::pipe();
        for _ in 0..count {
            pipeline.cmd("XADD").arg("bench").arg("*").arg("data").arg(&self.payload).ignore();
        }
        Ok(pipeline.query_async(&mut self.connection).await?)
    }
}
