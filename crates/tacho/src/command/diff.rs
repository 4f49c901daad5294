//! `tacho diff`: two moments of a stream, or two streams, beside each other.

use super::state::{event_line, local, moment, with};
use crate::failure::Ending;
use crate::log::{Log, stream_name, stream_path};
use crate::place::{Place, PlaceArguments};
use crate::terminal::{Output, change_lines, counted, escape};
use anyhow::Result;
use clap::Args;
use serde_json::Value;

/// Compare two moments of a stream, or find where two streams part
#[derive(Debug, Args)]
pub struct Diff {
    /// The stream, as `<category>/<id>`
    #[arg(value_name = "STREAM", value_parser = stream_name)]
    stream: String,
    /// Find the first event at which this other stream parts from it
    #[arg(value_name = "OTHER", value_parser = stream_name, conflicts_with_all = ["from", "to"])]
    other: Option<String>,
    /// The earlier moment: RFC 3339, 14:00, 2h; or a position; or #N, the stream's event N [default: its beginning]
    #[arg(long, value_name = "TIME|POSITION|#N")]
    from: Option<String>,
    /// The later moment [default: now]
    #[arg(long, value_name = "TIME|POSITION|#N")]
    to: Option<String>,
    /// With OTHER: let every word and number count, not only what was done and how it ended
    #[arg(long, requires = "other")]
    exact: bool,
    /// Which state: orchestration, board, agents, quality, timeline, session, task, or one of your own
    #[arg(long, value_name = "NAME")]
    projection: Option<String>,
    /// Print the answer as JSON, with the changes as JSON Patch (RFC 6902)
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: PlaceArguments,
}

impl Diff {
    pub fn run(self) -> Result<Ending> {
        let log = Log::open(&Place::find(&self.place)?)?;
        let mut pairs = Vec::new();
        pairs.extend(self.projection.iter().map(|name| ("projection".to_owned(), name.clone())));
        let mut output = Output::stdout();
        match &self.other {
            Some(other) => {
                pairs.push(("a".to_owned(), self.stream.clone()));
                pairs.push(("b".to_owned(), other.clone()));
                pairs.extend(self.exact.then(|| ("exact".to_owned(), "true".to_owned())));
                let answer = log.rewound(&with("/api/divergence".to_owned(), &pairs))?;
                self.show(&answer, &mut output, print_divergence)?;
            }
            None => {
                for (name, value) in [("from", &self.from), ("to", &self.to)] {
                    if let Some(value) = value {
                        pairs.push(moment(name, value, &format!("{name}_sequence"))?);
                    }
                }
                let answer = log.rewound(&with(stream_path("state", &self.stream, "diff"), &pairs))?;
                self.show(&answer, &mut output, print_changes)?;
            }
        }
        output.flush()?;
        Ok(Ending::Done)
    }

    fn show(
        &self,
        answer: &Value,
        output: &mut Output,
        print: fn(&Value, &mut Output) -> Result<()>,
    ) -> Result<()> {
        if self.json {
            output.json(answer.to_string().as_bytes())?;
            return Ok(());
        }
        print(answer, output)
    }
}

fn print_changes(answer: &Value, output: &mut Output) -> Result<()> {
    let end = |name: &str| {
        let place = &answer[name];
        match place["at"].as_str() {
            Some(at) => format!("event {} ({})", place["sequence"], local(at)),
            None => "the beginning".to_owned(),
        }
    };
    let stream = escape(answer["stream"].as_str().unwrap_or_default()).into_owned();
    let head = output.palette.bold(stream);
    output.line(&format!("{head}  from {} to {}", end("from"), end("to")))?;
    print_leaves(&answer["changes"], output)
}

fn print_leaves(changes: &Value, output: &mut Output) -> Result<()> {
    let lines = change_lines(changes, output.palette);
    if lines.is_empty() {
        output.line("  nothing changed")?;
    }
    for line in lines {
        output.line(&format!("  {line}"))?;
    }
    Ok(())
}

fn print_divergence(answer: &Value, output: &mut Output) -> Result<()> {
    let name = |run: &str| escape(answer[run]["stream"].as_str().unwrap_or_default()).into_owned();
    let common = counted(answer["common"].as_u64().unwrap_or(0), "event");
    let first = &answer["first"];
    if first.is_null() {
        output.line(&format!("{} and {} are alike: {common}", name("a"), name("b")))?;
    } else {
        let why = match first["why"].as_str() {
            Some("type") => "other things happen",
            Some("data") => "the same happens otherwise",
            _ => "one ends here",
        };
        output.line(&format!("{common} in common; from event {} on {why}", first["sequence"]))?;
        for run in ["a", "b"] {
            let told = if first[run].is_null() { "–".to_owned() } else { event_line(&first[run], output) };
            output.line(&format!("  {}  {told}", output.palette.bold(name(run))))?;
        }
        if first["changes"].as_array().is_some_and(|changes| !changes.is_empty()) {
            print_leaves(&first["changes"], output)?;
        }
    }
    output.line(&output.palette.bold("in the end"))?;
    print_leaves(&answer["changes"], output)
}
