//! `tacho dead`: what handlers and sinks gave up on, and what becomes of it.

mod all;
mod one;
mod show;

use crate::client::{percent_encode, query_string};
use crate::failure::{Ending, WrongUsage};
use crate::place::{PlaceArguments, ServerArguments};
use anyhow::Result;
use clap::{Args, Subcommand};

/// Dead letters: what handlers and sinks gave up on, and what becomes of it
#[derive(Debug, Args)]
pub struct Dead {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    List(show::List),
    Causes(show::Causes),
    Show(show::Show),
    Retry(Retry),
    Discard(Discard),
}

/// Which letters are meant.
#[derive(Debug, Clone, Default, Args)]
struct Choice {
    /// Only those of this handler
    #[arg(long, value_name = "NAME")]
    handler: Option<String>,
    /// Only those with this error's code
    #[arg(long, value_name = "CODE")]
    code: Option<String>,
}

/// Deliver a dead letter once more, as it is or with another payload
///
/// `--data` is the payload here; TACHO_DATA names the data folder.
#[derive(Debug, Args)]
struct Retry {
    /// Its id, as `tacho dead list` prints it
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    id: Option<String>,
    /// All of them
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    choice: Choice,
    /// The payload that takes the old one's place: JSON, `@FILE`, or `-` for standard input
    #[arg(long, value_name = "JSON", conflicts_with = "all")]
    data: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Print the outcome as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArguments,
}

/// Give a dead letter up for good; the log keeps it
#[derive(Debug, Args)]
struct Discard {
    /// Its id, as `tacho dead list` prints it
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    id: Option<String>,
    /// All of a handler, or with an error's code
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    choice: Choice,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Print the outcome as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: PlaceArguments,
}

impl Dead {
    pub fn run(self) -> Result<Ending> {
        match self.action {
            Action::List(list) => list.run(),
            Action::Causes(causes) => causes.run(),
            Action::Show(show) => show.run(),
            Action::Retry(retry) => retry.run(),
            Action::Discard(discard) => discard.run(),
        }
    }
}

impl Retry {
    fn run(self) -> Result<Ending> {
        let place = PlaceArguments { server: self.server, data: None };
        let reason = self.reason.as_deref();
        match self.id {
            Some(id) => {
                self.choice.refuse()?;
                let data = self.data.as_deref().map(one::read_data).transpose()?;
                one::act(&place, &id, "retry", data, reason, self.json)
            }
            None => all::act(&place, "retry", &self.choice, reason, self.json),
        }
    }
}

impl Discard {
    fn run(self) -> Result<Ending> {
        let reason = Some(self.reason.as_str());
        match self.id {
            Some(id) => {
                self.choice.refuse()?;
                one::act(&self.place, &id, "discard", None, reason, self.json)
            }
            None if self.choice.is_empty() => {
                Err(WrongUsage("--all discards those of a --handler or with a --code: name one".to_owned())
                    .into())
            }
            None => all::act(&self.place, "discard", &self.choice, reason, self.json),
        }
    }
}

impl Choice {
    fn is_empty(&self) -> bool {
        self.handler.is_none() && self.code.is_none()
    }

    /// One letter is named already.
    fn refuse(&self) -> Result<(), WrongUsage> {
        if self.is_empty() {
            return Ok(());
        }
        Err(WrongUsage("--handler and --code choose among --all; here one letter is named".to_owned()))
    }

    fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let given = [("handler", self.handler.as_deref()), ("code", self.code.as_deref())];
        given.into_iter().filter_map(|(name, value)| Some((name, value?)))
    }

    /// As a query string, with further parameters.
    fn query<'a>(&'a self, more: &'a [(&'a str, &'a str)]) -> String {
        query_string(self.pairs().chain(more.iter().copied()))
    }
}

/// `/api/dead-letters/ID`, and what stands behind it.
fn path(id: &str, rest: &str) -> String {
    let mut path = "/api/dead-letters/".to_owned();
    percent_encode(id, &mut path);
    path + rest
}
