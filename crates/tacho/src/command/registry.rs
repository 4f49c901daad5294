//! `tacho registry`: who is there to do something.

mod act;
mod register;

use super::cells;
use crate::client::{percent_encode, query_string};
use crate::failure::Ending;
use crate::place::{Place, PlaceArguments};
use crate::terminal::{Column, Output, escape};
use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use serde_json::Value;

/// Handlers and tool servers of a running server: who is there, what they can do, whether they are well
#[derive(Debug, Args)]
pub struct Registry {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    List(List),
    Show(Show),
    Drain(act::Drain),
    Restore(act::Restore),
    Register(register::Register),
    Remove(act::Remove),
}

/// List who is there
#[derive(Debug, Args)]
struct List {
    /// Those who were removed, too
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    moment: At,
    /// Print an entry a line as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: PlaceArguments,
}

/// Show one entry
#[derive(Debug, Args)]
struct Show {
    /// Its id
    id: String,
    #[command(flatten)]
    moment: At,
    /// Print it as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: PlaceArguments,
}

#[derive(Debug, Args)]
struct At {
    /// As it was at this position of the log, or at this moment
    #[arg(long, value_name = "TIME|POSITION")]
    at: Option<String>,
}

const COLUMNS: [Column; 7] = [
    Column::Text("id"),
    Column::Text("kind"),
    Column::Text("state"),
    Column::Text("version"),
    Column::Text("run"),
    Column::Text("origin"),
    Column::Text("capabilities"),
];

impl Registry {
    pub fn run(self) -> Result<Ending> {
        match self.action {
            Action::List(list) => list.run(),
            Action::Show(show) => show.run(),
            Action::Drain(drain) => drain.run(),
            Action::Restore(restore) => restore.run(),
            Action::Register(register) => register.run(),
            Action::Remove(remove) => remove.run(),
        }
    }
}

impl At {
    fn query(&self) -> String {
        query_string(self.at.as_deref().map(|at| ("at", at)))
    }
}

impl List {
    fn run(self) -> Result<Ending> {
        let path = format!("/api/registry{}", self.moment.query());
        let answer = Place::find(&self.place)?.server()?.get_value(&path)?;
        let entries = answer["entries"].as_array().context("the answer has no `entries`")?;
        let mut entries = entries.iter().filter(|entry| self.all || entry["state"] != "removed").peekable();
        let mut output = Output::stdout();
        if self.json {
            entries
                .try_for_each(|entry| Ok::<_, anyhow::Error>(output.json(&serde_json::to_vec(entry)?)?))?;
        } else if entries.peek().is_none() {
            output.line(
                "nobody is there: add a [[handler]] or an [[mcp]] to its tacho.toml, or register one",
            )?;
        } else {
            output.table(&COLUMNS, &entries.map(row).collect::<Vec<_>>())?;
        }
        output.flush()?;
        Ok(Ending::Done)
    }
}

impl Show {
    fn run(self) -> Result<Ending> {
        let path = path(&self.id, &self.moment.query());
        let entry = Place::find(&self.place)?.server()?.get_value(&path)?;
        tell(&entry, self.json)
    }
}

fn row(entry: &Value) -> Vec<String> {
    let mut row: Vec<String> = ["id", "kind"].map(|name| cells::text(&entry[name])).to_vec();
    row.push(state(entry));
    row.extend(["version", "run", "origin"].map(|name| cells::text(&entry[name])));
    row.push(words(&entry["capabilities"]));
    row
}

/// The state, and that it is not well where the state does not say so.
fn state(entry: &Value) -> String {
    let state = cells::text(&entry["state"]);
    match entry["health"]["ok"].as_bool() {
        Some(false) if state == "running" => "running, not well".to_owned(),
        _ => state,
    }
}

fn words(list: &Value) -> String {
    list.as_array().into_iter().flatten().map(cells::text).collect::<Vec<_>>().join(", ")
}

/// One entry, a fact a line or as JSON.
fn tell(entry: &Value, as_json: bool) -> Result<Ending> {
    let mut output = Output::stdout();
    if as_json {
        output.json(&serde_json::to_vec(entry)?)?;
    } else {
        for (name, value) in entry.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null()) {
            let told = match value {
                Value::Object(parts) => {
                    let parts = parts.iter().filter(|(_, value)| !value.is_null());
                    let part = |(name, value): (&String, &Value)| format!("{name} {}", cells::text(value));
                    parts.map(part).collect::<Vec<_>>().join(", ")
                }
                Value::Array(_) => words(value),
                value => cells::text(value),
            };
            output.line(&format!("{:<16} {}", escape(name), escape(&told)))?;
        }
    }
    output.flush()?;
    Ok(Ending::Done)
}

/// `/api/registry/ID`, and what stands behind it.
fn path(id: &str, rest: &str) -> String {
    let mut path = "/api/registry/".to_owned();
    percent_encode(id, &mut path);
    path + rest
}
