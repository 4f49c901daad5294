//! A process for each event.

use anyhow::Result;

use super::Part;
use super::handler::{Handler, fill_events, settle};
use crate::options::Options;
use crate::report::Verdict;
use crate::tacho::Tacho;

const CONCURRENCY: usize = 4;
const RATE_FLOOR: f64 = 300.0;

pub async fn measure(options: &Options) -> Result<Part> {
    let events = options.pick(5_000, 500);
    eprintln!("    /bin/true");
    let tacho = Tacho::start(options, "tacho-react").await?;
    fill_events(&tacho, events).await?;
    let command = vec!["/bin/true".to_owned()];
    let handler =
        Handler { name: "true".to_owned(), mode: "process", command, concurrency: CONCURRENCY, batch: 1 };
    let tacho = tacho.reconfigured(&handler.text()).await?;
    let rate = settle(&tacho, "true", "done", events).await?;
    tacho.server.stop().await?;
    let what = format!("a process of `/bin/true` an event, concurrency {CONCURRENCY}");
    let mut part = Part::default();
    part.verdicts.push(Verdict::at_least(what.clone(), rate, RATE_FLOOR, "events/s"));
    part.rate(what, rate);
    Ok(part)
}
