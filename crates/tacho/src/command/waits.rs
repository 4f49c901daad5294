//! `tacho waits`: what waits for a person, and what a person does about it.

use crate::client::percent_encode;
use crate::failure::Ending;
use crate::log::Log;
use crate::place::{Place, PlaceArguments, ServerArguments};
use crate::terminal::{Output, escape};
use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

/// What waits for a person: escalations, and calls and questions of agents, the oldest first
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Waits {
    #[command(subcommand)]
    action: Option<Action>,
    /// Print a wait a line as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: PlaceArguments,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Say that somebody has seen it
    Acknowledge(Noted),
    /// Answer what was asked; it waits no longer
    Answer(Answered),
    /// Take it off the list
    Resolve(Noted),
}

#[derive(Debug, Args)]
struct Noted {
    #[command(flatten)]
    deed: Deed,
    /// What there is to say about it
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

#[derive(Debug, Args)]
struct Answered {
    #[command(flatten)]
    deed: Deed,
    /// What the agents are to do
    #[arg(long, value_name = "TEXT")]
    answer: String,
}

#[derive(Debug, Args)]
struct Deed {
    /// Its id, as `tacho waits` prints it
    id: String,
    /// Who does it
    #[arg(long, value_name = "NAME", env = "USER", default_value = "user", hide_env_values = true)]
    by: String,
    /// Print what became of it as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArguments,
}

impl Waits {
    pub fn run(self) -> Result<Ending> {
        match self.action {
            None => list(&self.place, self.json),
            Some(Action::Acknowledge(said)) => said.deed.record("acknowledge", "note", said.note),
            Some(Action::Answer(said)) => said.deed.record("answer", "answer", Some(said.answer)),
            Some(Action::Resolve(said)) => said.deed.record("resolve", "note", said.note),
        }
    }
}

fn list(place: &PlaceArguments, as_json: bool) -> Result<Ending> {
    let answer = Log::open(&Place::find(place)?)?.waits()?;
    let answer: Value = serde_json::from_slice(&answer).context("the answer cannot be read")?;
    let waits = answer["waits"].as_array().context("the answer has no `waits`")?;
    let mut output = Output::stdout();
    for wait in waits {
        if as_json {
            output.json(&serde_json::to_vec(wait)?)?;
        } else {
            print(wait, &mut output)?;
        }
    }
    if waits.is_empty() && !as_json {
        output.line("nothing waits for you")?;
    }
    output.flush()?;
    Ok(Ending::Done)
}

fn print(wait: &Value, output: &mut Output) -> Result<()> {
    let text = |name: &str| escape(wait[name].as_str().unwrap_or_default()).into_owned();
    let who = if wait["task"].is_string() { text("task") } else { text("agent") };
    let priority = wait["priority"].as_str().map(|priority| format!(" ({})", escape(priority)));
    let seen = wait["acknowledged"]["by"].as_str().map(|by| format!("  seen by {}", escape(by)));
    let lead = output.palette.bold(format!("{:<10} {who}{}", text("kind"), priority.unwrap_or_default()));
    output.line(&format!("{lead}  {}{}", text("asks"), seen.unwrap_or_default()))?;
    let since = wait["since"].as_str().and_then(|since| since.parse::<jiff::Timestamp>().ok());
    let since =
        since.map(|since| since.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string());
    let place =
        format!("  {}  since {}  in {}", text("id"), since.unwrap_or_else(|| text("since")), text("stream"));
    output.line(&output.palette.dim(place))?;
    Ok(())
}

impl Deed {
    fn record(self, action: &str, member: &str, said: Option<String>) -> Result<Ending> {
        let place = Place::find(&PlaceArguments { server: self.server, data: None })?;
        let mut path = "/api/waits/".to_owned();
        percent_encode(&self.id, &mut path);
        path.push('/');
        path.push_str(action);
        let mut body = json!({"by": self.by});
        if let Some(said) = said {
            body[member] = said.into();
        }
        let answer = place.client.post(&path, &[], &serde_json::to_vec(&body)?)?;
        let answer: Value = serde_json::from_slice(&answer).context("the server's answer cannot be read")?;
        let mut output = Output::stdout();
        if self.json {
            output.json(&serde_json::to_vec(&answer)?)?;
        } else {
            let wait = &answer["wait"];
            let state = escape(wait["state"].as_str().unwrap_or_default()).into_owned();
            let doer = wait["ended"]["by"].as_str().or_else(|| wait["acknowledged"]["by"].as_str());
            let by = doer.map(|by| format!(" by {}", escape(by))).unwrap_or_default();
            let already = if answer["changed"] == true { "" } else { "already " };
            output.line(&format!("{} is {already}{state}{by}", escape(&self.id)))?;
        }
        output.flush()?;
        Ok(Ending::Done)
    }
}
