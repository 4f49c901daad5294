//! Acknowledged appends, closed loop, at four shapes. The systems take turns in rounds, so that a disk or a
//! neighbour that has a bad minute has it for all of them; a figure is the median round.

use std::time::Duration;

use anyhow::Result;

use crate::load::{Measured, Shape, drive};
use crate::machine::raw_syncs;
use crate::options::Options;
use crate::payload::{AppendRequest, Variety};
use crate::peers::nats::{self, NatsClient};
use crate::peers::redis::{self, RedisClient};
use crate::peers::umadb::{self, UmaDbClient};
use crate::process::Server;
use crate::report::{Section, Verdict, figure};
use crate::tacho::{Tacho, TachoClient};

/// A shape of load and what is promised of it.
struct Work {
    name: &'static str,
    shape: Shape,
    seconds: u64,
    rounds: usize,
    events_per_second: f64,
    /// The product's rate must be this many times that system's.
    times: &'static [(&'static str, f64)],
}

const WORKS: &[Work] = &[
    Work {
        name: "1 client, 1 event a request",
        shape: Shape { clients: 1, events_a_request: 1 },
        seconds: 3,
        rounds: 3,
        events_per_second: 5_000.0,
        times: &[(RAW, 0.45), (NATS, 1.5), (UMADB, 1.5), (REDIS, 1.0)],
    },
    Work {
        name: "1 client, 100 events a request",
        shape: Shape { clients: 1, events_a_request: 100 },
        seconds: 3,
        rounds: 3,
        events_per_second: 250_000.0,
        times: &[(UMADB, 1.5)],
    },
    Work {
        name: "32 clients, 1 event a request",
        shape: Shape { clients: 32, events_a_request: 1 },
        seconds: 3,
        rounds: 3,
        events_per_second: 35_000.0,
        times: &[(NATS, 2.0), (UMADB, 2.0)],
    },
    Work {
        name: "4 clients, 100 events a request",
        shape: Shape { clients: 4, events_a_request: 100 },
        seconds: 10,
        rounds: 1,
        events_per_second: 500_000.0,
        times: &[],
    },
];

const TACHO: &str = "tacho";
const RAW: &str = "raw disk";
const NATS: &str = "NATS JetStream";
const UMADB: &str = "UmaDB";
const REDIS: &str = "Redis Streams";

enum System {
    Tacho(Tacho),
    /// Writes and syncs the bytes of a request, one writer; what there is to gain.
    Raw,
    Nats(Server),
    UmaDb(Server),
    Redis(Server),
}

pub async fn run(options: &Options) -> Result<Section> {
    let (systems, absent) = start(options).await;
    let mut section = Section {
        title: "Append",
        notes: vec![
            "Events a second; in brackets the median and the 99th percentile of a request in milliseconds. The raw \
             disk is one writer: `write` and `fdatasync` of 512 bytes, or of the bytes of 100 events, into a file \
             filled with zeros beforehand. 100 events a request are one atomic batch in Tachograph and UmaDB, a \
             pipeline in Redis, messages in flight in NATS. UmaDB runs with its pipelined writer, NATS \
             with `sync_interval: always`, Redis with `appendfsync always`."
                .to_owned(),
        ],
        columns: std::iter::once("work").chain(systems.iter().map(System::name)).map(str::to_owned).collect(),
        rows: Vec::new(),
        verdicts: Vec::new(),
    };
    section.notes.extend(absent);
    let mut peak_mib: f64 = 0.0;
    for work in WORKS {
        let rates = measure(options, work, &systems, &mut section, &mut peak_mib).await?;
        section.verdicts.extend(verdicts(work, &rates));
    }
    if peak_mib > 0.0 {
        section.notes.push(format!("Tachograph's memory peaked at {} MiB.", figure(peak_mib)));
    }
    Ok(section)
}

/// Every system that can be had, and a sentence for each that cannot.
async fn start(options: &Options) -> (Vec<System>, Vec<String>) {
    let (mut systems, mut absent) = (Vec::new(), Vec::new());
    let mut add = |name: &str, started: Result<System>| match started {
        Ok(system) => systems.push(system),
        Err(error) => absent.push(format!("{name} is left out: {error:#}")),
    };
    add(TACHO, Tacho::start(options, "tacho-append").await.map(System::Tacho));
    add(RAW, Ok(System::Raw));
    if let Some(program) = &options.nats {
        add(NATS, nats::start(options, program).await.map(System::Nats));
    }
    if let Some(program) = &options.umadb {
        add(UMADB, umadb::start(options, program).await.map(System::UmaDb));
    }
    if let Some(program) = &options.redis {
        add(REDIS, redis::start(options, program).await.map(System::Redis));
    }
    (systems, absent)
}

