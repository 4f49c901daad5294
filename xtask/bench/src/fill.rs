//! Fills a log, a batch after the other.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::http::Connection;
use crate::payload::post_head;
use crate::tacho::{expect_status, last_position};

pub const BATCH_EVENTS: u64 = 1000;

pub struct Filled {
    pub head: u64,
    pub events_per_second: f64,
}

/// Appends `events` events; `event` makes the JSON of each, told its number from 0.
pub async fn fill(address: SocketAddr, events: u64, mut event: impl FnMut(u64) -> String) -> Result<Filled> {
    let mut connection = Connection::open(address).await?;
    let begun = Instant::now();
    let mut sending = Duration::ZERO;
    let mut head = 0;
    for first in (0..events).step_by(BATCH_EVENTS as usize) {
        let batch: Vec<String> = (first..(first + BATCH_EVENTS).min(events)).map(&mut event).collect();
        let body = format!("[{}]", batch.join(","));
        let mut request = post_head(address, body.len());
        request.extend_from_slice(body.as_bytes());
        let sent = Instant::now();
        let answer = connection.exchange(&request).await?;
        sending += sent.elapsed();
        expect_status(&answer, 201)?;
        head = last_position(&answer.body).unwrap_or(head);
        if first > 0 && first % 500_000 == 0 {
            eprintln!("    {first} events after {} s", begun.elapsed().as_secs());
        }
    }
    Ok(Filled { head, events_per_second: events as f64 / sending.as_secs_f64() })
}
