//! A log with as much variety as a busy team of agents leaves: skewed types, many streams, prose.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Result;

use crate::fill::{BATCH_EVENTS, Filled};
use crate::payload::{PAYLOAD_BYTES, Variety, words};

pub const TYPES: u64 = 50;
pub const STREAMS: u64 = 10_000;
pub const SESSIONS: u64 = 5_000;
pub const AGENTS: u64 = 40;
pub const CORRELATIONS: u64 = 100_000;
pub const PHASES: &[&str] = &["EXPLORE", "PLAN", "CODE", "TEST", "FIX", "DOCUMENT"];

/// When the first event happened, Unix seconds; each one after it is `STEP` later.
const FIRST_SECONDS: i64 = 1_760_000_000;
const STEP: Duration = Duration::from_millis(20);

pub async fn fill(address: SocketAddr, events: u64) -> Result<Filled> {
    let mut variety = Variety::new(11);
    crate::fill::fill(address, events, |number| event(number, &mut variety)).await
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
