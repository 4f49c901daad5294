//! `tacho cost`: money and tokens, of all time unless told.

use crate::failure::Ending;
use crate::log::Log;
use crate::place::{Place, PlaceArguments};
use crate::terminal::{Output, escape};
use anyhow::{Context, Result};
use clap::Args;
use jiff::tz::TimeZone;
use serde_json::Value;
use tacho_engine::{CostQuery, Dimension};
use tacho_event::{Timestamp, json};

/// Show what was spent, by session, agent, subagent, model, feature or day, or by model and day
#[derive(Debug, Args)]
pub struct Cost {
    /// What to sum up by
    #[arg(long, value_name = "WHAT", default_value = "model", value_parser = Dimension::ALL.map(|(name, _)| name))]
    by: String,
    /// Only requests behind this moment: 2026-01-31, yesterday, 2h
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only requests up to this moment
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Print a row a line as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: PlaceArguments,
}

impl Cost {
    pub fn run(self) -> Result<Ending> {
        let by = Dimension::from_name(&self.by).context("--by names nothing to sum up by")?;
        let now = crate::identity::now();
        let moment = |flag: &str, text: &Option<String>| {
            let read = |text: &String| {
                let moment = Timestamp::from_words(text, now, &TimeZone::system());
                moment.with_context(|| {
                    format!("{flag} {text:?} is no moment: write 2026-01-31T09:00:00Z, yesterday or 2h")
                })
            };
            text.as_ref().map(read).transpose()
        };
        let query =
            CostQuery { by, since: moment("--since", &self.since)?, until: moment("--until", &self.until)? };
        let answer = Log::open(&Place::find(&self.place)?)?.costs(query)?;
        let mut output = Output::stdout();
        if self.json {
            for row in json::elements(json::member(&answer, "rows").unwrap_or(b"[]")) {
                output.json(row)?;
            }
        } else {
            print(by, &serde_json::from_slice(&answer).context("the answer cannot be read")?, &mut output)?;
        }
        output.flush()?;
        Ok(Ending::Done)
    }
}

const COLUMNS: [(&str, &str); 5] = [
    ("requests", "requests"),
    ("input", "input_tokens"),
    ("output", "output_tokens"),
    ("cache read", "cache_read_tokens"),
    ("cache write", "cache_creation_tokens"),
];

fn print(by: Dimension, answer: &Value, output: &mut Output) -> Result<()> {
    let rows = answer["rows"].as_array().map(Vec::as_slice).unwrap_or_default();
    if rows.is_empty() {
        output.line("nothing was spent: no request to a model is on the log")?;
        return Ok(());
    }
    let name = |row: &Value| match row["day"].as_str().filter(|_| by == Dimension::ModelDay) {
        Some(day) => format!("{day}  {}", known(&row["model"])),
        None => known(&row[by.name()]),
    };
    let width = rows.iter().map(|row| name(row).chars().count()).max().unwrap_or(0).max(8);
    let heads: String = COLUMNS.map(|(head, _)| format!("{head:>12}")).concat();
    let palette = output.palette;
    output.line(&palette.bold(format!("{:<width$} {:>12}{heads}", by.name(), "cost")))?;
    for row in rows {
        output.line(&format!("{:<width$} {}", name(row), amounts(row)))?;
    }
    if rows.len() > 1 {
        output.line(&palette.bold(format!("{:<width$} {}", "all", amounts(answer))))?;
    }
    let unpriced = answer["unpriced_requests"].as_u64().unwrap_or_default();
    if unpriced > 0 {
        let told = crate::terminal::counted(unpriced, "request");
        let told = format!("{told} of models without a known price: name it with [[price]] in tacho.toml");
        output.line(&palette.dim(told))?;
    }
    Ok(())
}

fn known(name: &Value) -> String {
    name.as_str().map_or("(not known)".to_owned(), |name| escape(name).into())
}

fn amounts(row: &Value) -> String {
    let cost = row["cost_usd"].as_f64().map_or("unpriced".to_owned(), |cost| format!("${cost:.6}"));
    let counts = COLUMNS.map(|(_, key)| format!("{:>12}", grouped(row[key].as_u64().unwrap_or_default())));
    format!("{cost:>12}{}", counts.concat())
}

/// `1,234,567`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }
}
