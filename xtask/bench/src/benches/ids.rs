//! Whether an append costs more as the log grows: every append looks its ids up among all that were ever given.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::latency::Latencies;
use crate::load::Client;
use crate::options::Options;
use crate::report::{Section, figure};
use crate::tacho::{Tacho, TachoClient};

const BATCH_EVENTS: usize = 1000;
const STEPS: u64 = 10;

pub async fn run(options: &Options) -> Result<Section> {
    let events_a_step = options.pick(5_000_000, 100_000);
    let tacho = Tacho::start(options, "tacho-ids").await?;
    let mut rows = Vec::new();
    for step in 1..=STEPS {
        // While the view folds, a connection is idle for longer than the server keeps one.
        let mut client = TachoClient::connect(tacho.address(), &format!("ids-{step}")).await?;
        let mut batches = Vec::new();
        let begun = Instant::now();
        for _ in 0..events_a_step / BATCH_EVENTS as u64 {
            batches.push(append(&mut client, BATCH_EVENTS).await?);
        }
        let rate = events_a_step as f64 / begun.elapsed().as_secs_f64();
        // The view's work is no part of what an append costs.
        tacho.wait_folded(client.head).await?;
        let mut single = TachoClient::connect(tacho.address(), &format!("ids-single-{step}")).await?;
        let mut singles = Vec::new();
        for _ in 0..1000 {
            singles.push(append(&mut single, 1).await?);
        }
        let (batches, singles): (Latencies, Latencies) =
            (batches.into_iter().collect(), singles.into_iter().collect());
        let (memory, _) = tacho.server.memory_mib()?;
        let events = step * events_a_step;
        eprintln!("    {events} events");
        let percentiles = [(&batches, 50.0), (&batches, 99.0), (&singles, 50.0), (&singles, 99.0)]
            .map(|(l, p)| l.percentile_ms(p));
        let mut row = vec![figure(events as f64), figure(rate)];
        row.extend(percentiles.map(figure));
        row.push(figure(memory));
        rows.push(row);
    }
    let columns =
        ["events", "events/s", "batch, median", "batch, p99", "single, median", "single, p99", "MiB"];
    Ok(Section {
        title: "Append as the log grows",
        notes: vec![format!(
            "One client, {BATCH_EVENTS} events a request, then single events once the view has folded; milliseconds."
        )],
        columns: columns.map(str::to_owned).to_vec(),
        rows,
        verdicts: Vec::new(),
    })
}

async fn append(client: &mut TachoClient, count: usize) -> Result<Duration> {
    let begun = Instant::now();
    client.append(count).await?;
    Ok(begun.elapsed())
}
