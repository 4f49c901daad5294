//! Each kind of sink: one event from append to delivered, then a burst.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::http::Connection;
use crate::latency::Latencies;
use crate::load::Client;
use crate::options::Options;
use crate::peers::redis;
use crate::process::Server;
use crate::receiver::Receiver;
use crate::report::{Section, Verdict, figure};
use crate::tacho::{Tacho, TachoClient, expect_status};

const BATCH_EVENTS: usize = 1000;
const PATIENCE: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_micros(20);

struct Sink {
    kind: &'static str,
    /// Events of the burst, in a full run.
    events: usize,
    promise: Option<Promise>,
}

enum Promise {
    /// From append to delivered, p99, in milliseconds.
    Latency(f64),
    /// Of an event in a burst, in milliseconds.
    Event(f64),
}

const SINKS: &[Sink] = &[
    Sink { kind: "console", events: 100_000, promise: Some(Promise::Latency(1.0)) },
    Sink { kind: "jsonl", events: 100_000, promise: Some(Promise::Latency(5.0)) },
    Sink { kind: "files", events: 20_000, promise: Some(Promise::Latency(5.0)) },
    Sink { kind: "http", events: 100_000, promise: None },
    Sink { kind: "otlp", events: 50_000, promise: None },
    Sink { kind: "redis", events: 50_000, promise: Some(Promise::Event(1.0)) },
];

