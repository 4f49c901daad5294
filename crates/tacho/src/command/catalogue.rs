//! `tacho catalogue`: the event types that need no registration, as they are checked in. Client libraries make
//! their types of it.

mod page;

use crate::failure::Ending;
use anyhow::{Context, Result};
use clap::Args;
use serde_json::{Value, json};
use std::io::Write;
use tacho_event::catalogue::{ALL, Entry, VERSION};

/// Print the catalogue of event types
#[derive(Debug, Args)]
#[command(hide = true)]
pub struct Catalogue {
    /// Print the reference page instead
    #[arg(long)]
    markdown: bool,
}

impl Catalogue {
    pub fn run(self) -> Result<Ending> {
        let mut stdout = std::io::stdout();
        if self.markdown {
            stdout.write_all(page::page().as_bytes())?;
            return Ok(Ending::Done);
        }
        let events = ALL.iter().map(described).collect::<Result<Vec<Value>>>()?;
        stdout.write_all(&serde_json::to_vec_pretty(&json!({ "events": events }))?)?;
        stdout.write_all(b"\n")?;
        Ok(Ending::Done)
    }
}

fn described(entry: &Entry) -> Result<Value> {
    let read = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).with_context(|| entry.kind.to_owned());
    Ok(json!({
        "type": entry.kind,
        "version": VERSION.to_string(),
        "meaning": entry.meaning,
        "origin": entry.origin.as_str(),
        "severity": entry.severity.map(|severity| severity.as_str()),
        "phase_field": entry.phase_field,
        "agent_field": entry.agent_field,
        "replayable": entry.is_replayable,
        "read_by": entry.read_by,
        "schema": read(&entry.schema())?,
        "example": read(entry.example.as_bytes())?,
    }))
}
