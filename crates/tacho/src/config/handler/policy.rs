//! How a handler gets its events, read from the file.

use super::fields::Fields;
use crate::config::selection;
use crate::config::setting::Kind;
use anyhow::{Context, Result, bail, ensure};
use tacho_engine::handler::{
    Backoff, Batch, Breaker, Dedupe, DedupeBy, Key, Order, PerKey, Policy, Priority, Rate, Retry,
};

/// What holds where a table names no number.
const BREAKER: Breaker = Breaker { failures: 5, open_ms: 30_000, probes: 1 };
const RATE_PER_MS: u64 = 1_000;

pub fn read(fields: &Fields<'_>) -> Result<Policy> {
    let mut policy = Policy { order: order(fields)?, ..Policy::default() };
    if let Some(from) = fields.get("from") {
        let text = from.as_str().map(str::to_owned).or_else(|| from.as_integer().map(|at| at.to_string()));
        let text = text.context("`from`: write now, start, or a position")?;
        policy.start = selection::start(&text).context("`from`")?;
    }
    policy.concurrency = fields.count("concurrency")?.map_or(policy.concurrency, size);
    policy.workers_min = fields.number("workers", Kind::Count)?.map_or(policy.workers_min, size);
    ensure!(
        policy.workers_min <= policy.concurrency,
        "`workers` is {}, more than `concurrency`, which is {}",
        policy.workers_min,
        policy.concurrency
    );
    policy.per_key = fields.inner("per_key")?.map(|fields| per_key(&fields)).transpose()?;
    if let Some(fields) = fields.inner("batch")? {
        policy.batch = batch(&fields)?;
    }
    policy.timeout_ms = fields.duration("timeout")?.unwrap_or(policy.timeout_ms);
    if let Some(fields) = fields.inner("retry")? {
        policy.retry = retry(&fields)?;
    }
    policy.breaker = fields.inner("breaker")?.map(|fields| breaker(&fields)).transpose()?;
    policy.dedupe = fields.inner("dedupe")?.map(|fields| dedupe(&fields)).transpose()?;
    policy.rate = fields.inner("rate")?.map(|fields| rate(&fields)).transpose()?;
    if let Some(name) = fields.one_of("priority", &Priority::ALL.map(Priority::as_str))? {
        policy.priority = Priority::find(&name).unwrap_or(policy.priority);
    }
    policy.waiting_events = fields.count("waiting")?.map_or(policy.waiting_events, size);
    Ok(policy)
}

fn order(fields: &Fields<'_>) -> Result<Order> {
    if fields.text("order")?.as_deref() == Some("none") {
        return Ok(Order::None);
    }
    Ok(match fields.key("order")? {
        None | Some(Key::Stream) => Order::Stream,
        Some(key) => Order::Key(key),
    })
}

fn per_key(fields: &Fields<'_>) -> Result<PerKey> {
    let key = fields.key("key")?.context("`per_key.key` is missing")?;
    let limit = fields.count("limit")?.context("`per_key.limit` is missing")?;
    Ok(PerKey { key, limit: size(limit) })
}

fn batch(fields: &Fields<'_>) -> Result<Batch> {
    let known = Batch::default();
    Ok(Batch {
        events: fields.count("events")?.map_or(known.events, size),
        bytes: fields.bytes("bytes")?.map_or(known.bytes, size),
        window_ms: fields.number("window", Kind::Milliseconds)?.unwrap_or(known.window_ms),
        by: fields.key("by")?,
    })
}

fn retry(fields: &Fields<'_>) -> Result<Retry> {
    let known = Retry::default();
    let backoff = match fields.one_of("backoff", &["fixed", "linear", "exponential"])?.as_deref() {
        Some("fixed") => Backoff::Fixed,
        Some("linear") => Backoff::Linear,
        Some(_) => Backoff::Exponential,
        None => known.backoff,
    };
    let first_ms = fields.number("first", Kind::Milliseconds)?.unwrap_or(known.first_ms);
    let longest = fields.number("max", Kind::Milliseconds)?;
    if let Some(longest_ms) = longest.filter(|longest| *longest < first_ms) {
        bail!("`retry.max` is {longest_ms} ms, less than `retry.first`, which is {first_ms} ms");
    }
    Ok(Retry {
        attempts: fields.count("attempts")?.map_or(known.attempts, small),
        backoff,
        first_ms,
        longest_ms: longest.unwrap_or(known.longest_ms.max(first_ms)),
        jitter: fields.part("jitter")?.unwrap_or(known.jitter),
    })
}

fn breaker(fields: &Fields<'_>) -> Result<Breaker> {
    Ok(Breaker {
        failures: fields.count("failures")?.map_or(BREAKER.failures, small),
        open_ms: fields.duration("open")?.unwrap_or(BREAKER.open_ms),
        probes: fields.count("probes")?.map_or(BREAKER.probes, small),
    })
}

fn dedupe(fields: &Fields<'_>) -> Result<Dedupe> {
    let by = match (fields.one_of("by", &["id", "content"])?.as_deref(), fields.key("key")?) {
        (Some(_), Some(_)) => bail!("`dedupe` has `by` and `key`: write one of them"),
        (None, Some(key)) => DedupeBy::Key(key),
        (Some("content"), None) => DedupeBy::Content,
        _ => DedupeBy::Id,
    };
    let window_ms = fields.duration("window")?.context("`dedupe.window` is missing")?;
    Ok(Dedupe { by, window_ms })
}

fn rate(fields: &Fields<'_>) -> Result<Rate> {
    let events = fields.count("events")?.context("`rate.events` is missing")?;
    Ok(Rate { events: small(events), per_ms: fields.duration("per")?.unwrap_or(RATE_PER_MS) })
}

fn size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn small(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
