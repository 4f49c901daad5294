//! A steady rate for a minute: the log, the view's folds and the answers together.

use std::cell::Cell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::task::LocalSet;

use crate::http::Connection;
use crate::load::Client;
use crate::options::Options;
use crate::report::{Section, Verdict, figure};
use crate::tacho::{Tacho, TachoClient};

/// What is promised.
const EVENTS_PER_SECOND: usize = 60_000;
/// What is offered: a little more, so that the promise is kept only by a server that keeps up.
const PACED_PER_SECOND: usize = 61_000;
const CLIENTS: usize = 4;
const EVENTS_A_REQUEST: usize = 100;
const SAMPLE_EVERY: Duration = Duration::from_millis(100);
const MAX_LAG_SECONDS: f64 = 1.0;

/// What the clients have done so far.
#[derive(Default)]
struct Progress {
    head: Cell<u64>,
    events: Cell<usize>,
}

#[derive(Default)]
struct Samples {
    max_lag: Duration,
    /// Second of the run and resident MiB.
    memory: Vec<(u64, f64)>,
}

pub async fn run(options: &Options) -> Result<Section> {
    let duration = Duration::from_secs(options.pick(60, 5));
    let tacho = Tacho::start(options, "tacho-sustained").await?;
    let progress = Rc::new(Progress::default());
    let mut clients = Vec::new();
    for index in 0..CLIENTS {
        clients.push(TachoClient::connect(tacho.address(), &format!("sustained-{index}")).await?);
    }
    let begun = Instant::now();
    let local = LocalSet::new();
    let tasks: Vec<_> = clients
        .into_iter()
        .map(|client| local.spawn_local(append_paced(client, begun, duration, Rc::clone(&progress))))
        .collect();
    let samples = local
        .run_until(async {
            let samples = watch(&tacho, &progress, begun, duration).await?;
            for task in tasks {
                task.await??;
            }
            anyhow::Ok(samples)
        })
        .await?;
    let took = begun.elapsed();
    let caught_up = tacho.wait_folded(progress.head.get()).await?;
    let rate = progress.events.get() as f64 / took.as_secs_f64();
    Ok(section(rate, duration, &samples, caught_up))
}

fn section(rate: f64, duration: Duration, samples: &Samples, caught_up: Duration) -> Section {
    let lag = samples.max_lag.as_secs_f64();
    let memory = |mib: Option<&(u64, f64)>| mib.map_or("unknown".to_owned(), |(_, mib)| figure(*mib));
    let peak = samples.memory.iter().max_by(|a, b| a.1.total_cmp(&b.1));
    let middle = samples.memory.get(samples.memory.len() / 2);
    let row = [
        figure(rate),
        figure(lag),
        figure(caught_up.as_secs_f64()),
        memory(samples.memory.first()),
        memory(middle),
        memory(samples.memory.last()),
        memory(peak),
    ];
    let columns = [
        "events/s",
        "most lag, s",
        "folded after the end, s",
        "MiB at first",
        "half-way",
        "at the end",
        "at most",
    ];
    Section {
        title: "Sustained",
        notes: vec![format!(
            "{} s paced at {} events/s by {CLIENTS} clients, {EVENTS_A_REQUEST} events a request. Lag is the age of \
             the oldest acknowledged event that a query would not yet have found, asked {} times a second.",
            duration.as_secs(),
            figure(PACED_PER_SECOND as f64),
            1000 / SAMPLE_EVERY.as_millis(),
        )],
        columns: columns.map(str::to_owned).to_vec(),
        rows: vec![row.to_vec()],
        verdicts: vec![
            Verdict::at_least("sustained", rate, EVENTS_PER_SECOND as f64, "events/s"),
            Verdict::at_most("the view's lag meanwhile", lag, MAX_LAG_SECONDS, "s"),
        ],
    }
}

/// Sends each request at its time by the clock, late ones at once, so that a stall is caught up with.
async fn append_paced(
    mut client: TachoClient,
    begun: Instant,
    duration: Duration,
    progress: Rc<Progress>,
) -> Result<()> {
    let interval = Duration::from_secs_f64((CLIENTS * EVENTS_A_REQUEST) as f64 / PACED_PER_SECOND as f64);
    for request in 0.. {
        let due = interval * request;
        if due >= duration {
            break;
        }
        tokio::time::sleep_until((begun + due).into()).await;
        client.append(EVENTS_A_REQUEST).await?;
        progress.head.set(progress.head.get().max(client.head));
        progress.events.set(progress.events.get() + EVENTS_A_REQUEST);
    }
    Ok(())
}

/// Samples lag and memory until the run's time is over.
async fn watch(tacho: &Tacho, progress: &Progress, begun: Instant, duration: Duration) -> Result<Samples> {
    let mut connection = Connection::open(tacho.address()).await?;
    let mut samples = Samples::default();
    let mut heads = VecDeque::new();
    while begun.elapsed() < duration {
        tokio::time::sleep(SAMPLE_EVERY).await;
        heads.push_back((Instant::now(), progress.head.get()));
        let folded = Tacho::folded(&mut connection).await?;
        samples.max_lag = samples.max_lag.max(lag(&mut heads, folded, Instant::now()));
        let second = begun.elapsed().as_secs();
        if samples.memory.last().is_none_or(|(last, _)| *last < second) {
            samples.memory.push((second, tacho.server.memory_mib()?.0));
        }
    }
    Ok(samples)
}

/// How long ago the oldest head that is not folded yet was seen. Forgets the heads that are.
fn lag(heads: &mut VecDeque<(Instant, u64)>, folded: u64, now: Instant) -> Duration {
    while heads.front().is_some_and(|(_, head)| *head <= folded) {
        heads.pop_front();
    }
    heads.front().map_or(Duration::ZERO, |(seen, _)| now - *seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lag_is_the_age_of_the_oldest_head_that_is_not_folded() {
        let begun = Instant::now();
        let at = |seconds| begun + Duration::from_secs(seconds);
        let mut heads = VecDeque::from([(at(1), 100), (at(2), 200), (at(3), 300)]);
        assert_eq!(lag(&mut heads, 150, at(4)), Duration::from_secs(2));
        assert_eq!(lag(&mut heads, 300, at(4)), Duration::ZERO);
    }
}
