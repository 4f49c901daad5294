//! `tacho whatif`: the state of a history that is not the true one.

use super::state::print_state;
use crate::failure::{Ending, WrongUsage};
use crate::log::{Log, stream_name};
use crate::place::{Place, PlaceArguments};
use crate::terminal::{Output, change_lines};
use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::{Map, Value, json};
use std::io::Read;
use std::path::{Path, PathBuf};

/// Show what a stream's state would be with a history that is otherwise; nothing is written
#[derive(Debug, Args)]
pub struct Whatif {
    /// The stream, as `<category>/<id>`
    #[arg(value_name = "STREAM", value_parser = stream_name)]
    stream: String,
    /// Without events of this type, or the event with this id; `*` matches any run of characters
    #[arg(long, value_name = "TYPE|ID")]
    without: Vec<String>,
    /// With the events of this file, one a line as {"type", "data", "time" or "after"}; - is standard input
    #[arg(long, value_name = "FILE")]
    with: Option<PathBuf>,
    /// With another payload for an event, as ID=JSON
    #[arg(long, value_name = "ID=JSON")]
    instead: Vec<String>,
    /// Only up to this moment or position
    #[arg(long, value_name = "TIME|POSITION")]
    until: Option<String>,
    /// Which state: orchestration, board, agents, quality, timeline, session, task, or one of your own
    #[arg(long, value_name = "NAME")]
    projection: Option<String>,
    /// Print the answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: PlaceArguments,
}

impl Whatif {
    pub fn run(self) -> Result<Ending> {
        let log = Log::open(&Place::find(&self.place)?)?;
        let answer = log.suppose(&self.stream, &serde_json::to_vec(&self.body()?)?)?;
        let mut output = Output::stdout();
        if self.json {
            output.json(answer.to_string().as_bytes())?;
        } else {
            print_state(&answer, &mut output)?;
            let counts = format!(
                "{} left out, {} put in, {} changed",
                answer["left_out"], answer["added"], answer["changed"]
            );
            output.line(&output.palette.bold(format!("against the truth ({counts})")))?;
            let lines = change_lines(&answer["changes"], output.palette);
            if lines.is_empty() {
                output.line("  nothing would be otherwise")?;
            }
            for line in lines {
                output.line(&format!("  {line}"))?;
            }
        }
        output.flush()?;
        Ok(Ending::Done)
    }

    fn body(&self) -> Result<Value> {
        let mut body = Map::new();
        if !self.without.is_empty() {
            body.insert("without".to_owned(), json!(self.without));
        }
        if let Some(file) = &self.with {
            body.insert("with".to_owned(), Value::Array(read_events(file)?));
        }
        let mut instead = Map::new();
        for pair in &self.instead {
            let Some((id, data)) = pair.split_once('=') else {
                bail!(WrongUsage(format!("--instead {pair:?} names no payload: write ID=JSON")));
            };
            let data = serde_json::from_str(data)
                .map_err(|error| WrongUsage(format!("--instead {id}: the payload is no JSON: {error}")))?;
            instead.insert(id.to_owned(), data);
        }
        if !instead.is_empty() {
            body.insert("instead".to_owned(), Value::Object(instead));
        }
        if let Some(until) = &self.until {
            let (_, until) = super::state::moment("until", until, "until")?;
            body.insert("until".to_owned(), until.into());
        }
        if let Some(projection) = &self.projection {
            body.insert("projection".to_owned(), projection.as_str().into());
        }
        Ok(Value::Object(body))
    }
}

fn read_events(file: &Path) -> Result<Vec<Value>> {
    let mut text = String::new();
    let named = || format!("cannot read {}", file.display());
    if file == Path::new("-") {
        std::io::stdin().read_to_string(&mut text).with_context(named)?;
    } else {
        text = std::fs::read_to_string(file).with_context(named)?;
    }
    let events = serde_json::Deserializer::from_str(&text).into_iter::<Value>();
    let events = events.collect::<Result<Vec<_>, _>>();
    let events = events.with_context(|| format!("{} holds no events as JSON", file.display()))?;
    Ok(events
        .into_iter()
        .flat_map(|event| match event {
            Value::Array(events) => events,
            event => vec![event],
        })
        .collect())
}
