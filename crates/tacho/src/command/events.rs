//! `tacho events`: what happened.

use crate::cloud_event::CloudEvent;
use crate::failure::Ending;
use crate::filters::FilterArguments;
use crate::log::{Log, Question};
use crate::place::{Place, PlaceArguments};
use crate::terminal::{Output, event_line};
use anyhow::Result;
use clap::{Args, value_parser};
use jiff::Zoned;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use tacho_ingest::shape::Format;

/// Query the events of the log, oldest first
#[derive(Debug, Args)]
pub struct Events {
    #[command(flatten)]
    filters: FilterArguments,
    /// Most events to print
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = value_parser!(u64).range(1..))]
    limit: u64,
    /// Only events behind this position (before it with --reverse)
    #[arg(long, value_name = "POSITION")]
    after: Option<u64>,
    /// Newest first
    #[arg(long)]
    reverse: bool,
    /// Print JSON in this shape, one event a line: cloudevents, base, simple, otel, mcp
    #[arg(long, value_name = "FORMAT", value_parser = format)]
    format: Option<Format>,
    /// Print CloudEvents, one a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: PlaceArguments,
}

/// A shape by its name.
fn format(name: &str) -> Result<Format, String> {
    let known = Format::ALL.map(Format::name).join(", ");
    Format::from_name(name).ok_or_else(|| format!("there is no format {name:?}; known are {known}"))
}

impl Events {
    pub fn run(self) -> Result<Ending> {
        let filters = self.filters.check()?;
        let log = Log::open(&Place::find(&self.place)?)?;
        let as_json = self.json || self.format.is_some();
        let question = Question {
            filters,
            after: self.after,
            reverse: self.reverse,
            format: self.format,
            limit: self.limit,
        };
        let zone = TimeZone::system();
        let today = Zoned::now().with_time_zone(zone.clone()).date();
        let mut printer = Printer { output: Output::stdout(), zone, today, as_json };
        let found = log.each(&question, &mut |event| printer.print(&event))?;
        printer.output.flush()?;
        if found == 0 && printer.output.is_terminal {
            eprintln!("no event matches");
        }
        Ok(Ending::Done)
    }
}

/// Prints events a line each.
pub struct Printer {
    pub output: Output,
    pub zone: TimeZone,
    pub today: Date,
    pub as_json: bool,
}

impl Printer {
    pub fn print(&mut self, event: &CloudEvent) -> Result<()> {
        if self.as_json {
            self.output.json(event.bytes())?;
        } else {
            let (palette, columns) = (self.output.palette, self.output.columns);
            self.output.line(&event_line(event, &self.zone, self.today, palette, columns))?;
        }
        Ok(())
    }
}
