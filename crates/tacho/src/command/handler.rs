//! `tacho handler`: how deliveries go, and what is done about them.

mod act;
mod reload;
mod show;
mod test;

use super::cells;
use crate::client::percent_encode;
use crate::failure::Ending;
use crate::place::{Place, PlaceArguments};
use crate::terminal::{Column, Output};
use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use serde_json::Value;

/// Handlers and sinks of a running server: how far each is, and what is to be done
#[derive(Debug, Args)]
pub struct Handler {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    List(List),
    Show(show::Show),
    Pause(act::Pause),
    Resume(act::Resume),
    Retry(act::Retry),
    Reload(reload::Reload),
    Test(test::Test),
}

/// List every handler and sink
#[derive(Debug, Args)]
struct List {
    /// Print a handler a line as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: PlaceArguments,
}

impl Handler {
    pub fn run(self) -> Result<Ending> {
        match self.action {
            Action::List(list) => list.run(),
            Action::Show(show) => show.run(),
            Action::Pause(pause) => pause.run(),
            Action::Resume(resume) => resume.run(),
            Action::Retry(retry) => retry.run(),
            Action::Reload(reload) => reload.run(),
            Action::Test(test) => test.run(),
        }
    }
}

const COLUMNS: [Column; 10] = [
    Column::Text("name"),
    Column::Text("kind"),
    Column::Text("state"),
    Column::Number("pending"),
    Column::Number("done"),
    Column::Number("dead"),
    Column::Number("skipped"),
    Column::Number("p99"),
    Column::Number("success"),
    Column::Text("last error"),
];

impl List {
    fn run(self) -> Result<Ending> {
        let answer = Place::find(&self.place)?.server()?.get_value("/api/handlers")?;
        let handlers = answer["handlers"].as_array().context("the answer has no `handlers`")?;
        let mut output = Output::stdout();
        if self.json {
            print_lines(handlers, &mut output)?;
        } else if handlers.is_empty() {
            output.line("no handler runs there: add a [[handler]] or a [[sink]] to its tacho.toml")?;
        } else {
            let rows: Vec<Vec<String>> = handlers.iter().map(row).collect();
            output.table(&COLUMNS, &rows)?;
        }
        output.flush()?;
        Ok(Ending::Done)
    }
}

fn row(handler: &Value) -> Vec<String> {
    let mut row: Vec<String> = ["name", "kind"].map(|name| cells::text(&handler[name])).to_vec();
    row.push(state(handler));
    row.extend(["pending", "done", "dead", "skipped"].map(|name| cells::text(&handler[name])));
    row.push(cells::milliseconds(&handler["latency_ms"]["p99"]));
    row.push(cells::percent(&handler["success_rate"]));
    row.push(cells::error(&handler["last_error"]));
    row
}

/// The state, and the breaker where that is not closed.
fn state(handler: &Value) -> String {
    let state = cells::text(&handler["state"]);
    match handler["breaker"].as_str() {
        Some("open") => format!("{state}, breaker open"),
        Some("half_open") => format!("{state}, breaker half open"),
        _ => state,
    }
}

/// One JSON document a line.
fn print_lines(values: &[Value], output: &mut Output) -> Result<()> {
    values.iter().try_for_each(|value| Ok(output.json(&serde_json::to_vec(value)?)?))
}

/// `/api/handlers/NAME`, and what stands behind it.
fn path(name: &str, rest: &str) -> String {
    let mut path = "/api/handlers/".to_owned();
    percent_encode(name, &mut path);
    path + rest
}
