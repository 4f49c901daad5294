//! `tacho why`: why a stream failed.

use crate::failure::{Ending, WrongUsage};
use crate::log::Log;
use crate::place::{Place, PlaceArguments};
use crate::terminal::{Output, escape, glyph, kind_style};
use anyhow::{Context, Result};
use clap::Args;
use jiff::tz::TimeZone;
use serde_json::Value;
use tacho_engine::WhyUntil;
use tacho_event::{Position, Timestamp};

/// Say why a stream failed: what it began with, what was tried, what to do next
#[derive(Debug, Args)]
pub struct Why {
    /// The stream, such as issue/PROJ-1 or session/9826db1e-…; the beginning of its name if only one fits
    #[arg(value_name = "STREAM")]
    stream: String,
    /// As it stood at this moment or position
    #[arg(long, value_name = "TIME|POSITION")]
    at: Option<String>,
    /// Print the explanation as one JSON document
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: PlaceArguments,
}

impl Why {
    pub fn run(self) -> Result<Ending> {
        let until = self.at.as_deref().map_or(Ok(WhyUntil::End), until)?;
        let log = Log::open(&Place::find(&self.place)?)?;
        let answer = log.why(&log.stream_named(&self.stream)?, until)?;
        let mut output = Output::stdout();
        if self.json {
            output.json(&answer)?;
        } else {
            print(&serde_json::from_slice(&answer).context("the answer cannot be read")?, &mut output)?;
        }
        output.flush()?;
        Ok(Ending::Done)
    }
}

fn until(text: &str) -> Result<WhyUntil> {
    if let Ok(position) = text.parse() {
        return Ok(WhyUntil::Position(Position(position)));
    }
    let moment = Timestamp::from_words(text, crate::identity::now(), &TimeZone::system());
    let moment = moment.ok_or_else(|| {
        WrongUsage(format!(
            "--at {text:?} is no moment: write 2026-01-31T09:00:00Z, yesterday, 2h or a position"
        ))
    })?;
    Ok(WhyUntil::Time(moment))
}

fn print(answer: &Value, output: &mut Output) -> Result<()> {
    let text = |value: &Value| escape(value.as_str().unwrap_or_default()).into_owned();
    output.line(&output.palette.bold(text(&answer["sentence"])))?;
    let list = |name: &str| answer[name].as_array().map(Vec::as_slice).unwrap_or_default();
    let (chain, edges) = (list("chain"), list("edges"));
    for (index, node) in chain.iter().enumerate() {
        if index == 0 {
            output.line("")?;
        }
        let kind = text(&node["type"]);
        let mark = output.palette.paint(kind_style(&kind), format!("{} {kind}", glyph(&kind)));
        let how = edges.iter().find(|edge| edge["from_position"] == node["position"]);
        let how = match how.and_then(|edge| edge["kind"].as_str()) {
            Some("inferred") => "  (inferred: no event names it as a cause)",
            _ => "",
        };
        let told = text(&node["summary"]);
        let place = format!("{}  position {}", time(&node["at"]), node["position"]);
        output.line(&format!("  {mark}  {told}{}", output.palette.dim(how)))?;
        output.line(&output.palette.dim(format!("    {place}  {}", text(&node["id"]))))?;
    }
    let recoveries = list("recoveries");
    if !recoveries.is_empty() {
        output.line("")?;
        output.line(&output.palette.bold("What was tried"))?;
    }
    for recovery in recoveries {
        let summary = text(&recovery["summary"]);
        let behind = if summary.is_empty() { String::new() } else { format!("  {summary}") };
        let (strategy, outcome) = (text(&recovery["strategy"]), text(&recovery["outcome"]));
        output.line(&format!("  {strategy}: {outcome}{}", output.palette.dim(behind)))?;
    }
    let actions = list("next_actions");
    if !actions.is_empty() {
        output.line("")?;
        output.line(&output.palette.bold("What to do next"))?;
    }
    for action in actions {
        output.line(&format!("  {}", text(action)))?;
    }
    if answer["truncated"] == true {
        output.line(&output.palette.dim("only the first 100,000 events of the stream were looked at"))?;
    }
    Ok(())
}

fn time(value: &Value) -> String {
    let at = value.as_str().unwrap_or_default();
    match at.parse::<jiff::Timestamp>() {
        Ok(at) => at.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string(),
        Err(_) => escape(at).into_owned(),
    }
}
