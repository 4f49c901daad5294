//! One event to 500 subscribers: from the moment its append is sent to the moment that each of them has it.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::task::LocalSet;

use crate::http::Connection;
use crate::latency::Latencies;
use crate::options::Options;
use crate::payload::{PAYLOAD_BYTES, Variety, post_head, words};
use crate::report::{Section, Verdict, figure};
use crate::subscriber::{Subscriber, Transport, moment_member};
use crate::tacho::{Tacho, expect_status};

const GROUPS: [(&str, Transport, usize); 2] =
    [("SSE", Transport::Sse, 250), ("WebSocket", Transport::WebSocket, 250)];
const EVENTS_PER_SECOND: u32 = 200;
const P99_CEILING_MS: f64 = 10.0;
const TYPE: &str = "bench.told";
/// How long the last events may take to arrive.
const PATIENCE: Duration = Duration::from_secs(20);

/// What one run came to.
struct Measured {
    /// Of each group, sorted.
    groups: Vec<Latencies>,
    events_per_second: f64,
    /// Of the server, in seconds.
    cpu_seconds: f64,
}

pub async fn run(options: &Options) -> Result<Section> {
    let events = EVENTS_PER_SECOND * options.pick(20, 3);
    let tacho = Tacho::start(options, "tacho-fanout").await?;
    let local = LocalSet::new();
    let measured = local.run_until(measure(&tacho, events)).await?;
    Ok(section(events, measured))
}

async fn measure(tacho: &Tacho, events: u32) -> Result<Measured> {
    let begun = Instant::now();
    let received = Rc::new(Cell::new(0));
    let mut groups = Vec::new();
    for (_, transport, count) in GROUPS {
        let mut tasks = Vec::new();
        for _ in 0..count {
            let subscriber = Subscriber::open(tacho.address(), transport, TYPE).await?;
            tasks.push(tokio::task::spawn_local(receive(subscriber, events, begun, Rc::clone(&received))));
        }
        groups.push(tasks);
    }
    let cpu_before = tacho.server.cpu_seconds()?;
    let sending = Instant::now();
    append_paced(tacho, events, begun).await?;
    let events_per_second = f64::from(events) / sending.elapsed().as_secs_f64();
    let gathered = tokio::time::timeout(PATIENCE, async {
        let mut all = Vec::new();
        for tasks in groups {
            let mut latencies = Latencies::default();
            for task in tasks {
                latencies.append(task.await??);
            }
            latencies.sort();
            all.push(latencies);
        }
        anyhow::Ok(all)
    });
    let subscribers: usize = GROUPS.iter().map(|(_, _, count)| count).sum();
    let expected = subscribers * events as usize;
    let groups =
        gathered.await.with_context(|| format!("{} of {expected} events arrived", received.get()))??;
    Ok(Measured { groups, events_per_second, cpu_seconds: tacho.server.cpu_seconds()? - cpu_before })
}

/// Events that come one after the other, each with the moment at which it was sent.
async fn append_paced(tacho: &Tacho, events: u32, begun: Instant) -> Result<()> {
    let address = tacho.address();
    let mut connection = Connection::open(address).await?;
    let text = words(&mut Variety::new(5), PAYLOAD_BYTES - 40);
    let first = Instant::now();
    for event in 0..events {
        let due = first + Duration::from_secs(1) / EVENTS_PER_SECOND * event;
        tokio::time::sleep_until(due.into()).await;
        let body = format!(
            "{{\"specversion\":\"1.0\",\"id\":\"{event}\",\"source\":\"/bench/fanout\",\"type\":\"{TYPE}\",\
             \"subject\":\"task/fanout\",\"data\":{{{},\"text\":\"{text}\"}}}}",
            moment_member(begun.elapsed())
        );
        let mut request = post_head(address, body.len());
        request.extend_from_slice(body.as_bytes());
        expect_status(&connection.exchange(&request).await?, 201)?;
    }
    Ok(())
}

/// How long each event took, once all have come. One that is left out never comes.
async fn receive(
    mut subscriber: Subscriber,
    events: u32,
    begun: Instant,
    received: Rc<Cell<usize>>,
) -> Result<Latencies> {
    let (mut latencies, mut sent) = (Latencies::default(), Vec::new());
    while latencies.len() < events as usize {
        let now = subscriber.receive(|moment| sent.push(moment)).await? - begun;
        received.set(received.get() + sent.len());
        sent.drain(..).for_each(|moment| latencies.add(now.saturating_sub(moment)));
    }
    Ok(latencies)
}

fn section(events: u32, measured: Measured) -> Section {
    let row = |name: String, latencies: &Latencies| {
        let figures = [50.0, 90.0, 99.0, 100.0].map(|percent| figure(latencies.percentile_ms(percent)));
        std::iter::once(name).chain(figures).collect::<Vec<_>>()
    };
    let mut rows: Vec<Vec<String>> = GROUPS
        .iter()
        .zip(&measured.groups)
        .map(|((name, _, count), latencies)| row(format!("{count} over {name}"), latencies))
        .collect();
    let mut all = Latencies::default();
    measured.groups.into_iter().for_each(|latencies| all.append(latencies));
    all.sort();
    rows.push(row("all".to_owned(), &all));
    let subscribers: usize = GROUPS.iter().map(|(_, _, count)| count).sum();
    let p99 = all.percentile_ms(99.0);
    Section {
        title: "Fan-out",
        notes: vec![format!(
            "Milliseconds from sending an append to having its event, at each of {subscribers} subscribers: {} events, {} \
             a second, which makes {} deliveries a second. The receivers are one thread beside the server on the same \
             cores, and the last to be read is counted with those before it. The server took {} µs of processor time a \
             delivery.",
            figure(f64::from(events)),
            figure(measured.events_per_second),
            figure(measured.events_per_second * subscribers as f64),
            figure(measured.cpu_seconds * 1e6 / all.len() as f64),
        )],
        columns: ["subscribers", "median", "p90", "p99", "most"].map(str::to_owned).to_vec(),
        rows,
        verdicts: vec![Verdict::at_most(
            format!("append to receipt with {subscribers} subscribers, p99"),
            p99,
            P99_CEILING_MS,
            "ms",
        )],
    }
}
