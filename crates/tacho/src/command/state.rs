//! `tacho state`: a stream as it was.

use crate::client::query_string;
use crate::cloud_event::CloudEvent;
use crate::failure::{Ending, WrongUsage};
use crate::log::{Log, stream_name, stream_path};
use crate::place::{Place, PlaceArguments};
use crate::terminal::{Output, escape, tree_lines};
use anyhow::{Result, bail};
use clap::Args;
use jiff::tz::TimeZone;
use serde_json::Value;
use tacho_event::Timestamp;

/// Changes that are asked for at once.
const PAGE_ENTRIES: &str = "1000";

/// Show the state of a stream at any moment, such as `tacho state issue/PROJ-1 --at 14:00`
#[derive(Debug, Args)]
pub struct State {
    /// The stream, as `<category>/<id>`
    #[arg(value_name = "STREAM", value_parser = stream_name)]
    stream: String,
    /// The moment: RFC 3339, 14:00, yesterday, 2h; or a position of the log; or #N, the stream's event N
    #[arg(long, value_name = "TIME|POSITION|#N")]
    at: Option<String>,
    /// Only what had been recorded by this moment
    #[arg(long, value_name = "TIME")]
    known_at: Option<String>,
    /// Which state: orchestration, board, agents, quality, timeline, session, task, or one of your own
    #[arg(long, value_name = "NAME")]
    projection: Option<String>,
    /// Only the part that this jq program answers, such as '.failed_agents'
    #[arg(long, value_name = "JQ")]
    path: Option<String>,
    /// How it came about: what each event changed
    #[arg(long, conflicts_with_all = ["at", "known_at", "until_where", "around"])]
    history: bool,
    /// Also what happened this long before and behind, such as 5m
    #[arg(long, value_name = "LENGTH", num_args = 0..=1, default_missing_value = "5m")]
    around: Option<String>,
    /// The state behind the first event for which this jq condition on {state, event} holds
    #[arg(long, value_name = "JQ", conflicts_with_all = ["at", "known_at", "path", "around"])]
    until_where: Option<String>,
    /// With --until-where: behind the stream's event N, to go on from the last find
    #[arg(long, value_name = "N", requires = "until_where")]
    from: Option<u64>,
    /// Print the answer as JSON, with --history a change a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: PlaceArguments,
}

impl State {
    pub fn run(self) -> Result<Ending> {
        let log = Log::open(&Place::find(&self.place)?)?;
        if self.history {
            return self.print_history(&log);
        }
        if let Some(condition) = &self.until_where {
            return self.print_break(&log, condition);
        }
        let mut pairs = Vec::new();
        if let Some(at) = &self.at {
            pairs.push(moment("at", at, "sequence")?);
        }
        if let Some(known_at) = &self.known_at {
            pairs.push(("known_at".to_owned(), time("--known-at", known_at)?));
        }
        self.add_shared(&mut pairs);
        pairs.extend(self.path.iter().map(|path| ("path".to_owned(), path.clone())));
        pairs.extend(self.around.iter().map(|around| ("around".to_owned(), around.clone())));
        let answer = log.rewound(&with(stream_path("state", &self.stream, ""), &pairs))?;
        let mut output = Output::stdout();
        if self.json {
            output.json(answer.to_string().as_bytes())?;
        } else {
            print_state(&answer, &mut output)?;
            for event in answer["surrounding_events"].as_array().into_iter().flatten() {
                output.line(&event_line(event, &output))?;
            }
        }
        output.flush()?;
        Ok(Ending::Done)
    }

    fn add_shared(&self, pairs: &mut Vec<(String, String)>) {
        pairs.extend(self.projection.iter().map(|name| ("projection".to_owned(), name.clone())));
    }

    fn print_history(&self, log: &Log) -> Result<Ending> {
        let mut output = Output::stdout();
        let mut from = "1".to_owned();
        loop {
            let mut pairs = vec![("from".to_owned(), from), ("limit".to_owned(), PAGE_ENTRIES.to_owned())];
            self.add_shared(&mut pairs);
            pairs.extend(self.path.iter().map(|path| ("path".to_owned(), path.clone())));
            let page = log.rewound(&with(stream_path("state", &self.stream, "history"), &pairs))?;
            for entry in page["entries"].as_array().into_iter().flatten() {
                if self.json {
                    output.json(entry.to_string().as_bytes())?;
                } else {
                    print_entry(entry, &mut output)?;
                }
            }
            match page["next"].as_u64() {
                Some(next) => from = next.to_string(),
                None => break,
            }
        }
        output.flush()?;
        Ok(Ending::Done)
    }