/// Adds the work's row to the section; answers each system's median rate.
async fn measure(
    options: &Options,
    work: &Work,
    systems: &[System],
    section: &mut Section,
    peak_mib: &mut f64,
) -> Result<Vec<(&'static str, f64)>> {
    let duration = Duration::from_secs(options.pick(work.seconds, 1));
    let mut rounds: Vec<Vec<Measured>> = systems.iter().map(|_| Vec::new()).collect();
    for round in 0..options.pick(work.rounds, 1) {
        for (system, measured) in systems.iter().zip(&mut rounds) {
            let label = format!("{}x{}-{round}", work.shape.clients, work.shape.events_a_request);
            eprintln!("    {}: {} (round {})", system.name(), work.name, round + 1);
            measured.push(system.measure(options, work.shape, duration, &label).await?);
            if let System::Tacho(tacho) = system {
                *peak_mib = peak_mib.max(tacho.server.memory_mib()?.0);
            }
        }
    }
    let mut row = vec![work.name.to_owned()];
    let mut rates = Vec::new();
    for (system, mut measured) in systems.iter().zip(rounds) {
        measured.sort_by(|a, b| a.events_per_second.total_cmp(&b.events_per_second));
        let median = &measured[measured.len() / 2];
        rates.push((system.name(), median.events_per_second));
        let (half, most) = (median.latencies.percentile_ms(50.0), median.latencies.percentile_ms(99.0));
        row.push(format!("{} ({half:.2}, {most:.2})", figure(median.events_per_second)));
    }
    section.rows.push(row);
    Ok(rates)
}

fn verdicts(work: &Work, rates: &[(&'static str, f64)]) -> Vec<Verdict> {
    let rate = |name: &str| rates.iter().find(|(system, _)| *system == name).map(|(_, rate)| *rate);
    let Some(own) = rate(TACHO) else { return Vec::new() };
    let mut verdicts = vec![Verdict::at_least(work.name, own, work.events_per_second, "events/s")];
    for (name, times) in work.times {
        if let Some(other) = rate(name) {
            verdicts.push(Verdict::at_least(
                format!("{}, beside {name}", work.name),
                own / other,
                *times,
                "×",
            ));
        }
    }
    verdicts
}

impl System {
    fn name(&self) -> &'static str {
        match self {
            System::Tacho(_) => TACHO,
            System::Raw => RAW,
            System::Nats(_) => NATS,
            System::UmaDb(_) => UMADB,
            System::Redis(_) => REDIS,
        }
    }

    async fn measure(
        &self,
        options: &Options,
        shape: Shape,
        duration: Duration,
        label: &str,
    ) -> Result<Measured> {
        /// One connection for each client of the shape.
        macro_rules! driven {
            ($client:ident, $index:ident => $connect:expr) => {{
                let mut clients: Vec<$client> = Vec::new();
                for $index in 0..shape.clients {
                    clients.push($connect.await?);
                }
                drive(clients, shape.events_a_request, duration).await
            }};
        }
        match self {
            System::Raw => raw(options, shape, duration),
            System::Nats(server) => driven!(NatsClient, _index => NatsClient::connect(server.address)),
            System::UmaDb(server) => driven!(UmaDbClient, _index => UmaDbClient::connect(server.address)),
            System::Redis(server) => driven!(RedisClient, _index => RedisClient::connect(server.address)),
            System::Tacho(tacho) => {
                let address = tacho.address();
                let measured =
                    driven!(TachoClient, index => TachoClient::connect(address, &format!("{label}-{index}")));
                // The next system's turn begins when the view has nothing left to do.
                let mut probe = TachoClient::connect(address, &format!("{label}-probe")).await?;
                crate::load::Client::append(&mut probe, 1).await?;
                tacho.wait_folded(probe.head).await?;
                measured
            }
        }
    }
}

fn raw(options: &Options, shape: Shape, duration: Duration) -> Result<Measured> {
    let events = shape.events_a_request;
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], 1));
    let request = AppendRequest::new(address, "/bench/raw", "task/raw", events, &mut Variety::new(3));
    let bytes = if events == 1 { &[7; 512] } else { request.bytes() };
    let measured = raw_syncs(&options.data, bytes, duration)?;
    Ok(Measured { events_per_second: measured.events_per_second * events as f64, ..measured })
}
