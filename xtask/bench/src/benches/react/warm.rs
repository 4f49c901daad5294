//! Python that stays and answers: from append to its hands, and events a second.

use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::Part;
use super::handler::{Handler, TYPE, fill_events, folder, settle, worker};
use super::peers::{HOOK_PAYLOAD, run_hook};
use super::stamps::{self, Stamp, now_ns};
use crate::http::Connection;
use crate::latency::Latencies;
use crate::options::Options;
use crate::payload::post_head;
use crate::report::{Verdict, figure};
use crate::tacho::{Tacho, expect_status};

pub const PER_SECOND: u32 = 200;
const MEDIAN_CEILING_MS: f64 = 1.0;
const P99_CEILING_MS: f64 = 5.0;
const RATE_FLOOR: f64 = 10_000.0;
/// Concurrency and events of a delivery.
const SHAPES: [(usize, usize); 4] = [(1, 1), (4, 1), (1, 100), (4, 100)];
/// How many times as fast twenty workers that wait must be.
const TOGETHER_FLOOR: f64 = 10.0;

/// What the peers are held against.
pub struct Warm {
    pub latency: Latencies,
    /// From starting `tacho hook` to the worker.
    pub hook: Latencies,
    /// Of one worker: events of a delivery, and events a second.
    pub rates: Vec<(usize, f64)>,
}

pub async fn measure(options: &Options, part: &mut Part) -> Result<Warm> {
    let (latency, hook) = latencies(options, part).await?;
    let rates = throughput(options, part).await?;
    together(options, part).await?;
    Ok(Warm { latency, hook, rates })
}

