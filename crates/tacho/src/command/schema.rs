//! `tacho schema`: what the payloads of event types look like.

mod check;
mod known;
mod register;
mod scan;

use crate::failure::Ending;
use crate::place::{Place, PlaceArguments};
use crate::terminal::{Output, escape};
use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use known::Known;
use serde_json::{Value, json};
use std::sync::Arc;
use tacho_event::schema::{Registered, Version};

/// The registry of schemas: list, show, check, register, scan
#[derive(Debug, Args)]
pub struct Schema {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    List(List),
    Show(Show),
    Check(check::Check),
    Register(register::Register),
    Scan(scan::Scan),
}

/// List the latest schema of every type
#[derive(Debug, Args)]
struct List {
    /// Print a type a line as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: PlaceArguments,
}

/// Print the JSON Schema of a type
#[derive(Debug, Args)]
struct Show {
    /// The event type
    #[arg(value_name = "TYPE")]
    kind: String,
    /// The version [default: the latest]
    #[arg(long = "version", value_name = "VERSION")]
    version: Option<Version>,
    /// Print type, version, meaning and schema as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: PlaceArguments,
}

impl Schema {
    pub fn run(self) -> Result<Ending> {
        match self.action {
            Action::List(list) => list.run(),
            Action::Show(show) => show.run(),
            Action::Check(check) => check.run(),
            Action::Register(register) => register.run(),
            Action::Scan(scan) => scan.run(),
        }
    }
}

impl List {
    fn run(self) -> Result<Ending> {
        let place = Place::find(&self.place)?;
        let known = Known::read(&place)?;
        let mut output = Output::stdout();
        for registered in known.registry.all() {
            if self.json {
                output.json(&serde_json::to_vec(&described(registered))?)?;
            } else {
                let registration = &registered.registration;
                let name =
                    format!("{:<36} {:<8}", escape(&registration.kind), registration.version.to_string());
                output.line(&format!("{name} {}", output.palette.dim(escape(&registration.meaning))))?;
            }
        }
        output.flush()?;
        Ok(Ending::Done)
    }
}

impl Show {
    fn run(self) -> Result<Ending> {
        let place = Place::find(&self.place)?;
        let known = Known::read(&place)?;
        let Some(registered) = known.registry.find(&self.kind, self.version.as_ref()) else {
            bail!("no schema is registered for {:?}: `tacho schema list` shows what is", self.kind);
        };
        let schema: Value =
            serde_json::from_slice(&registered.registration.schema).context("the schema cannot be read")?;
        let mut output = Output::stdout();
        if self.json {
            let mut line = described(registered);
            line["schema"] = schema;
            output.json(&serde_json::to_vec(&line)?)?;
        } else {
            for line in serde_json::to_string_pretty(&schema)?.lines() {
                output.line(&escape(line))?;
            }
        }
        output.flush()?;
        Ok(Ending::Done)
    }
}

fn described(registered: &Arc<Registered>) -> Value {
    let registration = &registered.registration;
    json!({
        "type": registration.kind,
        "version": registration.version.to_string(),
        "meaning": registration.meaning,
        "severity": registration.severity.map(|severity| severity.as_str()),
        "declared_by": registration.declared_by,
        "position": registered.position.map(|position| position.0),
    })
}
