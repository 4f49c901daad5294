//! `tacho mcp`: between agents and tool servers that speak the Model Context Protocol.

mod child;
mod conversation;
mod delivery;
mod lines;
mod message;
mod pass;
mod proxy;
mod recorder;
mod told;

use crate::failure::Ending;
use anyhow::Result;
use clap::{Args, Subcommand};

/// Tool servers that speak the Model Context Protocol (MCP)
#[derive(Debug, Args)]
pub struct Mcp {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Proxy(proxy::Proxy),
}

impl Mcp {
    pub fn run(self) -> Result<Ending> {
        match self.action {
            Action::Proxy(proxy) => proxy.run(),
        }
    }
}