/// Where a sink delivers to.
enum Place {
    Console,
    File(PathBuf),
    Folder(PathBuf),
    Receiver(Receiver, &'static str),
    Redis(Server),
}

struct Measured {
    /// None where single events are not delivered.
    latencies: Option<Latencies>,
    events: usize,
    took: Duration,
    /// Events that waited, and how long, when the last was acknowledged.
    pending: usize,
    behind: Duration,
}

pub async fn run(options: &Options) -> Result<Section> {
    let mut section = Section {
        title: "Sinks",
        notes: vec![
            "Single events come one after the other: milliseconds from sending an append to the line, the file or the \
             request being there, which is looked for once the append is acknowledged. `redis` writes its keys every \
             100 events or each second, so nothing is seen of a single event."
                .to_owned(),
            format!(
                "A burst is {BATCH_EVENTS} events a request from one client; waiting and behind is what was left when the \
                 last of them was acknowledged. `http` and `otlp` do not wait for others (`batch.window_ms = 0`; by default \
                 they wait 100 and 500 ms)."
            ),
        ],
        columns: ["sink", "median", "p99", "burst, events/s", "µs an event", "waiting", "behind, s"]
            .map(str::to_owned)
            .to_vec(),
        rows: Vec::new(),
        verdicts: Vec::new(),
    };
    for sink in SINKS {
        let Some(place) = place(options, sink).await? else {
            section.notes.push("`redis` is left out: there is no redis-server.".to_owned());
            continue;
        };
        eprintln!("    {}", sink.kind);
        let measured = measure(options, sink, place).await.with_context(|| sink.kind)?;
        section.rows.push(row(sink, &measured));
        section.verdicts.extend(verdict(sink, &measured));
    }
    Ok(section)
}

fn row(sink: &Sink, measured: &Measured) -> Vec<String> {
    let Measured { latencies, events, took, pending, behind } = measured;
    let single = |percent: f64| {
        latencies.as_ref().map_or("–".to_owned(), |latencies| figure(latencies.percentile_ms(percent)))
    };
    vec![
        sink.kind.to_owned(),
        single(50.0),
        single(99.0),
        figure(*events as f64 / took.as_secs_f64()),
        figure(took.as_secs_f64() * 1e6 / *events as f64),
        figure(*pending as f64),
        figure(behind.as_secs_f64()),
    ]
}

fn verdict(sink: &Sink, measured: &Measured) -> Option<Verdict> {
    let kind = sink.kind;
    Some(match (sink.promise.as_ref()?, &measured.latencies) {
        (Promise::Latency(ceiling), latencies) => Verdict::at_most(
            format!("append to `{kind}`, p99"),
            latencies.as_ref()?.percentile_ms(99.0),
            *ceiling,
            "ms",
        ),
        (Promise::Event(ceiling), _) => Verdict::at_most(
            format!("an event to `{kind}`, figures included"),
            measured.took.as_secs_f64() * 1e3 / measured.events as f64,
            *ceiling,
            "ms",
        ),
    })
}

/// None where the program that is delivered to is not there.
async fn place(options: &Options, sink: &Sink) -> Result<Option<Place>> {
    Ok(Some(match sink.kind {
        "console" => Place::Console,
        "jsonl" => Place::File(options.fresh_folder("sink-jsonl")?.join("events.jsonl")),
        "files" => Place::Folder(options.fresh_folder("sink-files")?),
        "http" => Place::Receiver(Receiver::start().await?, "/events"),
        "otlp" => Place::Receiver(Receiver::start().await?, "/v1/logs"),
        "redis" => match &options.redis {
            Some(program) => Place::Redis(redis::start(options, program).await?),
            None => return Ok(None),
        },
        kind => bail!("there is no place for {kind}"),
    }))
}

async fn measure(options: &Options, sink: &Sink, mut place: Place) -> Result<Measured> {
    let configuration = format!("[[sink]]\nkind = \"{}\"\n{}", sink.kind, settings(sink.kind, &place));
    let tacho =
        Tacho::start_configured(options, &format!("tacho-sink-{}", sink.kind), &configuration).await?;
    let latencies = match &place {
        Place::Redis(_) => None,
        _ => Some(single(&tacho, &mut place, options.pick(1000, 100)).await?),
    };
    burst(&tacho, sink.kind, options.pick(sink.events, sink.events / 10), latencies).await
}

fn settings(kind: &str, place: &Place) -> String {
    match place {
        Place::Console => String::new(),
        Place::File(path) | Place::Folder(path) => format!("path = {:?}\n", path.display().to_string()),
        Place::Receiver(receiver, path) => {
            let path = if kind == "otlp" { "" } else { path };
            format!("url = \"http://{}{path}\"\nbatch = {{ window_ms = 0 }}\n", receiver.address)
        }
        Place::Redis(server) => format!("url = \"redis://{}\"\n", server.address),
    }
}

async fn single(tacho: &Tacho, place: &mut Place, events: usize) -> Result<Latencies> {
    let mut client = TachoClient::connect(tacho.address(), "single").await?;
    let mut samples = Vec::with_capacity(events);
    for _ in 0..events {
        let before = match place {
            Place::Console => length(&tacho.log()),
            Place::File(path) => length(path),
            _ => 0,
        };
        let sent = Instant::now();
        client.append(1).await?;
        match place {
            Place::Console => until(|| length(&tacho.log()) > before).await?,
            Place::File(path) => until(|| length(path) > before).await?,
            Place::Folder(folder) => until(|| only_file(folder).is_some()).await?,
            Place::Receiver(receiver, path) => {
                tokio::time::timeout(PATIENCE, receiver.request(path)).await.context("no request came")??;
            }
            Place::Redis(_) => {}
        }
        samples.push(sent.elapsed());
        // The next one is then seen without looking through those before it.
        if let Place::Folder(folder) = place
            && let Some(path) = only_file(folder)
        {
            fs::remove_file(path)?;
        }
    }
    Ok(samples.into_iter().collect())
}

/// A file's length; that of one that is not there yet is zero.
fn length(path: &std::path::Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}

/// What was delivered into the folder; what is still written has no name that ends so.
fn only_file(folder: &std::path::Path) -> Option<PathBuf> {
    let mut paths = fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    paths.find(|path| path.extension().is_some_and(|ending| ending == "json"))
}

/// Looks again and again. It sleeps on the thread: nothing else runs here meanwhile, and a timer is coarser.
async fn until(mut is_there: impl FnMut() -> bool) -> Result<()> {
    let begun = Instant::now();
    while !is_there() {
        ensure!(begun.elapsed() < PATIENCE, "an event was not delivered after {} s", PATIENCE.as_secs());
        std::thread::sleep(POLL);
    }
    Ok(())
}

async fn burst(tacho: &Tacho, kind: &str, events: usize, latencies: Option<Latencies>) -> Result<Measured> {
    let mut client = TachoClient::connect(tacho.address(), "burst").await?;
    let mut connection = Connection::open(tacho.address()).await?;
    let before = delivered(&mut connection, kind).await?;
    let begun = Instant::now();
    for _ in (0..events).step_by(BATCH_EVENTS) {
        client.append(BATCH_EVENTS).await?;
    }
    let acknowledged = Instant::now();
    let events = events.next_multiple_of(BATCH_EVENTS);
    let mut done = delivered(&mut connection, kind).await? - before;
    let pending = events.saturating_sub(done);
    while done < events {
        ensure!(
            acknowledged.elapsed() < PATIENCE,
            "{done} of {events} events were delivered after {} s",
            PATIENCE.as_secs()
        );
        tokio::time::sleep(Duration::from_millis(2)).await;
        done = delivered(&mut connection, kind).await? - before;
    }
    Ok(Measured { latencies, events, took: begun.elapsed(), pending, behind: acknowledged.elapsed() })
}

/// Events that the sink has delivered.
async fn delivered(connection: &mut Connection, name: &str) -> Result<usize> {
    let answer = connection.get(&format!("/api/handlers/{name}")).await?;
    expect_status(&answer, 200)?;
    let status: serde_json::Value = serde_json::from_slice(&answer.body)?;
    let error = status["last_error"].as_str();
    ensure!(
        status["dead"] == 0 && error.is_none(),
        "a delivery failed: {}",
        error.unwrap_or("a dead letter")
    );
    status["done"].as_u64().map(|done| done as usize).context("the status of a sink has no `done`")
}
