//! `tacho handler pause`, `resume` and `retry`.

use super::path;
use crate::command::cells;
use crate::failure::Ending;
use crate::place::{Place, PlaceArguments};
use crate::terminal::{Output, escape};
use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};

/// Let a handler take nothing more until it is resumed; what it is doing ends
#[derive(Debug, Args)]
pub struct Pause {
    #[command(flatten)]
    target: Target,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// Let a paused handler go on
#[derive(Debug, Args)]
pub struct Resume {
    #[command(flatten)]
    target: Target,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// Try again now what waits for its next attempt
#[derive(Debug, Args)]
pub struct Retry {
    #[command(flatten)]
    target: Target,
    /// Only the event at this position
    #[arg(long, value_name = "N")]
    position: Option<u64>,
}

#[derive(Debug, Args)]
struct Target {
    /// The handler's name
    name: String,
    /// Print the handler as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: PlaceArguments,
}

impl Pause {
    pub fn run(self) -> Result<Ending> {
        self.target.act("pause", said("reason", self.reason))
    }
}

impl Resume {
    pub fn run(self) -> Result<Ending> {
        self.target.act("resume", said("reason", self.reason))
    }
}

impl Retry {
    pub fn run(self) -> Result<Ending> {
        self.target.act("retry", said("position", self.position))
    }
}

fn said(name: &str, value: Option<impl Into<Value>>) -> Value {
    value.map_or_else(|| json!({}), |value| json!({name: value.into()}))
}

impl Target {
    fn act(self, action: &str, body: Value) -> Result<Ending> {
        let server = Place::find(&self.place)?.controlled()?;
        let handler = server.post_value(&path(&self.name, &format!("/{action}")), &body)?;
        let mut output = Output::stdout();
        if self.json {
            output.json(&serde_json::to_vec(&handler)?)?;
        } else {
            let (state, pending) = (cells::text(&handler["state"]), cells::text(&handler["pending"]));
            output.line(&format!(
                "{} is {}; {} pending",
                escape(&self.name),
                escape(&state),
                escape(&pending)
            ))?;
        }
        output.flush()?;
        Ok(Ending::Done)
    }
}
