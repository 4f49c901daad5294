//! Closed-loop load: each client sends its next request when the last one is acknowledged.

use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::task::LocalSet;

use crate::latency::Latencies;

/// One client of one system. An append is acknowledged when the system says that it is on disk.
pub trait Client {
    /// Appends `count` events in one request, or as close to that as the system's protocol comes.
    fn append(&mut self, count: usize) -> impl Future<Output = Result<()>>;
}

/// How the load comes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    pub clients: usize,
    pub events_a_request: usize,
}

pub struct Measured {
    pub events_per_second: f64,
    /// Of requests, sorted.
    pub latencies: Latencies,
}

/// Lets every client append for `duration`, all at once.
pub async fn drive<C: Client + 'static>(
    clients: Vec<C>,
    events_a_request: usize,
    duration: Duration,
) -> Result<Measured> {
    let begun = Instant::now();
    let local = LocalSet::new();
    let tasks: Vec<_> = clients
        .into_iter()
        .map(|mut client| {
            local.spawn_local(async move {
                let mut latencies = Latencies::default();
                while begun.elapsed() < duration {
                    let sent = Instant::now();
                    client.append(events_a_request).await?;
                    latencies.add(sent.elapsed());
                }
                anyhow::Ok(latencies)
            })
        })
        .collect();
    local
        .run_until(async move {
            let mut all = Latencies::default();
            for task in tasks {
                all.append(task.await??);
            }
            let elapsed = begun.elapsed();
            all.sort();
            let events = (all.len() * events_a_request) as f64;
            Ok(Measured { events_per_second: events / elapsed.as_secs_f64(), latencies: all })
        })
        .await
}
