//! `tacho heal`: what is tried when a handler gives something up.

use super::cells;
use crate::failure::Ending;
use crate::place::{Place, PlaceArguments};
use crate::terminal::{Column, Output};
use anyhow::{Context, Result};
use clap::Args;
use serde_json::{Value, json};

/// What heals dead letters: the rules, and what was tried
#[derive(Debug, Args)]
pub struct Heal {
    /// Print a rule or an attempt a line as JSON, as {"rule":…} and {"attempt":…}
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: PlaceArguments,
}

const RULES: [Column; 4] =
    [Column::Text("rule"), Column::Text("does"), Column::Number("attempts"), Column::Text("on")];
const ATTEMPTS: [Column; 7] = [
    Column::Text("at"),
    Column::Text("handler"),
    Column::Text("rule"),
    Column::Text("action"),
    Column::Number("attempt"),
    Column::Text("state"),
    Column::Text("letter"),
];

impl Heal {
    pub fn run(self) -> Result<Ending> {
        let answer = Place::find(&self.place)?.server()?.get_value("/api/heal")?;
        let rules = answer["rules"].as_array().context("the answer has no `rules`")?;
        let attempts = answer["attempts"].as_array().context("the answer has no `attempts`")?;
        let mut output = Output::stdout();
        if self.json {
            let rules = rules.iter().map(|rule| json!({"rule": rule}));
            for line in rules.chain(attempts.iter().map(|attempt| json!({"attempt": attempt}))) {
                output.json(&serde_json::to_vec(&line)?)?;
            }
        } else {
            if rules.is_empty() {
                output.line("no rule heals anything there")?;
            } else {
                output.table(&RULES, &rules.iter().map(rule).collect::<Vec<_>>())?;
            }
            if !attempts.is_empty() {
                output.line("")?;
                output.table(&ATTEMPTS, &attempts.iter().map(attempt).collect::<Vec<_>>())?;
            }
        }
        output.flush()?;
        Ok(Ending::Done)
    }
}

fn rule(rule: &Value) -> Vec<String> {
    let on = rule["on"].as_object().into_iter().flatten();
    let on: Vec<String> = on.map(|(name, value)| format!("{name} {}", cells::text(value))).collect();
    let mut row: Vec<String> = ["name", "do", "attempts"].map(|name| cells::text(&rule[name])).to_vec();
    row.push(on.join(", "));
    row
}

fn attempt(attempt: &Value) -> Vec<String> {
    let mut row = vec![cells::moment(&attempt["at"])];
    let names = ["handler", "rule", "action", "attempt", "state", "letter"];
    row.extend(names.map(|name| cells::text(&attempt[name])));
    row
}
