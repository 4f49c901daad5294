//! A thousand handlers, each of a type of its own, and a load that is hardly for any of them.

use std::fmt::Write;
use std::time::Duration;

use anyhow::Result;

use super::Part;
use super::handler::settle;
use crate::http::Connection;
use crate::load::Client;
use crate::options::Options;
use crate::payload::post_head;
use crate::report::{Verdict, figure};
use crate::tacho::{Tacho, TachoClient, expect_status};

const HANDLERS: usize = 1_000;
const EVENTS_PER_SECOND: u32 = 10_000;
const EVENTS_A_REQUEST: u32 = 100;
/// Requests between two events that are for a handler.
const REQUESTS_A_MATCH: u32 = 10;
/// Of a core, more than without handlers.
const CORE_CEILING_PERCENT: f64 = 10.0;

struct Cost {
    cores: f64,
    memory_mib: f64,
}

pub async fn measure(options: &Options) -> Result<Part> {
    let seconds = options.pick(10, 2);
    let mut sums = [0.0; 2];
    let mut memory = [0.0; 2];
    let rounds = options.pick(3, 1);
    // They take turns, so that they share the machine's moods.
    for _ in 0..rounds {
        for (index, handlers) in [0, HANDLERS].into_iter().enumerate() {
            eprintln!("    {handlers} handlers");
            let cost = load(options, handlers, seconds).await?;
            sums[index] += cost.cores;
            memory[index] = cost.memory_mib;
        }
    }
    let [without, with] = sums.map(|sum| sum / f64::from(rounds) * 100.0);
    let mut part = Part::default();
    part.notes.push(format!(
        "{} events/s for {seconds} s took {} % of a core without handlers and {} % with {} of them, each of a type of its \
         own, of which one gets one event in {} and makes another of it (the mean of {rounds} runs each, by turns). The \
         server then held {} and {} MiB.",
        figure(f64::from(EVENTS_PER_SECOND)),
        figure(without),
        figure(with),
        figure(HANDLERS as f64),
        figure(f64::from(EVENTS_A_REQUEST * REQUESTS_A_MATCH)),
        figure(memory[0]),
        figure(memory[1]),
    ));
    part.verdicts.push(Verdict::at_most(
        format!(
            "{} handlers at {} events/s, above none",
            figure(HANDLERS as f64),
            figure(f64::from(EVENTS_PER_SECOND))
        ),
        with - without,
        CORE_CEILING_PERCENT,
        "% of a core",
    ));
    Ok(part)
}

async fn load(options: &Options, handlers: usize, seconds: u32) -> Result<Cost> {
    let mut configuration = String::new();
    for number in 0..handlers {
        // A formatted number always fits into a string.
        let _ = writeln!(
            configuration,
            "[[handler]]\nname = \"crowd-{number}\"\non = \"crowd.{number}\"\nrun.emit.type = \"crowd.answered\""
        );
    }
    let tacho = Tacho::start_configured(options, "tacho-react", &configuration).await?;
    let mut client = TachoClient::connect(tacho.address(), "crowd").await?;
    let mut other = Connection::open(tacho.address()).await?;
    let (requests, begun) = (seconds * EVENTS_PER_SECOND / EVENTS_A_REQUEST, tokio::time::Instant::now());
    let cpu = tacho.server.cpu_seconds()?;
    for request in 0..requests {
        tokio::time::sleep_until(
            begun + Duration::from_secs(1) * EVENTS_A_REQUEST / EVENTS_PER_SECOND * request,
        )
        .await;
        client.append(EVENTS_A_REQUEST as usize).await?;
        if request % REQUESTS_A_MATCH == 0 {
            append_matching(&mut other, request).await?;
        }
    }
    tacho.wait_folded(client.head).await?;
    if handlers > 0 {
        settle(&tacho, "crowd-0", "done", u64::from(requests / REQUESTS_A_MATCH)).await?;
    }
    let cores = (tacho.server.cpu_seconds()? - cpu) / begun.elapsed().as_secs_f64();
    let memory_mib = tacho.server.memory_mib()?.0;
    tacho.server.stop().await?;
    Ok(Cost { cores, memory_mib })
}

async fn append_matching(connection: &mut Connection, number: u32) -> Result<()> {
    let body = format!(
        "{{\"specversion\":\"1.0\",\"id\":\"{number}\",\"source\":\"/bench/crowd\",\"type\":\"crowd.0\",\
         \"subject\":\"task/crowd\",\"data\":{{}}}}"
    );
    let mut request = post_head(connection.address(), body.len());
    request.extend_from_slice(body.as_bytes());
    expect_status(&connection.exchange(&request).await?, 201)
}
