//! `tacho handler reload`.

use crate::command::cells;
use crate::failure::Ending;
use crate::place::{Place, PlaceArguments};
use crate::terminal::{Output, escape};
use anyhow::{Context, Result};
use clap::Args;
use serde_json::json;

/// Have the server read its handlers and tool servers again; an error changes nothing
#[derive(Debug, Args)]
pub struct Reload {
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Print what changed as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: PlaceArguments,
}

impl Reload {
    pub fn run(self) -> Result<Ending> {
        let server = Place::find(&self.place)?.controlled()?;
        let body = self.reason.map_or_else(|| json!({}), |reason| json!({"reason": reason}));
        let answer = server.post_value("/api/handlers/reload", &body)?;
        let changed = answer["changed"].as_array().context("the answer has no `changed`")?;
        let mut output = Output::stdout();
        if self.json {
            output.json(&serde_json::to_vec(&answer)?)?;
        } else if changed.is_empty() {
            output.line("nothing changed")?;
        } else {
            let names: Vec<String> = changed.iter().map(cells::text).collect();
            output.line(&format!("changed: {}", escape(&names.join(", "))))?;
        }
        output.flush()?;
        Ok(Ending::Done)
    }
}
