//! `tacho profile`: where the time and the money of a stream went.

use crate::failure::Ending;
use crate::log::{Log, ProfileShape};
use crate::place::{Place, PlaceArguments};
use crate::terminal::{Output, escape};
use anyhow::{Context, Result};
use clap::Args;
use serde_json::Value;
use std::io::Write;
use std::path::PathBuf;

/// Columns of a bar.
const BAR: usize = 24;
/// Most rows of a table.
const ROWS: usize = 12;

/// Show where the time and the money of a stream went
#[derive(Debug, Args)]
pub struct Profile {
    /// The stream, such as issue/PROJ-1 or session/9826db1e-…; the beginning of its name if only one fits
    #[arg(value_name = "STREAM")]
    stream: String,
    /// Write a flame graph into this file, as SVG
    #[arg(long, value_name = "FILE", conflicts_with_all = ["folded", "json"])]
    flame: Option<PathBuf>,
    /// Print stacks for other tools: frames joined by `;`, a space, milliseconds
    #[arg(long, conflicts_with = "json")]
    folded: bool,
    /// Print the profile as one JSON document
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: PlaceArguments,
}

impl Profile {
    pub fn run(self) -> Result<Ending> {
        let log = Log::open(&Place::find(&self.place)?)?;
        let stream = log.stream_named(&self.stream)?;
        let mut output = Output::stdout();
        if let Some(file) = &self.flame {
            let picture = log.profile(&stream, ProfileShape::FlameGraph)?;
            let write = || std::fs::File::create(file)?.write_all(&picture);
            write().with_context(|| format!("cannot write {}", file.display()))?;
            let name = escape(&file.display().to_string()).into_owned();
            output.line(&format!("the flame graph of {} is in {name}", escape(&stream)))?;
        } else if self.folded {
            let stacks = log.profile(&stream, ProfileShape::Folded)?;
            for line in String::from_utf8_lossy(&stacks).lines() {
                output.line(&escape(line))?;
            }
        } else {
            let answer = log.profile(&stream, ProfileShape::Json)?;
            if self.json {
                output.json(&answer)?;
            } else {
                print(&serde_json::from_slice(&answer).context("the answer cannot be read")?, &mut output)?;
            }
        }
        output.flush()?;
        Ok(Ending::Done)
    }
}

fn print(answer: &Value, output: &mut Output) -> Result<()> {
    let wall = ms(&answer["wall_ms"]);
    let stream = escape(answer["stream"].as_str().unwrap_or_default()).into_owned();
    let events = crate::terminal::counted(answer["events"].as_u64().unwrap_or_default(), "event");
    let cost = money(&answer["cost_usd"]).map(|cost| format!(", {cost}")).unwrap_or_default();
    output.line(&output.palette.bold(format!("{stream}  {}, {events}{cost}", length(wall))))?;
    let shares = [
        ("at work", &answer["active_ms"]),
        ("waiting for people", &answer["waiting_for_people_ms"]),
        ("idle", &answer["idle_ms"]),
    ];
    for (name, part) in shares.into_iter().filter(|(_, part)| ms(part) > 0) {
        row(name, ms(part), wall, "", output)?;
    }
    table(answer, "critical_path", "The critical path", wall, output)?;
    table(answer, "by_tool", "Tools", wall, output)?;
    table(answer, "by_agent", "Agents", wall, output)?;
    table(answer, "by_model", "Models", wall, output)?;
    if answer["truncated"] == true {
        output.line("")?;
        output
            .line(&output.palette.dim("only a part is told: the stream has more events than are folded"))?;
    }
    Ok(())
}

/// One of the lists, the longest first; steps of the critical path by the same name are summed up.
fn table(answer: &Value, list: &str, title: &str, wall: i64, output: &mut Output) -> Result<()> {
    let mut rows: Vec<(String, i64, Value, u64)> = Vec::new();
    for entry in answer[list].as_array().map(Vec::as_slice).unwrap_or_default() {
        let name = escape(entry["name"].as_str().unwrap_or_default()).into_owned();
        match rows.iter_mut().find(|(known, ..)| *known == name) {
            Some((_, sum, _, count)) => {
                *sum += ms(&entry["ms"]);
                *count += 1;
            }
            None => rows.push((name, ms(&entry["ms"]), entry.clone(), 1)),
        }
    }
    if rows.is_empty() {
        return Ok(());
    }
    rows.sort_by_key(|(_, sum, ..)| std::cmp::Reverse(*sum));
    output.line("")?;
    output.line(&output.palette.bold(title))?;
    // What happened side by side may be more than the time that went by.
    let whole = wall.max(rows.iter().map(|(_, sum, ..)| *sum).sum());
    let more = rows.len().saturating_sub(ROWS);
    for (name, sum, entry, count) in rows.into_iter().take(ROWS) {
        let steps = (list == "critical_path" && count > 1).then(|| format!("{count} steps"));
        let counted = |key: &str, noun: &str| {
            let count = entry[key].as_u64().filter(|count| *count > 0)?;
            Some(if noun.is_empty() {
                format!("{count} failed")
            } else {
                crate::terminal::counted(count, noun)
            })
        };
        let told = [
            steps,
            counted("calls", "call"),
            counted("failures", ""),
            counted("requests", "request"),
            money(&entry["cost_usd"]),
        ];
        row(&name, sum, whole, &told.into_iter().flatten().collect::<Vec<_>>().join(", "), output)?;
    }
    if more > 0 {
        output.line(&output.palette.dim(format!("  and {more} more")))?;
    }
    Ok(())
}

fn row(name: &str, part: i64, wall: i64, told: &str, output: &mut Output) -> Result<()> {
    let share = if wall > 0 { part as f64 / wall as f64 } else { 0.0 };
    let filled = ((share * BAR as f64).round() as usize).min(BAR);
    let bar = format!("{}{}", "█".repeat(filled), "·".repeat(BAR - filled));
    let line =
        format!("  {name:<24} {:>10}  {} {:>4.0} %  ", length(part), output.palette.dim(bar), share * 100.0);
    output.line(format!("{line}{}", output.palette.dim(told)).trim_end())?;
    Ok(())
}

fn ms(value: &Value) -> i64 {
    value.as_i64().unwrap_or_default()
}

fn money(value: &Value) -> Option<String> {
    value.as_f64().map(|dollars| format!("${dollars:.4}"))
}

/// `340 ms`, `12.5 s`, `3 min 05 s`, `2 h 10 min`.
fn length(milliseconds: i64) -> String {
    let seconds = milliseconds / 1_000;
    match milliseconds {
        ..1_000 => format!("{milliseconds} ms"),
        1_000..60_000 => format!("{:.1} s", milliseconds as f64 / 1e3),
        60_000..3_600_000 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3_600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_read_well() {
        let told = [340, 12_540, 185_000, 7_800_000].map(length);
        assert_eq!(told, ["340 ms", "12.5 s", "3 min 05 s", "2 h 10 min"]);
    }
}
