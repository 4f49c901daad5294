//! `tacho handler test`.

use super::{path, print_lines};
use crate::command::cells;
use crate::failure::{Ending, WrongUsage};
use crate::identity;
use crate::place::{Place, PlaceArguments};
use crate::terminal::Output;
use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::{Value, json};
use std::io::Read;

/// Largest event that is read, in bytes.
const EVENT_BYTES_MAX: u64 = 16 << 20;
/// The producer of an event that names none.
const SOURCE: &str = "/tacho/handler-test";

/// Give a handler an event and print what it answers; nothing is recorded
///
/// It runs as always, so whatever it does outside it does.
#[derive(Debug, Args)]
pub struct Test {
    /// The handler's name
    name: String,
    /// A CloudEvent as JSON, `-` for standard input, or the position of an event on the log
    #[arg(long, value_name = "FILE|POSITION")]
    event: String,
    /// Print the whole outcome as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: PlaceArguments,
}

impl Test {
    pub fn run(self) -> Result<Ending> {
        let body = match self.event.parse::<u64>() {
            Ok(position) => json!({"position": position}),
            Err(_) => json!({"event": read_event(&self.event)?}),
        };
        let server = Place::find(&self.place)?.controlled()?;
        let outcome = server.post_value(&path(&self.name, "/test"), &body)?;
        let mut output = Output::stdout();
        if self.json {
            print_lines(std::slice::from_ref(&outcome), &mut output)?;
        } else {
            print_lines(outcome["returned"].as_array().map_or(&[], Vec::as_slice), &mut output)?;
        }
        output.flush()?;
        if outcome["outcome"] != "done" {
            bail!("handler {} failed: {}", self.name, cells::error(&outcome["error"]));
        }
        Ok(Ending::Done)
    }
}

fn read_event(file: &str) -> Result<Value> {
    let (mut text, cannot) = (String::new(), || format!("cannot read {file}"));
    let mut source: Box<dyn Read> = match file {
        "-" => Box::new(std::io::stdin()),
        file => Box::new(std::fs::File::open(file).with_context(cannot)?),
    };
    source.by_ref().take(EVENT_BYTES_MAX).read_to_string(&mut text).with_context(cannot)?;
    let mut event: Value = serde_json::from_str(&text)
        .map_err(|error| WrongUsage(format!("{file} holds no event as JSON: {error}")))?;
    // A type and a payload are enough to try something.
    if let Some(members) = event.as_object_mut() {
        members.entry("id").or_insert_with(|| identity::uuid7(identity::now(), identity::random()).into());
        members.entry("source").or_insert_with(|| SOURCE.into());
    }
    Ok(event)
}
