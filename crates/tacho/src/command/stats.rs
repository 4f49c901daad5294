//! `tacho stats`: the key figures, beside what is asked of them.

use crate::failure::Ending;
use crate::log::Log;
use crate::place::{Place, PlaceArguments};
use crate::terminal::{Output, Palette, escape};
use anyhow::{Context, Result};
use clap::Args;
use serde_json::Value;
use tacho_event::time::parse_duration_ns;

const HOUR_NS: i64 = 3_600 * 1_000_000_000;
const DAY_NS: i64 = 24 * HOUR_NS;
/// Days of the longest trend.
const MAX_TREND_DAYS: i64 = 366;

/// Show the key figures of the last hour: utilization, cost, retries, pass and rejection rates
#[derive(Debug, Args)]
pub struct Stats {
    /// The window that ends now: 90m, 24h, 7d; a bare number is hours
    #[arg(long, value_name = "LENGTH", default_value = "1h", value_parser = length)]
    window: i64,
    /// Also the figures of each of the last days: 7d
    #[arg(long, value_name = "LENGTH", value_parser = length)]
    trend: Option<i64>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: PlaceArguments,
}

/// A figure as a person reads it, and what is asked of it.
struct Figure {
    key: &'static str,
    label: &'static str,
    show: fn(f64) -> String,
    target: &'static str,
    is_met: fn(f64) -> bool,
}

const FIGURES: &[Figure] = &[
    Figure { key: "cost_usd", label: "cost", show: dollars, target: "", is_met: |_| true },
    Figure {
        key: "cost_per_feature",
        label: "cost per feature",
        show: dollars,
        target: "at most $0.50",
        is_met: |cost| cost <= 0.5,
    },
    Figure {
        key: "average_retry_count",
        label: "retries per task",
        show: |retries| format!("{retries:.2}"),
        target: "at most 1.5",
        is_met: |retries| retries <= 1.5,
    },
    Figure {
        key: "validation_pass_rate",
        label: "validations passed",
        show: percent,
        target: "at least 95 %",
        is_met: |rate| rate >= 0.95,
    },
    Figure {
        key: "critic_rejection_rate",
        label: "rejected by critics",
        show: percent,
        target: "15 % to 30 %",
        is_met: |rate| (0.15..=0.30).contains(&rate),
    },
    Figure {
        key: "time_to_completion_seconds",
        label: "time to completion",
        show: time,
        target: "below 10 min",
        is_met: |seconds| seconds < 600.0,
    },
    Figure { key: "failure_rate", label: "calls that failed", show: percent, target: "", is_met: |_| true },
];

impl Stats {
    pub fn run(self) -> Result<Ending> {
        let log = Log::open(&Place::find(&self.place)?)?;
        let days = self.trend.map_or(0, |trend| ((trend + DAY_NS - 1) / DAY_NS).min(MAX_TREND_DAYS));
        let answer = log.figures(self.window, u32::try_from(days).unwrap_or(0))?;
        let mut output = Output::stdout();
        if self.json {
            output.json(&answer)?;
        } else {
            let figures: Value = serde_json::from_slice(&answer).context("the answer cannot be read")?;
            print(&figures, &mut output)?;
        }
        output.flush()?;
        Ok(Ending::Done)
    }
}

fn print(figures: &Value, output: &mut Output) -> Result<()> {
    let palette = output.palette;
    let window = time(figures["window_seconds"].as_f64().unwrap_or_default());
    output.line(&palette.bold(format!("the last {window}")))?;
    for figure in FIGURES {
        output.line(&format!("  {:<20} {}", figure.label, verdict(figure, &figures[figure.key], palette)))?;
    }
    let busy = &figures["agent_busy"];
    for (agent, share) in figures["agent_utilization"].as_object().into_iter().flatten() {
        let busy = busy[agent].as_f64().map(percent).unwrap_or_default();
        let share = share.as_f64().map(percent).unwrap_or_default();
        let told = palette.dim(format!("busy {busy} of the time"));
        output.line(&format!("  {:<20} {share:>9}  {told}", cut(&escape(agent), 20)))?;
    }
    for (model, uses) in figures["models"].as_object().into_iter().flatten() {
        let cost = uses["cost_usd"].as_f64().map_or_else(|| "unpriced".to_owned(), dollars);
        let count = uses["count"].as_u64().unwrap_or_default();
        output.line(&format!(
            "  {:<20} {cost:>9}  {}",
            cut(&escape(model), 20),
            palette.dim(uses_of(count))
        ))?;
    }
    trend(&figures["trend"], output)
}

fn uses_of(count: u64) -> String {
    crate::terminal::counted(count, "use")
}

fn verdict(figure: &Figure, value: &Value, palette: Palette) -> String {
    let Some(number) = value.as_f64() else {
        return format!("{:>9}  {}", "–", palette.dim("no data"));
    };
    let shown = format!("{:>9}", (figure.show)(number));
    if figure.target.is_empty() {
        return shown;
    }
    let mark = if (figure.is_met)(number) { "as wished" } else { "▲" };
    format!("{shown}  {}", palette.dim(format!("{mark} ({})", figure.target)))
}

fn trend(days: &Value, output: &mut Output) -> Result<()> {
    let Some(days) = days.as_array().filter(|days| !days.is_empty()) else { return Ok(()) };
    let heads = ["cost", "per feature", "retries", "passed", "rejected", "completion", "failed"];
    let head: String = heads.map(|head| format!("{head:>12}")).concat();
    output.line(&output.palette.bold(format!("{:<10}{head}", "day")).clone())?;
    for day in days {
        let row: String = FIGURES
            .iter()
            .map(|figure| format!("{:>12}", day[figure.key].as_f64().map_or("–".to_owned(), figure.show)))
            .collect();
        output.line(&format!("{:<10}{row}", day["day"].as_str().unwrap_or_default()))?;
    }
    Ok(())
}

fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width - 1).chain(['…']).collect()
}

fn dollars(amount: f64) -> String {
    if amount < 0.1 { format!("${amount:.4}") } else { format!("${amount:.2}") }
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// `42 s`, `6:10 min`, `4 h 15 min`, `7 d`.
fn time(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match whole {
        0..60 => format!("{seconds:.0} s"),
        60..3600 => format!("{}:{:02} min", whole / 60, whole % 60),
        3600..86_400 if whole.is_multiple_of(3600) => format!("{} h", whole / 3600),
        3600..86_400 => format!("{} h {} min", whole / 3600, whole / 60 % 60),
        _ => format!("{} d", whole / 86_400),
    }
}

fn length(text: &str) -> Result<i64, String> {
    let hours = text.parse::<u32>().ok().map(|hours| i64::from(hours) * HOUR_NS);
    let length = hours.or_else(|| parse_duration_ns(text)).filter(|length| *length > 0);
    length.ok_or_else(|| "a length of time such as 90m, 24h or 7d is wanted".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_and_amounts_read_well() {
        assert_eq!(length("24"), length("1d"));
        assert!(length("0").is_err() && length("soon").is_err());
        assert_eq!(
            [42.0, 370.0, 3600.0, 15_300.0, 604_800.0].map(time),
            ["42 s", "6:10 min", "1 h", "4 h 15 min", "7 d"]
        );
        assert_eq!([0.006855, 1.234].map(dollars), ["$0.0069", "$1.23"]);
        assert_eq!(cut("a-name-that-is-much-too-long", 8), "a-name-…");
    }
}
