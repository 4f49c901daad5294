//! `tacho replay`: what handing events out again would do, and doing it.

use super::state::with;
use crate::failure::{Ending, WrongUsage};
use crate::filters::FilterArguments;
use crate::log::{Log, stream_name, stream_path};
use crate::place::{Place, PlaceArguments};
use crate::terminal::{Output, escape};
use anyhow::{Result, bail};
use clap::Args;
use serde_json::{Value, json};

/// Plan a replay of a stream's events, or do it: what is handed out again, what is skipped, and why
#[derive(Debug, Args)]
pub struct Replay {
    /// The stream, as `<category>/<id>`
    #[arg(value_name = "STREAM_TO_REPLAY", value_parser = stream_name)]
    of: String,
    /// The stream's first event that is meant
    #[arg(long, value_name = "N", default_value_t = 1)]
    from: u64,
    /// The last one [default: the stream's last]
    #[arg(long, value_name = "N")]
    to: Option<u64>,
    /// Do it: give the events to the handlers again, and compare what they answer
    #[arg(long)]
    execute: bool,
    /// Name what is executed: the same name does nothing twice [default: derived from the events]
    #[arg(long = "as", value_name = "NAME", requires = "execute")]
    named: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT", requires = "execute")]
    reason: Option<String>,
    /// How long to wait for the handlers, in seconds
    #[arg(long, value_name = "N", default_value_t = 30, requires = "execute")]
    wait: u64,
    /// Print the plan, or what was done, as one JSON document
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    filters: FilterArguments,
    #[command(flatten)]
    place: PlaceArguments,
}

impl Replay {
    pub fn run(self) -> Result<Ending> {
        let mut pairs = vec![("from".to_owned(), self.from.to_string())];
        pairs.extend(self.to.map(|to| ("to".to_owned(), to.to_string())));
        for (name, value) in self.filters.check()?.parameters {
            if name == "stream" {
                bail!(WrongUsage("a replay is of one stream, which is named without --stream".to_owned()));
            }
            pairs.push((name.to_owned(), value));
        }
        let path = with(stream_path("replay", &self.of, ""), &pairs);
        let answer = match self.execute {
            true => {
                let server = Place::find(&self.place)?.controlled()?;
                let order = json!({"id": self.named, "reason": self.reason, "wait_seconds": self.wait});
                server.post_value(&path, &order)?
            }
            false => Log::open(&Place::find(&self.place)?)?.rewound(&path)?,
        };
        let mut output = Output::stdout();
        match self.json {
            true => output.json(answer.to_string().as_bytes())?,
            false => tell(&answer, self.execute, &mut output)?,
        }
        output.flush()?;
        let is_done = !self.execute || answer["as_planned"] == true;
        Ok(if is_done { Ending::Done } else { Ending::Wanting })
    }
}

fn tell(answer: &Value, was_executed: bool, output: &mut Output) -> Result<()> {
    for result in answer["results"].as_array().into_iter().flatten() {
        let text = |name: &str| escape(result[name].as_str().unwrap_or_default()).into_owned();
        let (mark, why) = match result["status"].as_str() {
            Some("success") if was_executed => (output.palette.good("done  "), returned(result)),
            Some("success") => (output.palette.good("replay"), String::new()),
            Some("skipped") => ("skip  ".to_owned(), "not repeatable".to_owned()),
            _ => (output.palette.bad("fail  "), text("detail")),
        };
        let number = output.palette.dim(format!("#{:<5}", result["sequence"]));
        let why = if why.is_empty() { why } else { format!("  {}", output.palette.dim(why)) };
        output.line(&format!("{number} {mark}  {}{why}", text("type")))?;
    }
    let (replayed, skipped, failed) =
        (&answer["replayed_count"], &answer["skipped_count"], &answer["failed_count"]);
    if !was_executed {
        output.line(&format!("{replayed} would be replayed, {skipped} skipped, {failed} could not be"))?;
        return Ok(());
    }
    output.line(&format!("{replayed} replayed, {skipped} skipped, {failed} failed"))?;
    let repeated = answer["repeated"].as_u64().unwrap_or_default();
    if repeated > 0 {
        let id = escape(answer["replay_id"].as_str().unwrap_or_default());
        output.line(&format!(
            "{repeated} of them were replayed before under this name ({id}): give another one with --as to do it again"
        ))?;
    }
    for handler in answer["open"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        output.line(&format!("{} is not done yet: see `tacho handler show`", escape(handler)))?;
    }
    Ok(())
}

/// What handlers answered, against what they had answered before.
fn returned(result: &Value) -> String {
    let types: Vec<&str> =
        result["returned"].as_array().into_iter().flatten().filter_map(|one| one["type"].as_str()).collect();
    match (types.is_empty(), result["as_before"] == true) {
        (true, true) => String::new(),
        (false, true) => format!("{}, as before", escape(&types.join(", "))),
        (true, false) => "no answer; there was one before".to_owned(),
        (false, false) => format!("{}, other than before", escape(&types.join(", "))),
    }
}
