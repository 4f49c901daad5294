//! `tacho emit`: one event, from a shell.

mod event;

use crate::client::ClientError;
use crate::failure::{Ending, WrongUsage};
use crate::log::Writable;
use crate::place::{Place, PlaceArguments, ServerArguments};
use crate::terminal::{Output, escape};
use anyhow::{Context, Result, anyhow};
use clap::Args;
use serde_json::Value;
use std::str::FromStr;
use tacho_event::Code;
use tacho_journal::AppendError;

/// Append one event and print its position
///
/// Without a server the event goes straight to the log in the data folder (TACHO_DATA, else ./.tacho).
#[derive(Debug, Args)]
pub struct Emit {
    /// The event's type, such as build.finished or urlCacher.cacheRequested
    #[arg(value_name = "TYPE")]
    kind: String,
    /// A field of the payload; a value that parses as JSON is JSON; may be given several times
    #[arg(long = "attr", value_name = "K=V")]
    attributes: Vec<String>,
    /// The payload as JSON; --attr adds to an object
    #[arg(long, value_name = "JSON")]
    data: Option<String>,
    /// The stream, as <category>/<id> [default: the session's, else the source's]
    #[arg(long, value_name = "STREAM")]
    stream: Option<String>,
    /// The producer [default: /agents/ID for an agent, else /tacho/emit]
    #[arg(long, value_name = "URI")]
    source: Option<String>,
    /// Who did it
    #[arg(long, value_name = "TYPE:ID[:MODEL]")]
    actor: Option<Actor>,
    /// The session that it belongs to
    #[arg(long, value_name = "ID", env = "CLAUDE_CODE_SESSION_ID", hide_env_values = true)]
    session: Option<String>,
    /// What it is correlated with
    #[arg(long, value_name = "ID")]
    correlation: Option<String>,
    /// The event that caused it
    #[arg(long, value_name = "ID")]
    causation: Option<String>,
    /// The event's id; with the source it makes the event unique [default: a new UUIDv7]
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// Append only if the stream is at this sequence, or has no event yet
    #[arg(long, value_name = "N|none")]
    expect: Option<Expected>,
    /// Also print the <EVENT> line that hooks of agents pick up; seen again there, it stays one event
    #[arg(long)]
    marker: bool,
    /// Print the receipt as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArguments,
}

#[derive(Debug, Clone)]
struct Actor {
    kind: String,
    id: String,
    model: Option<String>,
}

impl FromStr for Actor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.splitn(3, ':').map(str::to_owned);
        match (parts.next(), parts.next(), parts.next()) {
            (Some(kind), Some(id), model) if !kind.is_empty() && !id.is_empty() => {
                Ok(Self { kind, id, model })
            }
            _ => Err("write TYPE:ID or TYPE:ID:MODEL, such as agent:url-cacher".to_owned()),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    None,
    Sequence(u64),
}

impl FromStr for Expected {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "none" => Ok(Self::None),
            _ => text.parse().map(Self::Sequence).map_err(|_| "write a sequence or none".to_owned()),
        }
    }
}

impl Expected {
    /// 0 stands for a stream without events.
    fn sequence(self) -> u64 {
        match self {
            Self::None => 0,
            Self::Sequence(sequence) => sequence,
        }
    }

    fn header(self) -> String {
        match self {
            Self::None => "none".to_owned(),
            Self::Sequence(sequence) => sequence.to_string(),
        }
    }
}

impl Emit {
    pub fn run(self) -> Result<Ending> {
        let arguments = PlaceArguments { server: self.server.clone(), data: None };
        let place = Place::find(&arguments)?;
        let event = event::build(&self)?;
        let appended = self.append(&place, &event);
        let receipt = appended.map_err(|error| self.told(error))?;
        self.print(&event, &receipt)?;
        Ok(Ending::Done)
    }

    /// Answers the receipt.
    fn append(&self, place: &Place, event: &Value) -> Result<Value> {
        let expected = self.expect.map(Expected::header);
        if place.writes_to_server()? {
            let headers: Vec<(&str, &str)> =
                expected.iter().map(|expected| ("expected-sequence", expected.as_str())).collect();
            let answer = place.client.post("/api/events", &headers, &serde_json::to_vec(event)?)?;
            let answer: Value =
                serde_json::from_slice(&answer).context("the server's answer cannot be read")?;
            Ok(answer["appended"][0].clone())
        } else {
            let log = Writable::open(place)?;
            let receipt = log.append(event, self.expect.map(Expected::sequence))?;
            log.close()?;
            Ok(receipt)
        }
    }

    /// A stream that should not be there is told in those words, not as the sequence 0 that stands for it.
    fn told(&self, error: anyhow::Error) -> anyhow::Error {
        let actual = error.chain().find_map(|cause| match cause.downcast_ref::<AppendError>() {
            Some(AppendError::SequenceConflict { actual, .. }) => Some(actual.0),
            _ => match cause.downcast_ref::<ClientError>() {
                Some(ClientError::Refused(problem)) if problem.code == Code::SequenceConflict.as_str() => {
                    problem.actual
                }
                _ => None,
            },
        });
        match (self.expect, actual) {
            (Some(Expected::None), Some(actual)) => anyhow!(
                "the stream exists already at sequence {actual}, and --expect none asks for a new one [{}]",
                Code::SequenceConflict.as_str()
            ),
            _ => error,
        }
    }

    fn print(&self, event: &Value, receipt: &Value) -> Result<()> {
        let mut output = Output::stdout();
        if self.json {
            output.json(&serde_json::to_vec(receipt)?)?;
        } else {
            output.line(&escape(&receipt["position"].to_string()))?;
        }
        if self.marker {
            output.line(&event::marker_line(event)?)?;
        }
        Ok(output.flush()?)
    }
}

fn wrong(words: impl Into<String>) -> anyhow::Error {
    WrongUsage(words.into()).into()
}
