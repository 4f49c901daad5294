//! From the moment an append is sent to the moment a subscriber has its event.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio::task::LocalSet;

use crate::http::Connection;
use crate::latency::Latencies;
use crate::load::Client;
use crate::options::Options;
use crate::report::{Section, Verdict, figure};
use crate::tacho::{Tacho, TachoClient};

const EVENTS_PER_SECOND: u32 = 1000;
const P99_CEILING_MS: f64 = 10.0;
/// How long the last events may take to arrive.
const PATIENCE: Duration = Duration::from_secs(10);

pub async fn run(options: &Options) -> Result<Section> {
    let events = EVENTS_PER_SECOND * options.pick(20, 3);
    let tacho = Tacho::start(options, "tacho-sse").await?;
    let mut subscriber = Connection::open(tacho.address()).await?;
    subscriber.follow("/api/events/stream?type=bench.appended").await?;
    let mut client = TachoClient::connect(tacho.address(), "sse").await?;
    let sent = Rc::new(RefCell::new(Vec::with_capacity(events as usize)));
    let times = Rc::clone(&sent);
    let local = LocalSet::new();
    let appender = local.spawn_local(async move {
        let begun = Instant::now();
        for event in 0..events {
            let due = begun + Duration::from_secs(1) / EVENTS_PER_SECOND * event;
            tokio::time::sleep_until(due.into()).await;
            times.borrow_mut().push(Instant::now());
            client.append(1).await?;
        }
        anyhow::Ok(())
    });
    let received = local
        .run_until(async {
            let received = receive(&mut subscriber, events as usize).await?;
            appender.await??;
            anyhow::Ok(received)
        })
        .await?;
    let latencies: Latencies =
        sent.borrow().iter().zip(received).map(|(sent, received)| received - *sent).collect();
    Ok(section(&latencies))
}

fn section(latencies: &Latencies) -> Section {
    let figures = [50.0, 90.0, 99.0, 100.0].map(|percent| figure(latencies.percentile_ms(percent)));
    Section {
        title: "Append to receipt",
        notes: vec![format!(
            "Milliseconds from sending an append to having its event over SSE, {} events at {} a second.",
            figure(latencies.len() as f64),
            figure(f64::from(EVENTS_PER_SECOND)),
        )],
        columns: ["median", "p90", "p99", "most"].map(str::to_owned).to_vec(),
        rows: vec![figures.to_vec()],
        verdicts: vec![Verdict::at_most(
            "append to receipt, p99",
            latencies.percentile_ms(99.0),
            P99_CEILING_MS,
            "ms",
        )],
    }
}

/// When each event arrived. One client appends them one after the other, so they arrive in the order they were sent.
async fn receive(subscriber: &mut Connection, count: usize) -> Result<Vec<Instant>> {
    let (mut received, mut text) = (Vec::with_capacity(count), Vec::new());
    while received.len() < count {
        let more = tokio::time::timeout(PATIENCE, subscriber.chunk(&mut text)).await;
        let more = more.with_context(|| format!("{} of {count} events arrived", received.len()))??;
        let now = Instant::now();
        let complete = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        for line in text.drain(..complete).collect::<Vec<_>>().split(|byte| *byte == b'\n') {
            if line.starts_with(b"event: gap") || line.starts_with(b"event:gap") {
                bail!("the subscriber was told that it missed events");
            }
            if line.starts_with(b"data:") && contains(line, b"\"bench.appended\"") {
                received.push(now);
            }
        }
        if !more && received.len() < count {
            bail!("the stream ended after {} of {count} events", received.len());
        }
    }
    Ok(received)
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}
