//! Every filter on a large log: the first page, pages in the middle that follow cursors, the last page, the newest
//! first. Then a restart on that log, idle memory, and the binary's size.

mod fill;
mod pages;

use std::time::Duration;

use anyhow::Result;

use crate::http::Connection;
use crate::options::Options;
use crate::report::{Section, Verdict, figure};
use crate::tacho::Tacho;
use pages::{FILTERS, Pages};

const P99_CEILING_MS: f64 = 50.0;
const READY_CEILING_SECONDS: f64 = 1.0;
const IDLE_CEILING_MIB: f64 = 40.0;
const BINARY_CEILING_MIB: f64 = 40.0;
/// How long a server that nobody asks anything is left alone before its memory is read.
const IDLE: Duration = Duration::from_secs(5);

pub async fn run(options: &Options) -> Result<Section> {
    let events = options.pick(5_000_000, 200_000);
    let tacho = Tacho::start(options, "tacho-query").await?;
    let filled = fill::fill(tacho.address(), events).await?;
    let folded_after = tacho.wait_folded(filled.head).await?;
    let mut section = Section {
        title: "Query",
        notes: vec![
            format!(
                "Median and 99th percentile in milliseconds of a page of {} events over HTTP, on {} events. The log \
                 took them at {} events/s in batches of {}; the view had folded the last one {} s later.",
                pages::PAGE_EVENTS,
                figure(events as f64),
                figure(filled.events_per_second),
                crate::fill::BATCH_EVENTS,
                figure(folded_after.as_secs_f64()),
            ),
            "A page that the time limit cut short is answered with what it has and a cursor; `cut` counts them."
                .to_owned(),
        ],
        columns: ["filter", "first", "middle", "last", "newest", "events a page", "cut"].map(str::to_owned).to_vec(),
        rows: Vec::new(),
        verdicts: Vec::new(),
    };
    let mut connection = Connection::open(tacho.address()).await?;
    let mut worst = ("", 0.0);
    for filter in FILTERS {
        eprintln!("    {}", filter.name);
        let pages = Pages::measure(&mut connection, filter, filled.head, options.pick(200, 30)).await?;
        let p99 = pages.worst_p99_ms();
        if p99 > worst.1 {
            worst = (filter.name, p99);
        }
        section.rows.push(pages.row(filter.name));
    }
    let what = format!("any page of any filter, p99 (slowest: {})", worst.0);
    section.verdicts.push(Verdict::at_most(what, worst.1, P99_CEILING_MS, "ms"));
    restart(options, tacho, &mut section).await?;
    Ok(section)
}

async fn restart(options: &Options, mut tacho: Tacho, section: &mut Section) -> Result<()> {
    let (mut ready, mut stopped) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        let (again, took) = tacho.restart().await?;
        tacho = again;
        ready.push(tacho.ready_after.as_secs_f64());
        stopped.push(took.as_secs_f64());
    }
    ready.sort_by(f64::total_cmp);
    stopped.sort_by(f64::total_cmp);
    tokio::time::sleep(IDLE).await;
    let (resident, anonymous) = tacho.server.memory_mib()?;
    let binary = std::fs::metadata(&options.tacho)?.len() as f64 / f64::from(1 << 20);
    section.notes.push(format!(
        "Started again on this log: ready after {} s, ended within {} s; {} MiB resident when idle, of which {} not \
         backed by files. The binary has {} MiB.",
        figure(ready[1]),
        figure(stopped[1]),
        figure(resident),
        figure(anonymous),
        figure(binary),
    ));
    section.verdicts.extend([
        Verdict::at_most("ready again on this log", ready[1], READY_CEILING_SECONDS, "s"),
        Verdict::at_most("idle memory", resident, IDLE_CEILING_MIB, "MiB"),
        Verdict::at_most("the binary", binary, BINARY_CEILING_MIB, "MiB"),
    ]);
    Ok(())
}
