//! `tacho handler`: how deliveries go.

use crate::client::{Client, percent_encode};
use crate::failure::Ending;
use crate::place::{Place, PlaceArguments};
use crate::terminal::{Output, escape};
use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use serde_json::Value;

/// Handlers and sinks of a running server, and how far each is
#[derive(Debug, Args)]
pub struct Handler {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    List(List),
    Show(Show),
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

/// Show one handler or sink
#[derive(Debug, Args)]
struct Show {
    /// Its name
    name: String,
    /// Print it as JSON
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
        }
    }
}

impl List {
    fn run(self) -> Result<Ending> {
        let answer = ask(&Place::find(&self.place)?.client, "/api/handlers")?;
        let handlers = answer["handlers"].as_array().context("the answer has no `handlers`")?;
        let mut output = Output::stdout();
        for handler in handlers {
            if self.json {
                output.json(&serde_json::to_vec(handler)?)?;
                continue;
            }
            let (name, state) = (escape(text(handler, "name")), text(handler, "state"));
            let mut line = format!("{name:<20} {state:<8}");
            for count in ["pending", "done", "dead", "skipped"] {
                line.push_str(&format!(" {count} {:<8}", handler[count].as_u64().unwrap_or(0)));
            }
            if let Some(error) = handler["last_error"].as_str() {
                line.push_str(&output.palette.dim(escape(error)));
            }
            output.line(line.trim_end())?;
        }
        if handlers.is_empty() && !self.json {
            output.line("no handler runs there: add a [[sink]] to its tacho.toml")?;
        }
        output.flush()?;
        Ok(Ending::Done)
    }
}

impl Show {
    fn run(self) -> Result<Ending> {
        let mut path = "/api/handlers/".to_owned();
        percent_encode(&self.name, &mut path);
        let handler = ask(&Place::find(&self.place)?.client, &path)?;
        let mut output = Output::stdout();
        if self.json {
            output.json(&serde_json::to_vec(&handler)?)?;
        } else {
            for (name, value) in
                handler.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null())
            {
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                output.line(&format!("{:<16} {}", name.replace('_', " "), escape(&value)))?;
            }
        }
        output.flush()?;
        Ok(Ending::Done)
    }
}

fn ask(client: &Client, path: &str) -> Result<Value> {
    serde_json::from_slice(&client.get(path)?).context("the server's answer cannot be read")
}

fn text<'a>(handler: &'a Value, name: &str) -> &'a str {
    handler[name].as_str().unwrap_or_default()
}