async fn latencies(options: &Options, part: &mut Part) -> Result<(Latencies, Latencies)> {
    eprintln!("    from append to Python");
    let home = options.fresh_folder("react-stamps")?;
    let file = home.join("stamps.txt");
    let command = worker(options, &home, &["stamp", &file.to_string_lossy()])?;
    let handler = Handler { name: "warm".to_owned(), mode: "warm", command, concurrency: 1, batch: 1 };
    let tacho = Tacho::start_configured(options, "tacho-react", &handler.text()).await?;
    let (events, before) = (PER_SECOND * options.pick(10, 1), PER_SECOND / 4);
    append_paced(&tacho, 0, before).await?;
    let acknowledged = append_paced(&tacho, before, events).await?;
    let stamps = stamps::wait(&file, (before + events) as usize).await?;
    let stamps = &stamps[before as usize..];
    ensure!(stamps.len() == acknowledged.len(), "{} events were handled", stamps.len());
    let latency: Latencies = stamps.iter().map(|stamp| stamp.took()).collect();
    let behind: Latencies = stamps
        .iter()
        .zip(acknowledged)
        .map(|(stamp, acknowledged)| Stamp { sent: acknowledged, ..*stamp }.took())
        .collect();
    part.latency("append to a warm Python worker", &latency);
    part.latency("the same, from the append's 201", &behind);
    for (percent, ceiling, what) in [(50.0, MEDIAN_CEILING_MS, "median"), (99.0, P99_CEILING_MS, "p99")] {
        part.verdicts.push(Verdict::at_most(
            format!("append to a warm Python worker, {what}"),
            latency.percentile_ms(percent),
            ceiling,
            "ms",
        ));
    }
    let seen = (before + events) as usize;
    let hooks = options.pick(500, 50);
    let mut command = Command::new(&options.tacho);
    command.arg("hook").env("TACHO_DATA", &tacho.data);
    command.env("TACHO_SERVER", format!("http://{}", tacho.address()));
    let mut begun = Vec::with_capacity(hooks);
    for _ in 0..hooks {
        begun.push(now_ns());
        run_hook(&mut command, HOOK_PAYLOAD)?;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let stamps = stamps::wait(&file, seen + hooks).await?;
    let took = stamps[seen..].iter().zip(begun).map(|(stamp, sent)| Stamp { sent, ..*stamp }.took());
    let hook: Latencies = took.collect();
    part.latency("`tacho hook` to a warm Python worker, its own start included", &hook);
    tacho.server.stop().await?;
    Ok((latency, hook))
}

/// Sends events at their time by the clock, each with the moment at which it is sent; answers when each was
/// acknowledged.
async fn append_paced(tacho: &Tacho, first: u32, events: u32) -> Result<Vec<u64>> {
    let address = tacho.address();
    let mut connection = Connection::open(address).await?;
    let (text, begun) = ("x".repeat(220), tokio::time::Instant::now());
    let mut acknowledged = Vec::with_capacity(events as usize);
    for event in 0..events {
        tokio::time::sleep_until(begun + Duration::from_secs(1) / PER_SECOND * event).await;
        let sent = now_ns();
        let body = format!(
            "{{\"specversion\":\"1.0\",\"id\":\"{}\",\"source\":\"/bench/paced\",\"type\":\"{TYPE}\",\
             \"subject\":\"task/paced\",\"data\":{{\"sent\":{sent},\"text\":\"{text}\"}}}}",
            first + event
        );
        let mut request = post_head(address, body.len());
        request.extend_from_slice(body.as_bytes());
        expect_status(&connection.exchange(&request).await?, 201)?;
        acknowledged.push(now_ns());
    }
    Ok(acknowledged)
}

/// Answers the rates of one worker.
async fn throughput(options: &Options, part: &mut Part) -> Result<Vec<(usize, f64)>> {
    let events = options.pick(50_000, 5_000);
    let mut tacho = Tacho::start(options, "tacho-react").await?;
    fill_events(&tacho, events).await?;
    let command = worker(options, &folder(&tacho), &["noop"])?;
    let (mut of_one, mut cpu_us) = (Vec::new(), Vec::new());
    for (concurrency, batch) in SHAPES {
        let name = format!("noop-{concurrency}-{batch}");
        eprintln!("    {name}");
        let handler =
            Handler { name: name.clone(), mode: "warm", command: command.clone(), concurrency, batch };
        tacho = tacho.reconfigured(&handler.text()).await?;
        let cpu = tacho.server.cpu_seconds()?;
        let rate = settle(&tacho, &name, "done", events).await?;
        let workers = if concurrency == 1 { "worker" } else { "workers" };
        let plural = if batch == 1 { "" } else { "s" };
        let what = format!("{concurrency} {workers}, {batch} event{plural} a delivery");
        cpu_us.push(figure((tacho.server.cpu_seconds()? - cpu) * 1e6 / events as f64));
        part.verdicts.push(Verdict::at_least(what.clone(), rate, RATE_FLOOR, "events/s"));
        part.rate(what, rate);
        if concurrency == 1 {
            of_one.push((batch, rate));
        }
    }
    tacho.server.stop().await?;
    part.notes.push(format!(
        "{} events that were on the log, to workers that read them and answer nothing. Of the server's processor time an \
         event took {} µs, in the order of the table.",
        figure(events as f64),
        cpu_us.join(", ")
    ));
    Ok(of_one)
}

/// Workers that wait 50 ms for each event: one, then twenty.
async fn together(options: &Options, part: &mut Part) -> Result<()> {
    let mut rates = Vec::new();
    for (concurrency, events) in [(1, options.pick(200, 40)), (20, options.pick(4_000, 400))] {
        eprintln!("    {concurrency} that wait");
        let mut tacho = Tacho::start(options, "tacho-react").await?;
        fill_events(&tacho, events).await?;
        let command = worker(options, &folder(&tacho), &["sleep", "0.05"])?;
        let handler = Handler { name: "waits".to_owned(), mode: "warm", command, concurrency, batch: 1 };
        tacho = tacho.reconfigured(&handler.text()).await?;
        let rate = settle(&tacho, "waits", "done", events).await?;
        part.rate(format!("50 ms of waiting an event, concurrency {concurrency}"), rate);
        rates.push(rate);
        tacho.server.stop().await?;
    }
    let times = rates[1] / rates[0];
    part.verdicts.push(Verdict::at_least("concurrency 20 beside one at a time", times, TOGETHER_FLOOR, "×"));
    Ok(())
}