    /// Looks on until it is found: the server ends each look after a second.
    fn print_break(&self, log: &Log, condition: &str) -> Result<Ending> {
        let mut from = self.from.unwrap_or(0);
        let answer = loop {
            let mut pairs =
                vec![("where".to_owned(), condition.to_owned()), ("from".to_owned(), from.to_string())];
            self.add_shared(&mut pairs);
            let answer = log.rewound(&with(stream_path("state", &self.stream, "until"), &pairs))?;
            let looked = answer["sequence"].as_u64().unwrap_or(0);
            if answer["found"] == true || answer["more"] != true || looked <= from {
                break answer;
            }
            from = looked;
        };
        let mut output = Output::stdout();
        if self.json {
            output.json(answer.to_string().as_bytes())?;
        } else if answer["found"] == true {
            output.line(&event_line(&answer["event"], &output))?;
            print_state(&answer, &mut output)?;
        } else {
            output.line(&format!("it never holds, up to event {}", answer["sequence"]))?;
        }
        output.flush()?;
        Ok(if answer["found"] == true { Ending::Done } else { Ending::Wanting })
    }
}

fn print_entry(entry: &Value, output: &mut Output) -> Result<()> {
    let palette = output.palette;
    let text = |name: &str| escape(entry[name].as_str().unwrap_or_default()).into_owned();
    let lead = palette.dim(format!("#{:<5} {}", entry["sequence"], local(&text("at"))));
    let told = text("summary");
    let told = if told.is_empty() { told } else { format!("  {}", palette.dim(told)) };
    output.line(&format!("{lead}  {}{told}", palette.bold(text("type"))))?;
    if entry.get("after").is_some() {
        let change = serde_json::json!([
            {"path": "", "kind": "changed", "before": entry["before"], "after": entry["after"]}
        ]);
        for line in crate::terminal::change_lines(&change, palette) {
            output.line(&format!("       {line}"))?;
        }
    }
    for operation in entry["patch"].as_array().into_iter().flatten() {
        let mark = match operation["op"].as_str() {
            Some("add") => palette.good("+"),
            Some("remove") => palette.bad("-"),
            _ => "~".to_owned(),
        };
        let path = escape(operation["path"].as_str().unwrap_or_default()).into_owned();
        let value = operation.get("value").map(|value| escape(&value.to_string()).into_owned());
        output.line(&format!("       {mark} {path}  {}", value.unwrap_or_default()))?;
    }
    Ok(())
}

/// Where and when, then the state as a tree.
pub fn print_state(answer: &Value, output: &mut Output) -> Result<()> {
    let palette = output.palette;
    let text = |name: &str| escape(answer[name].as_str().unwrap_or_default()).into_owned();
    let at = local(&text("at"));
    let place = match answer["sequence"].as_u64() {
        Some(0) | None => "before its first event".to_owned(),
        Some(sequence) => format!("event {sequence}, position {}, {at}", answer["position"]),
    };
    let head = palette.bold(text("stream"));
    output.line(&format!("{head}  {}", palette.dim(format!("{}  {place}", text("projection")))))?;
    for line in tree_lines(&answer["state"], palette) {
        output.line(&format!("  {line}"))?;
    }
    Ok(())
}

/// A line of an event that was answered as a CloudEvent.
pub fn event_line(event: &Value, output: &Output) -> String {
    let zone = TimeZone::system();
    let today = jiff::Timestamp::now().to_zoned(zone.clone()).date();
    let event = CloudEvent::new(event.to_string().into_bytes());
    crate::terminal::event_line(&event, &zone, today, output.palette, output.columns)
}

/// A moment or a position for the parameter `name`; an event's number, as `#N`, for `sequence`.
pub fn moment(name: &str, value: &str, sequence: &str) -> Result<(String, String)> {
    if let Some(number) = value.strip_prefix('#') {
        if number.parse::<u64>().is_err() {
            bail!(WrongUsage(format!("{value:?} is no event of a stream: write #31")));
        }
        return Ok((sequence.to_owned(), number.to_owned()));
    }
    if value.parse::<u64>().is_ok() {
        return Ok((name.to_owned(), value.to_owned()));
    }
    Ok((name.to_owned(), time(&format!("--{name}"), value)?))
}

/// A moment as people write it, in their zone, as RFC 3339.
pub fn time(flag: &str, value: &str) -> Result<String> {
    let moment = Timestamp::from_words(value, crate::identity::now(), &TimeZone::system());
    match moment {
        Some(moment) => Ok(moment.to_rfc3339()),
        None => bail!(WrongUsage(format!(
            "{flag} {value:?} is no moment: write 2026-01-31T09:00:00Z, 14:00, yesterday or 2h"
        ))),
    }
}

/// A path with its query.
pub fn with(path: String, pairs: &[(String, String)]) -> String {
    path + &query_string(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())))
}

/// A moment in the reader's zone.
pub fn local(at: &str) -> String {
    match at.parse::<jiff::Timestamp>() {
        Ok(at) => at.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string(),
        Err(_) => at.to_owned(),
    }
}
