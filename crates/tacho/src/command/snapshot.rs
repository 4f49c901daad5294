//! `tacho snapshot`: states that are kept so that the next one is found sooner.

use crate::failure::{Ending, WrongUsage};
use crate::log::{Log, stream_name, stream_path};
use crate::place::{Place, PlaceArguments};
use crate::terminal::{Output, counted, escape};
use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

/// Make, list and drop snapshots of a stream's states; they save time and change no answer
#[derive(Debug, Args)]
pub struct Snapshot {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make one, which stays until all are dropped
    Create(Create),
    /// List them, by projection and event
    List(List),
    /// Drop them
    Prune(Prune),
}

#[derive(Debug, Args)]
struct Of {
    /// The stream, as `<category>/<id>`
    #[arg(value_name = "STREAM", value_parser = stream_name)]
    stream: String,
    /// Print JSON, a snapshot a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: PlaceArguments,
}

#[derive(Debug, Args)]
struct Create {
    #[command(flatten)]
    of: Of,
    /// Behind the stream's event N [default: its last]
    #[arg(long, value_name = "N")]
    sequence: Option<u64>,
    /// Which state [default: that of the stream's category]
    #[arg(long, value_name = "NAME")]
    projection: Option<String>,
}

#[derive(Debug, Args)]
struct List {
    #[command(flatten)]
    of: Of,
}

#[derive(Debug, Args)]
struct Prune {
    #[command(flatten)]
    of: Of,
    /// Drop every one
    #[arg(long, conflicts_with = "keep")]
    all: bool,
    /// Keep so many of the newest of each projection
    #[arg(long, value_name = "N")]
    keep: Option<u64>,
}

impl Snapshot {
    pub fn run(self) -> Result<Ending> {
        match self.action {
            Action::Create(create) => {
                let log = Log::open(&Place::find(&create.of.place)?)?;
                let of = &create.of;
                let made = log.create_snapshot(&of.stream, create.projection.as_deref(), create.sequence)?;
                print(&[made], of)
            }
            Action::List(list) => {
                let log = Log::open(&Place::find(&list.of.place)?)?;
                let answer = log.rewound(&stream_path("state", &list.of.stream, "snapshots"))?;
                print(answer["snapshots"].as_array().map_or(&[], Vec::as_slice), &list.of)
            }
            Action::Prune(prune) => {
                if !prune.all && prune.keep.is_none() {
                    bail!(WrongUsage("say --all, or how many to --keep".to_owned()));
                }
                let log = Log::open(&Place::find(&prune.of.place)?)?;
                let removed = log.prune_snapshots(&prune.of.stream, prune.keep)?;
                let mut output = Output::stdout();
                if prune.of.json {
                    output.json(json!({"removed": removed}).to_string().as_bytes())?;
                } else {
                    output.line(&format!("dropped {}", counted(removed, "snapshot")))?;
                }
                output.flush()?;
                Ok(Ending::Done)
            }
        }
    }
}

fn print(snapshots: &[Value], of: &Of) -> Result<Ending> {
    let mut output = Output::stdout();
    for snapshot in snapshots {
        if of.json {
            output.json(snapshot.to_string().as_bytes())?;
            continue;
        }
        let text = |name: &str| escape(snapshot[name].as_str().unwrap_or_default()).into_owned();
        let kept = if snapshot["manual"] == true { "  kept" } else { "" };
        output.line(&format!(
            "{:<14} {:<8} position {:<9} {:>7} bytes  {}{kept}",
            text("projection"),
            format!("#{}", snapshot["sequence"]),
            snapshot["position"],
            snapshot["bytes"],
            output.palette.dim(super::state::local(&text("created_at"))),
        ))?;
    }
    if snapshots.is_empty() && !of.json {
        output.line("there are none: a state that takes long to find leaves some behind")?;
    }
    output.flush()?;
    Ok(Ending::Done)
}
