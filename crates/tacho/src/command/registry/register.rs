//! `tacho registry register`.

use super::tell;
use crate::failure::{Ending, WrongUsage};
use crate::place::{Place, PlaceArguments};
use anyhow::Result;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

/// Register a web address, or an MCP server at one; it is there after a restart, too
#[derive(Debug, Args)]
pub struct Register {
    /// Its id: small letters, digits, `.`, `_`, `-`
    id: String,
    /// What is at the address
    #[arg(long, value_enum, default_value = "http")]
    kind: Kind,
    /// Where it is: https, or http of this machine
    #[arg(long)]
    url: String,
    /// What it can do; may be given several times
    #[arg(long, value_name = "WORD")]
    capability: Vec<String>,
    /// Its version, such as 1.2.0
    #[arg(long = "provider-version", value_name = "VERSION")]
    version: Option<String>,
    /// The events that it gets of its own accord: a pattern of types, or conditions as JSON
    #[arg(long, value_name = "PATTERN|JSON")]
    on: Option<String>,
    /// Of an MCP server: the tool that gets those events
    #[arg(long)]
    tool: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Print the entry as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: PlaceArguments,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    Http,
    Mcp,
}

impl Register {
    pub fn run(self) -> Result<Ending> {
        let on: Option<Value> = match self.on {
            Some(text) if text.starts_with(['{', '[']) => Some(
                serde_json::from_str(&text)
                    .map_err(|error| WrongUsage(format!("--on is no JSON: {error}")))?,
            ),
            on => on.map(Value::from),
        };
        let mut body = json!({
            "id": self.id,
            "kind": match self.kind { Kind::Http => "http", Kind::Mcp => "mcp" },
            "url": self.url,
            "capabilities": self.capability,
        });
        let further = [("version", self.version), ("tool", self.tool), ("reason", self.reason)]
            .map(|(name, text)| (name, text.map(Value::from)));
        for (name, value) in further.into_iter().chain([("on", on)]) {
            if let Some(value) = value {
                body[name] = value;
            }
        }
        let server = Place::find(&self.place)?.controlled()?;
        tell(&server.post_value("/api/registry", &body)?, self.json)
    }
}
