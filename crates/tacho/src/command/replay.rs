//! `tacho replay`: what handing events out again would do.

use super::state::with;
use crate::failure::{Ending, WrongUsage};
use crate::filters::FilterArguments;
use crate::log::{Log, stream_name, stream_path};
use crate::place::{Place, PlaceArguments};
use crate::terminal::{Output, escape};
use anyhow::{Result, bail};
use clap::Args;

/// Plan a replay of a stream's events: what could be handed out again, what would be skipped, and why
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
    /// Print the plan as one JSON document
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    filters: FilterArguments,
    #[command(flatten)]
    place: PlaceArguments,
}

impl Replay {
    pub fn run(self) -> Result<Ending> {
        let log = Log::open(&Place::find(&self.place)?)?;
        let mut pairs = vec![("from".to_owned(), self.from.to_string())];
        pairs.extend(self.to.map(|to| ("to".to_owned(), to.to_string())));
        for (name, value) in self.filters.check()?.parameters {
            if name == "stream" {
                bail!(WrongUsage("a replay is of one stream, which is named without --stream".to_owned()));
            }
            pairs.push((name.to_owned(), value));
        }
        let plan = log.rewound(&with(stream_path("replay", &self.of, ""), &pairs))?;
        let mut output = Output::stdout();
        if self.json {
            output.json(plan.to_string().as_bytes())?;
        } else {
            for result in plan["results"].as_array().into_iter().flatten() {
                let text = |name: &str| escape(result[name].as_str().unwrap_or_default()).into_owned();
                let (mark, why) = match result["status"].as_str() {
                    Some("success") => (output.palette.good("replay"), String::new()),
                    Some("skipped") => ("skip  ".to_owned(), "not repeatable".to_owned()),
                    _ => (output.palette.bad("fail  "), text("detail")),
                };
                let number = output.palette.dim(format!("#{:<5}", result["sequence"]));
                let why = if why.is_empty() { why } else { format!("  {}", output.palette.dim(why)) };
                output.line(&format!("{number} {mark}  {}{why}", text("type")))?;
            }
            output.line(&format!(
                "{} would be replayed, {} skipped, {} could not be",
                plan["replayed_count"], plan["skipped_count"], plan["failed_count"]
            ))?;
        }
        output.flush()?;
        Ok(Ending::Done)
    }
}
