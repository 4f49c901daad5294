//! 100,000 dead letters: their pages, their causes, and trying them again.

use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::Part;
use super::handler::{Handler, fill_events, folder, order, settle, worker};
use crate::http::Connection;
use crate::latency::Latencies;
use crate::options::Options;
use crate::report::{Verdict, figure};
use crate::tacho::{Tacho, expect_status};

const NAME: &str = "refuses";
const PAGE_LETTERS: u64 = 100;
const PAGE_CEILING_MS: f64 = 100.0;
const ORDER_CEILING_MS: f64 = 1_000.0;
/// How often one question is asked.
const TIMES: usize = 20;

pub async fn measure(options: &Options) -> Result<Part> {
    let letters = options.pick(100_000, 5_000);
    eprintln!("    {letters} dead letters");
    let tacho = Tacho::start(options, "tacho-react").await?;
    fill_events(&tacho, letters).await?;
    let healed = folder(&tacho).join("healed");
    let command = worker(options, &folder(&tacho), &["refuse", &healed.to_string_lossy()])?;
    let handler = Handler { name: NAME.to_owned(), mode: "warm", command, concurrency: 4, batch: 1 };
    let tacho = tacho.reconfigured(&handler.text()).await?;
    let rate = settle(&tacho, NAME, "dead", letters).await?;
    let mut part = Part::default();
    part.rate("4 workers that refuse, each event a dead letter", rate);
    let mut connection = Connection::open(tacho.address()).await?;
    read(&mut connection, letters, &mut part).await?;
    std::fs::write(&healed, "")?;
    write(&mut connection, &tacho, letters, &mut part).await?;
    tacho.server.stop().await?;
    Ok(part)
}

async fn read(connection: &mut Connection, letters: u64, part: &mut Part) -> Result<()> {
    let first = format!("/api/dead-letters?limit={PAGE_LETTERS}");
    let (mut pages, mut cursors, mut path) = (Vec::new(), Vec::new(), first.clone());
    loop {
        let asked = Instant::now();
        let answer = connection.get(&path).await?;
        pages.push(asked.elapsed());
        expect_status(&answer, 200)?;
        let page: serde_json::Value = serde_json::from_slice(&answer.body)?;
        ensure!(page["total"] == letters, "{} dead letters are open", page["total"]);
        cursors.push(path);
        let Some(next) = page["next"].as_str() else { break };
        path = format!("{first}&cursor={next}");
    }
    let pages: Latencies = pages.into_iter().collect();
    let middle = cursors.get(499).or(cursors.last()).context("there are no pages")?.clone();
    let figures = figure(letters as f64);
    let mut worst = pages.percentile_ms(99.0);
    for (what, path) in [
        ("the first page", first),
        ("the 500th page", middle),
        ("the causes", "/api/dead-letters/causes".to_owned()),
    ] {
        let latencies = ask(connection, &path).await?;
        worst = worst.max(latencies.percentile_ms(99.0));
        part.latency(format!("{figures} dead letters: {what}"), &latencies);
    }
    part.latency(format!("{figures} dead letters: all pages, one after the other"), &pages);
    part.verdicts.push(Verdict::at_most(
        format!("a page or the causes of {figures} dead letters, p99"),
        worst,
        PAGE_CEILING_MS,
        "ms",
    ));
    Ok(())
}

async fn ask(connection: &mut Connection, path: &str) -> Result<Latencies> {
    let mut samples = Vec::with_capacity(TIMES);
    for _ in 0..TIMES {
        let asked = Instant::now();
        let answer = connection.get(path).await?;
        samples.push(asked.elapsed());
        expect_status(&answer, 200)?;
    }
    Ok(samples.into_iter().collect())
}

/// Tries some letters one by one, then all the others by their cause, and waits until none is left.
async fn write(connection: &mut Connection, tacho: &Tacho, letters: u64, part: &mut Part) -> Result<()> {
    let answer = connection.get(&format!("/api/dead-letters?limit={TIMES}")).await?;
    let page: serde_json::Value = serde_json::from_slice(&answer.body)?;
    let mut samples = Vec::with_capacity(TIMES);
    for letter in page["dead_letters"].as_array().context("the page has no `dead_letters`")? {
        let id = letter["id"].as_str().context("a dead letter has no `id`")?;
        let asked = Instant::now();
        order(connection, tacho, &format!("/api/dead-letters/{id}/retry"), "{}").await?;
        samples.push(asked.elapsed());
    }
    let one: Latencies = samples.into_iter().collect();
    part.latency("one dead letter is tried again", &one);
    let body = format!("{{\"handler\":\"{NAME}\",\"code\":\"error_7\"}}");
    let (mut samples, begun, mut count) = (Vec::new(), Instant::now(), one.len() as u64);
    loop {
        let asked = Instant::now();
        let answer = order(connection, tacho, "/api/dead-letters/retry", &body).await?;
        samples.push(asked.elapsed());
        let tried = answer["count"].as_u64().context("the answer has no `count`")?;
        count += tried;
        ensure!(tried > 0 || answer["left"] == 0, "no more letters are tried again: {answer}");
        if answer["left"] == 0 {
            break;
        }
    }
    ensure!(count == letters, "{count} of {letters} dead letters were tried again");
    let all: Latencies = samples.into_iter().collect();
    part.latency("5,000 dead letters of a cause are tried again in a call", &all);
    let asked = begun.elapsed();
    settle(tacho, NAME, "done", letters).await?;
    part.notes.push(format!(
        "All {} dead letters were told to be tried again within {} s, and were done after {} s.",
        figure(letters as f64),
        figure(asked.as_secs_f64()),
        figure(begun.elapsed().as_secs_f64()),
    ));
    let worst = one.percentile_ms(100.0).max(all.percentile_ms(100.0));
    part.verdicts.push(Verdict::at_most(
        "one dead letter, or 5,000 of a cause, tried again, at most",
        worst,
        ORDER_CEILING_MS,
        "ms",
    ));
    Ok(())
}
