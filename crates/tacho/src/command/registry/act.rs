//! `tacho registry drain`, `restore` and `remove`.

use super::{path, tell};
use crate::client::query_string;
use crate::failure::Ending;
use crate::place::{Place, PlaceArguments};
use anyhow::Result;
use clap::Args;
use serde_json::json;

/// Give one nothing new; what it is doing ends
#[derive(Debug, Args)]
pub struct Drain {
    #[command(flatten)]
    target: Target,
}

/// Take a drain back
#[derive(Debug, Args)]
pub struct Restore {
    #[command(flatten)]
    target: Target,
}

/// Remove one that registered itself; its place on the log stays
#[derive(Debug, Args)]
pub struct Remove {
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, Args)]
struct Target {
    /// Its id
    id: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Print the entry as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: PlaceArguments,
}

impl Drain {
    pub fn run(self) -> Result<Ending> {
        self.target.act("/drain")
    }
}

impl Restore {
    pub fn run(self) -> Result<Ending> {
        self.target.act("/restore")
    }
}

impl Remove {
    pub fn run(self) -> Result<Ending> {
        let target = self.target;
        let server = Place::find(&target.place)?.controlled()?;
        let query = query_string(target.reason.as_deref().map(|reason| ("reason", reason)));
        let entry = serde_json::from_slice(&server.delete(&path(&target.id, &query))?)?;
        tell(&entry, target.json)
    }
}

impl Target {
    fn act(self, action: &str) -> Result<Ending> {
        let server = Place::find(&self.place)?.controlled()?;
        let body = self.reason.map_or_else(|| json!({}), |reason| json!({"reason": reason}));
        let entry = server.post_value(&path(&self.id, action), &body)?;
        tell(&entry, self.json)
    }
}
