//! A log with as much variety as a busy team of agents leaves: skewed types, many streams, prose.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::http::Connection;
use crate::payload::{PAYLOAD_BYTES, Variety, post_head, words};
use crate::tacho::{expect_status, last_position};

pub const BATCH_EVENTS: u64 = 1000;

pub const TYPES: u64 = 50;
pub const STREAMS: u64 = 10_000;
pub const SESSIONS: u64 = 5_000;
pub const AGENTS: u64 = 40;
pub const CORRELATIONS: u64 = 100_000;
pub const PHASES: &[&str] = &["EXPLORE", "PLAN", "CODE", "TEST", "FIX", "DOCUMENT"];

/// When the first event happened, Unix seconds; each one after it is `STEP` later.
const FIRST_SECONDS: i64 = 1_760_000_000;
const STEP: Duration = Duration::from_millis(20);

pub struct Filled {
    pub head: u64,
    pub events_per_second: f64,
}

pub async fn fill(address: SocketAddr, events: u64) -> Result<Filled> {
    let mut connection = Connection::open(address).await?;
    let mut variety = Variety::new(11);
    let begun = Instant::now();
    let mut sending = Duration::ZERO;
    let mut head = 0;
    for first in (0..events).step_by(BATCH_EVENTS as usize) {
        let batch: Vec<String> =
            (first..(first + BATCH_EVENTS).min(events)).map(|number| event(number, &mut variety)).collect();
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

fn event(number: u64, variety: &mut Variety) -> String {
    let stream = variety.below(STREAMS);
    let agent = variety.skewed_below(AGENTS);
    let phase = PHASES[variety.below(PHASES.len() as u64) as usize];
    // A word that only this thousand of events has, and one that only this event has.
    let head = format!("{{\"phase\":\"{phase}\",\"text\":\"rare{} only{number} ", number / BATCH_EVENTS);
    let text = words(variety, PAYLOAD_BYTES - head.len() - 2);
    format!(
        "{{\"specversion\":\"1.0\",\"id\":\"{}\",\"source\":\"/bench/query\",\"type\":\"bench.kind-{}\",\
         \"subject\":\"task/bench-{stream}\",\"time\":\"{}\",\"sessionid\":\"session-{}\",\"actortype\":\"agent\",\
         \"actorid\":\"agent-{agent}\",\"correlationid\":\"correlation-{}\",\"traceparent\":\"00-{}-{:016x}-01\",\
         \"data\":{head}{text}\"}}}}",
        id(number),
        variety.skewed_below(TYPES),
        time(number),
        stream % SESSIONS,
        number % CORRELATIONS,
        trace(stream % SESSIONS),
        number + 1,
    )
}

pub fn id(number: u64) -> String {
    format!("query-{number:012}")
}

/// RFC 3339 in UTC.
pub fn time(number: u64) -> String {
    let nanos = i128::from(FIRST_SECONDS) * 1_000_000_000 + STEP.as_nanos() as i128 * i128::from(number);
    jiff::Timestamp::from_nanosecond(nanos).map(|time| time.to_string()).unwrap_or_default()
}

pub fn trace(session: u64) -> String {
    format!("{:032x}", u128::from(session + 1) << 64 | 0x7ac0)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn an_event_is_json_of_the_promised_size() {
        let event: Value = serde_json::from_str(&event(4_999_999, &mut Variety::new(1))).expect("it is JSON");
        assert_eq!(event["data"].to_string().len(), PAYLOAD_BYTES);
        assert_eq!(event["time"], "2025-10-10T12:39:59.98Z");
        assert_eq!(event["traceparent"].as_str().map(str::len), Some(55));
    }
}
