//! Streams as they were: a state at a random moment of a long stream, the fold of all of it, two streams beside each
//! other, and a step of the scrubber.

use std::time::Instant;

use anyhow::{Context, Result, ensure};

use crate::fill::fill;
use crate::http::Connection;
use crate::issue;
use crate::latency::Latencies;
use crate::options::Options;
use crate::payload::Variety;
use crate::report::{Section, Verdict, figure};
use crate::tacho::{Tacho, expect_status};

const LONG: &str = "issue/BENCH-1";
const PAIR: [&str; 2] = ["issue/BENCH-2", "issue/BENCH-3"];
const STATE_CEILING_MS: f64 = 10.0;
const PAIR_CEILING_MS: f64 = 1_000.0;
const SCRUB_CEILING_MS: f64 = 50.0;
const SEALED_FLOOR: f64 = 300_000.0;

pub async fn run(options: &Options) -> Result<Section> {
    let (events, of_pair) = (options.pick(1_000_000, 50_000), options.pick(100_000, 10_000));
    let tacho = Tacho::start(options, "tacho-rewind").await?;
    let address = tacho.address();
    fill(address, events, |number| issue::event(LONG, number, u64::MAX)).await?;
    fill(address, of_pair, |number| issue::event(PAIR[0], number, u64::MAX)).await?;
    let filled = fill(address, of_pair, |number| issue::event(PAIR[1], number, of_pair / 2)).await?;
    tacho.wait_folded(filled.head).await?;
    let (tacho, _) = tacho.restart().await?;
    let mut connection = Connection::open(tacho.address()).await?;
    let pages = Pages { events, of_pair };

    let first = timed(&mut connection, &format!("/api/state/{LONG}?sequence={events}&path=.status")).await?;
    let rate = events as f64 / (first.percentile_ms(50.0) / 1e3);
    let mut rows = vec![row("the first state of all, snapshots left behind", &first)];
    for (name, path) in pages.questions() {
        let latencies = ask(&mut connection, options.pick(300, 30), path).await?;
        rows.push(row(name, &latencies));
    }
    let of = |name: &str, rows: &[Vec<String>]| -> Result<f64> {
        let found = rows.iter().find(|row| row[0].starts_with(name)).context("a row is missing")?;
        Ok(found[2].replace(',', "").parse()?)
    };
    let verdicts = vec![
        Verdict::at_most(
            "a state of the long stream at a random time, p99",
            of("state at a random time", &rows)?,
            STATE_CEILING_MS,
            "ms",
        ),
        Verdict::at_least("folding from sealed segments", rate, SEALED_FLOOR, "events/s"),
        Verdict::at_most("diff of a stream of the pair, p99", of("diff", &rows)?, PAIR_CEILING_MS, "ms"),
        Verdict::at_most("divergence of the pair, p99", of("divergence", &rows)?, PAIR_CEILING_MS, "ms"),
        Verdict::at_most(
            "a step of the scrubber, p99",
            of("a step of the scrubber", &rows)?,
            SCRUB_CEILING_MS,
            "ms",
        ),
    ];
    tacho.server.stop().await?;
    Ok(Section {
        title: "Rewind",
        notes: vec![format!(
            "Milliseconds of an answer over HTTP. One stream of {} events (an orchestration of rounds of a thousand \
             events, most of them calls of tools), two of {} that part in the middle. Random moments, each asked once.",
            figure(events as f64),
            figure(of_pair as f64),
        )],
        columns: ["question", "median", "p99"].map(str::to_owned).to_vec(),
        rows,
        verdicts,
    })
}

struct Pages {
    events: u64,
    of_pair: u64,
}

type Path = Box<dyn FnMut() -> String>;

impl Pages {
    fn questions(&self) -> Vec<(&'static str, Path)> {
        let events = self.events;
        let of_pair = self.of_pair;
        let mut random = Variety::new(5);
        let mut other = Variety::new(6);
        let mut third = Variety::new(7);
        vec![
            (
                "state at a random time",
                Box::new(move || {
                    let time = issue::time(random.below(events)).replace(':', "%3A");
                    format!("/api/state/{LONG}?at={time}")
                }),
            ),
            (
                "state at a random event",
                Box::new(move || format!("/api/state/{LONG}?sequence={}", 1 + other.below(events))),
            ),
            ("state now", Box::new(|| format!("/api/state/{LONG}"))),
            (
                "a step of the scrubber: the state's changes around an event",
                Box::new(move || {
                    let at = 1 + third.below(events - 100);
                    format!("/api/state/{LONG}/history?from={at}&to={}", at + 50)
                }),
            ),
            (
                "diff of the first and the last state",
                Box::new(move || {
                    format!("/api/state/{}/diff?from_sequence=1&to_sequence={of_pair}", PAIR[0])
                }),
            ),
            (
                "divergence of two streams",
                Box::new(|| format!("/api/divergence?a={}&b={}", PAIR[0], PAIR[1])),
            ),
        ]
    }
}

fn row(name: &str, latencies: &Latencies) -> Vec<String> {
    let figures = [50.0, 99.0].map(|percent| figure(latencies.percentile_ms(percent)));
    std::iter::once(name.to_owned()).chain(figures).collect()
}

async fn timed(connection: &mut Connection, path: &str) -> Result<Latencies> {
    ask(connection, 1, &mut || path.to_owned()).await
}

async fn ask(connection: &mut Connection, times: usize, path: impl FnMut() -> String) -> Result<Latencies> {
    let mut path = path;
    let mut samples = Vec::new();
    for _ in 0..times {
        let path = path();
        let asked = Instant::now();
        let answer = connection.get(&path).await?;
        samples.push(asked.elapsed());
        expect_status(&answer, 200)?;
        ensure!(!answer.body.is_empty(), "{path} answers nothing");
    }
    Ok(samples.into_iter().collect())
}
