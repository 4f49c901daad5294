//! `tacho timeline`: a stream's history, readable.

use crate::cloud_event::CloudEvent;
use crate::failure::Ending;
use crate::filters::Filters;
use crate::log::{Log, Question};
use crate::place::{Place, PlaceArguments};
use crate::terminal::{Output, escape, glyph, kind_style, summary};
use anyhow::{Result, bail};
use clap::{Args, value_parser};
use jiff::tz::TimeZone;
use std::collections::BTreeSet;
use tacho_event::Timestamp;

/// Streams that are named when more than one is meant.
const STREAMS_TOLD: usize = 3;

/// Show the history of a stream, such as session/9826db1e-… or issue/PROJ-1
#[derive(Debug, Args)]
pub struct Timeline {
    /// The stream, as `<category>/<id>`; the beginning of the id, or `…` and its end, if only one fits
    #[arg(value_name = "STREAM")]
    stream: String,
    /// Most events to print
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = value_parser!(u64).range(1..))]
    limit: u64,
    /// Print CloudEvents, one a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: PlaceArguments,
}

impl Timeline {
    pub fn run(self) -> Result<Ending> {
        let log = Log::open(&Place::find(&self.place)?)?;
        let mut events = events(&log, &self.stream.replace('…', "*"), self.limit)?;
        if events.is_empty() {
            events = self::events(&log, &format!("{}*", self.stream), self.limit)?;
        }
        let streams: BTreeSet<String> = events.iter().map(|event| event.stream().into_owned()).collect();
        match streams.len() {
            0 => {
                bail!("no event is in stream {:?}: `tacho events --reverse` shows what is there", self.stream)
            }
            1 => {}
            more => {
                let some: Vec<String> = streams.into_iter().take(STREAMS_TOLD).collect();
                bail!("{:?} fits {more} streams, such as {}: name one", self.stream, some.join(", "))
            }
        }
        let mut output = Output::stdout();
        let mut history = History { zone: TimeZone::system(), begun: None, day: None };
        for event in &events {
            if self.json {
                output.json(event.bytes())?;
            } else {
                history.print(event, &mut output)?;
            }
        }
        output.flush()?;
        Ok(Ending::Done)
    }
}

/// The first events of the streams that the pattern fits.
fn events(log: &Log, pattern: &str, limit: u64) -> Result<Vec<CloudEvent>> {
    let question = Question { filters: Filters::of_stream(pattern)?, limit, ..Question::default() };
    let mut events = Vec::new();
    log.each(&question, &mut |event| {
        events.push(event);
        Ok(())
    })?;
    Ok(events)
}

/// What a reader of the lines above knows already.
struct History {
    zone: TimeZone,
    begun: Option<Timestamp>,
    day: Option<jiff::civil::Date>,
}

impl History {
    fn print(&mut self, event: &CloudEvent, output: &mut Output) -> Result<()> {
        let palette = output.palette;
        let moment = event.time();
        let begun = *self.begun.get_or_insert(moment);
        let at = jiff::Timestamp::from_nanosecond(i128::from(moment.0))?.to_zoned(self.zone.clone());
        if self.day != Some(at.date()) {
            self.day = Some(at.date());
            output.line(&palette.bold(at.strftime("%A, %-d %B %Y")))?;
        }
        let kind = event.kind();
        let mark = palette.paint(kind_style(&kind), format!("{} {}", glyph(&kind), escape(&kind)));
        let lead = format!("  {}  {:>9}", at.strftime("%H:%M:%S"), elapsed(moment.0 - begun.0));
        let actor = event.text("actorid").map(|actor| format!("  {}", escape(&actor)));
        output.line(&format!("{}  {mark}{}", palette.dim(lead), palette.dim(actor.unwrap_or_default())))?;
        let told = summary(event);
        if !told.is_empty() {
            output.line(&format!("                       {}", escape(&told)))?;
        }
        Ok(())
    }
}

/// `+1.5s`, `+2m03s`, `+1h02m`, from nanoseconds.
fn elapsed(nanos: i64) -> String {
    let seconds = nanos / 1_000_000_000;
    match seconds {
        ..60 => format!("+{:.1}s", nanos as f64 / 1e9),
        60..3600 => format!("+{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("+{}h{:02}m", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elapsed_time_reads_well() {
        let told = [1_500_000_000, 123_000_000_000, 3_720_000_000_000].map(elapsed);
        assert_eq!(told, ["+1.5s", "+2m03s", "+1h02m"]);
    }
}
