//! What the key figures cost: the fold of a log with and without them, and how long their answers take.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::fill::fill;
use crate::http::Connection;
use crate::latency::Latencies;
use crate::options::Options;
use crate::report::{Section, Verdict, figure};
use crate::tacho::{Tacho, expect_status};
use crate::work::Work;

/// The events' times are spread over so long, up to now.
const OVER: Duration = Duration::from_secs(7 * 86_400);
const FOLD_CEILING_MS: f64 = 1.0;
/// Most time that one question is asked again and again.
const ASKED: Duration = Duration::from_secs(4);
const QUESTIONS: &[&str] = &[
    "/api/metrics",
    "/api/metrics?window=24h",
    "/api/metrics?window=7d",
    "/api/metrics?window=7d&trend=7d",
    "/api/cost?by=model",
    "/api/cost?by=session",
    "/api/cost?by=agent",
    "/api/cost?by=feature",
    "/api/cost?by=day",
];

pub async fn run(options: &Options) -> Result<Section> {
    let events = options.pick(1_000_000, 50_000);
    // First, so that its server has ended when the other is asked.
    let (plain, plain_seconds) = folded(options, "tacho-figures-plain", events, "other.").await?;
    plain.server.stop().await?;
    let (tacho, seconds) = folded(options, "tacho-figures", events, "").await?;
    let mut connection = Connection::open(tacho.address()).await?;
    let mut rows = Vec::new();
    for question in QUESTIONS {
        let latencies = ask(&mut connection, question, options.pick(200, 20)).await?;
        let figures = [50.0, 99.0].map(|percent| figure(latencies.percentile_ms(percent)));
        rows.push(std::iter::once(format!("`{question}`")).chain(figures).collect());
    }
    let each_us = |seconds: f64| seconds * 1e6 / events as f64;
    Ok(Section {
        title: "Key figures",
        notes: vec![
            format!(
                "Median and 99th percentile of an answer in milliseconds, on {} events over seven days: tasks of a \
                 factory, the hooks of Claude Code and its requests to models, ten events a task.",
                figure(events as f64)
            ),
            format!(
                "Folded anew, the log took {} µs an event, {} events/s; the same events under types that mean nothing \
                 to the figures took {} µs.",
                figure(each_us(seconds)),
                figure(events as f64 / seconds),
                figure(each_us(plain_seconds)),
            ),
        ],
        columns: ["question", "median", "p99"].map(str::to_owned).to_vec(),
        rows,
        verdicts: vec![Verdict::at_most(
            "folding an event, key figures included",
            each_us(seconds) / 1e3,
            FOLD_CEILING_MS,
            "ms",
        )],
    })
}

/// A server over a log of work that it has folded, and how many seconds the fold took when it was made anew.
async fn folded(options: &Options, name: &str, events: u64, prefix: &'static str) -> Result<(Tacho, f64)> {
    let tacho = Tacho::start(options, name).await?;
    let work = Work::new(events, OVER, prefix);
    let filled = fill(tacho.address(), events, |number| work.event(number)).await?;
    tacho.wait_folded(filled.head).await?;
    let (tacho, _) = tacho.restart().await?;
    let bare = tacho.ready_after;
    let tacho = tacho.fold_anew().await?;
    ensure!(tacho.ready_after > bare, "the fold of {events} events took no time");
    let seconds = (tacho.ready_after - bare).as_secs_f64();
    Ok((tacho, seconds))
}

async fn ask(connection: &mut Connection, question: &str, times: usize) -> Result<Latencies> {
    let (begun, mut samples) = (Instant::now(), Vec::new());
    while samples.len() < times && begun.elapsed() < ASKED {
        let asked = Instant::now();
        let answer = connection.get(question).await?;
        samples.push(asked.elapsed());
        expect_status(&answer, 200)?;
    }
    Ok(samples.into_iter().collect())
}
