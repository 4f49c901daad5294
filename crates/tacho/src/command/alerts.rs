//! `tacho alerts`: what is watched, what was told, and whether it arrives.

use crate::failure::Ending;
use crate::filters::FilterArguments;
use crate::log::{Log, Question};
use crate::place::{Place, PlaceArguments};
use crate::terminal::{Output, escape};
use anyhow::{Context, Result};
use clap::{Args, Subcommand, value_parser};
use jiff::tz::TimeZone;
use serde_json::Value;
use tacho_event::json;

/// Alerts on key figures: list the rules, test them, show what was told
#[derive(Debug, Args)]
pub struct Alerts {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    List(List),
    Test(Test),
    History(History),
}

/// List the rules, and how each stands now
#[derive(Debug, Args)]
struct List {
    /// Print a rule a line as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: PlaceArguments,
}

/// Tell an alert as a test, to see whether it arrives
#[derive(Debug, Args)]
struct Test {
    #[command(flatten)]
    place: PlaceArguments,
}

/// Show the alerts that were told, newest first
#[derive(Debug, Args)]
struct History {
    /// Most alerts to print
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = value_parser!(u64).range(1..))]
    limit: u64,
    /// Print CloudEvents, one a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: PlaceArguments,
}

impl Alerts {
    pub fn run(self) -> Result<Ending> {
        match self.action {
            Action::List(list) => list.run(),
            Action::Test(test) => test.run(),
            Action::History(history) => history.run(),
        }
    }
}

impl List {
    fn run(self) -> Result<Ending> {
        let answer = Log::open(&Place::find(&self.place)?)?.alert_rules()?;
        let mut output = Output::stdout();
        if self.json {
            for rule in json::elements(json::member(&answer, "rules").unwrap_or(b"[]")) {
                output.json(rule)?;
            }
        } else {
            let answer: Value = serde_json::from_slice(&answer).context("the answer cannot be read")?;
            for rule in answer["rules"].as_array().into_iter().flatten() {
                print(rule, &mut output)?;
            }
        }
        output.flush()?;
        Ok(Ending::Done)
    }
}

fn print(rule: &Value, output: &mut Output) -> Result<()> {
    let text = |name: &str| escape(rule[name].as_str().unwrap_or_default()).to_string();
    let standing = match rule["state"].as_str() {
        Some("firing") => "✕ holds",
        Some("ok") => "✓ fine",
        _ => "– no data",
    };
    let current = rule["current_value"].as_f64().map(|current| format!("now {current:.3}"));
    let told = output.palette.dim(format!("{:<14} {}", current.unwrap_or_default(), text("message")));
    output.line(&format!("{standing:<10} {:<36} {:<13} {told}", text("condition"), text("action")))?;
    Ok(())
}

impl Test {
    fn run(self) -> Result<Ending> {
        let place = Place::find(&self.place)?;
        place.client.post("/api/alerts/test", &[], b"")?;
        let mut output = Output::stdout();
        output.line("an alert was told as a test: `tacho alerts history` shows it")?;
        output.flush()?;
        Ok(Ending::Done)
    }
}

impl History {
    fn run(self) -> Result<Ending> {
        let log = Log::open(&Place::find(&self.place)?)?;
        let filters = FilterArguments::of_type("tacho.alert").check()?;
        let question = Question { filters, reverse: true, limit: self.limit, ..Question::default() };
        let mut output = Output::stdout();
        let zone = TimeZone::system();
        let found = log.each(&question, &mut |event| {
            if self.json {
                return Ok(output.json(event.bytes())?);
            }
            let member = |name| event.data().and_then(|data| json::member(data, name)).map(json::text);
            let text = |name| escape(&member(name).unwrap_or_default()).to_string();
            let at = jiff::Timestamp::from_nanosecond(i128::from(event.time().0))?.to_zoned(zone.clone());
            let lead = output.palette.dim(at.strftime("%Y-%m-%d %H:%M:%S").to_string());
            let figure = format!("{} {} {}", text("metric"), text("operator"), text("threshold"));
            let told = format!("{figure:<36} was {}  {}", text("current_value"), text("message"));
            Ok(output.line(&format!("{lead}  {told}"))?)
        })?;
        if found == 0 && !self.json {
            output.line("no alert was told")?;
        }
        output.flush()?;
        Ok(Ending::Done)
    }
}
