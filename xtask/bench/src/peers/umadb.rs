//! UmaDB, which syncs every append by itself. The messages follow its published `umadb.v1` protocol; writing out the
//! three that an append needs spares the generator a protocol compiler and a TLS stack.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use anyhow::Result;
use tonic::Request;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Channel, Endpoint};
use tonic_prost::ProstCodec;

use crate::load::Client;
use crate::options::Options;
use crate::payload::{Variety, payload};
use crate::process::{Server, free_address};

const APPEND: &str = "/umadb.v1.DCB/Append";

#[derive(Clone, PartialEq, prost::Message)]
struct Event {
    #[prost(string, tag = "1")]
    event_type: String,
    #[prost(string, repeated, tag = "2")]
    tags: Vec<String>,
    #[prost(bytes = "vec", tag = "3")]
    data: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct AppendRequest {
    #[prost(message, repeated, tag = "1")]
    events: Vec<Event>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct AppendResponse {
    #[prost(uint64, tag = "1")]
    position: u64,
}

pub async fn start(options: &Options, program: &Path) -> Result<Server> {
    let (folder, address) = (options.fresh_folder("umadb")?, free_address()?);
    let mut command = Command::new(program);
    command.arg("--listen").arg(address.to_string()).arg("--db-path").arg(folder.join("events.db"));
    // Its faster writer; it syncs data and header before it acknowledges too.
    command.args(["--pipelined-writer", "true"]);
    Server::start(command, address, &folder.join("server.log")).await
}

pub struct UmaDbClient {
    client: Grpc<Channel>,
    event: Event,
}

impl UmaDbClient {
    pub async fn connect(address: SocketAddr) -> Result<UmaDbClient> {
        let channel = Endpoint::from_shared(format!("http://{address}"))?.tcp_nodelay(true).connect().await?;
        let event = Event {
            event_type: "bench.appended".to_owned(),
            tags: vec!["task:bench".to_owned()],
            data: payload(&mut Variety::new(3)).into_bytes(),
        };
        Ok(UmaDbClient { client: Grpc::new(channel), event })
    }
}

impl Client for UmaDbClient {
    async fn append(&mut self, count: usize) -> Result<()> {
        let request = AppendRequest { events: vec![self.event.clone(); count] };
        self.client.ready().await?;
        let codec = ProstCodec::<AppendRequest, AppendResponse>::default();
        self.client.unary(Request::new(request), PathAndQuery::from_static(APPEND), codec).await?;
        Ok(())
    }
}
