//! `tacho dead list`, `causes` and `show`.

use super::{Choice, path};
use crate::command::cells;
use crate::failure::Ending;
use crate::place::{Place, PlaceArguments};
use crate::terminal::{Column, Output, escape};
use anyhow::{Context, Result};
use clap::{Args, value_parser};
use serde_json::Value;

/// Most letters that are asked for at once.
const PAGE_LETTERS: u64 = 1_000;

/// List dead letters, oldest first
#[derive(Debug, Args)]
pub struct List {
    #[command(flatten)]
    choice: Choice,
    /// Most letters to print
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = value_parser!(u64).range(1..))]
    limit: u64,
    /// Print a letter a line as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: PlaceArguments,
}

/// Count dead letters by handler and error
#[derive(Debug, Args)]
pub struct Causes {
    /// Print a cause a line as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: PlaceArguments,
}

/// Show one dead letter: its error and its event
#[derive(Debug, Args)]
pub struct Show {
    /// Its id, as `tacho dead list` prints it
    id: String,
    /// Print it as JSON, on one line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: PlaceArguments,
}

const LETTERS: [Column; 7] = [
    Column::Text("id"),
    Column::Text("handler"),
    Column::Number("attempts"),
    Column::Text("failed at"),
    Column::Text("type"),
    Column::Text("stream"),
    Column::Text("error"),
];
const CAUSES: [Column; 6] = [
    Column::Text("handler"),
    Column::Text("code"),
    Column::Number("count"),
    Column::Text("first"),
    Column::Text("last"),
    Column::Text("message"),
];

impl List {
    pub fn run(self) -> Result<Ending> {
        let place = Place::find(&self.place)?;
        let server = place.server()?;
        let mut output = Output::stdout();
        let (mut rows, mut left, mut cursor) = (Vec::new(), self.limit, None::<String>);
        while left > 0 {
            let limit = left.min(PAGE_LETTERS).to_string();
            let mut more = vec![("limit", limit.as_str())];
            more.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
            let page = server.get_value(&format!("/api/dead-letters{}", self.choice.query(&more)))?;
            let letters = page["dead_letters"].as_array().context("the answer has no `dead_letters`")?;
            for letter in letters.iter().take(usize::try_from(left).unwrap_or(usize::MAX)) {
                if self.json {
                    output.json(&serde_json::to_vec(letter)?)?;
                } else {
                    rows.push(row(letter));
                }
            }
            left = left.saturating_sub(letters.len() as u64);
            cursor = page["next"].as_str().map(str::to_owned);
            if cursor.is_none() {
                break;
            }
        }
        if rows.is_empty() && !self.json {
            output.line("there are no dead letters")?;
        } else if !self.json {
            output.table(&LETTERS, &rows)?;
        }
        output.flush()?;
        Ok(Ending::Done)
    }
}

fn row(letter: &Value) -> Vec<String> {
    let event = &letter["event"];
    let mut row: Vec<String> = ["id", "handler", "attempts"].map(|name| cells::text(&letter[name])).to_vec();
    row.push(cells::moment(&letter["failedAt"]));
    row.extend(["type", "subject"].map(|name| cells::text(&event[name])));
    row.push(cells::error(&letter["error"]));
    row
}

impl Causes {
    pub fn run(self) -> Result<Ending> {
        let answer = Place::find(&self.place)?.server()?.get_value("/api/dead-letters/causes")?;
        let causes = answer["causes"].as_array().context("the answer has no `causes`")?;
        let mut output = Output::stdout();
        if self.json {
            causes.iter().try_for_each(|cause| output.json(cause.to_string().as_bytes()))?;
        } else if causes.is_empty() {
            output.line("there are no dead letters")?;
        } else {
            let row = |cause: &Value| {
                let mut row: Vec<String> =
                    ["handler", "code", "count"].map(|name| cells::text(&cause[name])).to_vec();
                row.extend(["first", "last"].map(|name| cells::moment(&cause[name])));
                row.push(cells::text(&cause["message"]));
                row
            };
            output.table(&CAUSES, &causes.iter().map(row).collect::<Vec<_>>())?;
        }
        output.flush()?;
        Ok(Ending::Done)
    }
}

impl Show {
    pub fn run(self) -> Result<Ending> {
        let letter = Place::find(&self.place)?.server()?.get_value(&path(&self.id, ""))?;
        let mut output = Output::stdout();
        if self.json {
            output.json(&serde_json::to_vec(&letter)?)?;
        } else {
            let facts = [
                ("id", cells::text(&letter["id"])),
                ("handler", cells::text(&letter["handler"])),
                ("attempts", cells::text(&letter["attempts"])),
                ("failed at", cells::moment(&letter["failedAt"])),
                ("error", cells::error(&letter["error"])),
            ];
            for (name, told) in facts {
                output.line(&format!("{name:<10} {}", escape(&told)))?;
            }
            for line in serde_json::to_string_pretty(&letter["event"])?.lines() {
                output.line(&escape(line))?;
            }
        }
        output.flush()?;
        Ok(Ending::Done)
    }
}
