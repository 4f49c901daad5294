//! `tacho handler show`.

use super::{path, print_lines};
use crate::command::cells;
use crate::failure::Ending;
use crate::place::{Place, PlaceArguments};
use crate::terminal::{Column, Output, escape};
use anyhow::{Context, Result};
use clap::Args;
use serde_json::Value;

/// Show one handler or sink
#[derive(Debug, Args)]
pub struct Show {
    /// Its name
    name: String,
    /// What waits: attempts, last errors, next times
    #[arg(long, conflicts_with = "deliveries")]
    pending: bool,
    /// The last deliveries, newest first
    #[arg(long)]
    deliveries: bool,
    /// Print it as JSON, an object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: PlaceArguments,
}

const PENDING: [Column; 8] = [
    Column::Number("position"),
    Column::Text("type"),
    Column::Text("stream"),
    Column::Text("state"),
    Column::Number("attempt"),
    Column::Text("next attempt"),
    Column::Text("priority"),
    Column::Text("error"),
];
const DELIVERIES: [Column; 8] = [
    Column::Number("position"),
    Column::Text("type"),
    Column::Text("stream"),
    Column::Text("outcome"),
    Column::Number("attempt"),
    Column::Text("started"),
    Column::Number("took"),
    Column::Text("error"),
];

impl Show {
    pub fn run(self) -> Result<Ending> {
        let place = Place::find(&self.place)?;
        let server = place.server()?;
        let mut output = Output::stdout();
        let part = if self.pending { "pending" } else { "deliveries" };
        if self.pending || self.deliveries {
            let answer = server.get_value(&path(&self.name, &format!("/{part}")))?;
            let items = answer[part].as_array().with_context(|| format!("the answer has no `{part}`"))?;
            if self.json {
                print_lines(items, &mut output)?;
            } else if items.is_empty() {
                output.line(if self.pending { "nothing waits" } else { "nothing was delivered lately" })?;
            } else if self.pending {
                output.table(&PENDING, &items.iter().map(pending).collect::<Vec<_>>())?;
            } else {
                output.table(&DELIVERIES, &items.iter().map(delivery).collect::<Vec<_>>())?;
            }
        } else {
            let handler = server.get_value(&path(&self.name, ""))?;
            if self.json { print_lines(&[handler], &mut output)? } else { print(&handler, &mut output)? }
        }
        output.flush()?;
        Ok(Ending::Done)
    }
}

/// A fact a line; of what has parts, each part.
fn print(handler: &Value, output: &mut Output) -> Result<()> {
    for (name, value) in handler.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null()) {
        let told = match value {
            Value::Object(parts) => {
                let part = |(name, value): (&String, &Value)| format!("{name} {}", cells::text(value));
                parts.iter().map(part).collect::<Vec<_>>().join(", ")
            }
            value => cells::text(value),
        };
        output.line(&format!("{:<16} {}", escape(&name.replace('_', " ")), escape(&told)))?;
    }
    Ok(())
}

fn pending(item: &Value) -> Vec<String> {
    let mut row: Vec<String> = ["position", "event_type", "subject", "state", "attempt"]
        .map(|name| cells::text(&item[name]))
        .to_vec();
    row.push(cells::moment(&item["next_attempt"]));
    row.push(cells::text(&item["priority"]));
    row.push(cells::error(&item["error"]));
    row
}

fn delivery(item: &Value) -> Vec<String> {
    let mut row: Vec<String> = ["position", "event_type", "subject", "outcome", "attempt"]
        .map(|name| cells::text(&item[name]))
        .to_vec();
    row.push(cells::moment(&item["started"]));
    row.push(cells::milliseconds(&item["duration_ms"]));
    row.push(cells::error(&item["error"]));
    row
}
