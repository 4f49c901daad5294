//! The rows of requests: one for each, by the best account of it.

use super::metrics::ModelUse;
use super::money::NanoUsd;
use super::usage::{Rank, TokenCounts, Usage};
use super::{price, spent};
use crate::error::ViewError;
use rusqlite::{Connection, OptionalExtension, Row};
use tacho_event::Timestamp;

/// One request to a model, by the best account of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelRequest {
    /// When it was answered.
    pub at: Timestamp,
    /// In nanoseconds; 0 where the account tells none.
    pub duration_ns: i64,
    /// A subagent's id, or the main agent's name.
    pub agent: Option<String>,
    pub model: Option<String>,
    /// `None` while no price is known.
    pub cost: Option<NanoUsd>,
}

/// The first `limit` requests of a session in a span of time, its ends included, in the order of time.
pub(crate) fn of_session(
    database: &Connection,
    session: &str,
    (from, until): (Timestamp, Timestamp),
    limit: usize,
) -> Result<Vec<ModelRequest>, ViewError> {
    let mut statement = database.prepare_cached(
        "SELECT time, duration, agent, model, cost FROM usage
         WHERE session = ?1 AND time >= ?2 AND time <= ?3 ORDER BY time, key LIMIT ?4",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = statement.query_map((super::bounded(session), from.0, until.0, limit), |row| {
        Ok(ModelRequest {
            at: Timestamp(row.get(0)?),
            duration_ns: row.get(1)?,
            agent: row.get(2)?,
            model: row.get(3)?,
            cost: row.get::<_, Option<i64>>(4)?.map(NanoUsd),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Takes a request in. Of two accounts of one request the better one stays, of equals the first.
pub(super) fn add(database: &Connection, mut usage: Usage) -> Result<(), ViewError> {
    if let Some(known) = find(database, &usage.key)? {
        if known.rank >= usage.rank {
            return Ok(());
        }
        spent::count(database, &known, -1)?;
        // What only the lesser account told is kept.
        usage.feature = usage.feature.or(known.feature);
        usage.session = usage.session.or(known.session);
    }
    spent::count(database, &usage, 1)?;
    let tokens = &usage.tokens;
    database
        .prepare_cached(
            "INSERT OR REPLACE INTO usage VALUES
             (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
        )?
        .execute((
            &usage.key,
            usage.rank as i64,
            usage.time,
            &usage.session,
            &usage.agent,
            &usage.model,
            &usage.feature,
            tokens.input,
            tokens.output,
            tokens.cache_read,
            tokens.cache_write_5m,
            tokens.cache_write_1h,
            usage.duration,
            usage.cost.map(|cost| cost.0),
            usage.is_reported,
        ))?;
    Ok(())
}

/// Prices anew every request whose source told no cost.
pub(super) fn price_anew(database: &Connection) -> Result<(), ViewError> {
    let mut statement = database.prepare("SELECT * FROM usage WHERE NOT reported")?;
    let requests = statement.query_map([], read_usage)?.collect::<Result<Vec<_>, _>>()?;
    for usage in requests {
        let cost = price::cost(database, usage.model.as_deref(), usage.time, &usage.tokens)?;
        if cost == usage.cost {
            continue;
        }
        spent::count(database, &usage, -1)?;
        spent::count(database, &Usage { cost, ..usage.clone() }, 1)?;
        database
            .prepare_cached("UPDATE usage SET cost = ?1 WHERE key = ?2")?
            .execute((cost.map(|cost| cost.0), &usage.key))?;
    }
    Ok(())
}

/// What each model was used for in a time span. Agents' own accounts of their work are under none: their figures are
/// counted from what was observed of them, whether it had a cost or not.
pub(super) fn models(
    database: &Connection,
    from: i64,
    to: i64,
) -> Result<Vec<(Option<String>, ModelUse)>, ViewError> {
    let mut statement = database.prepare_cached(
        "SELECT CASE WHEN rank > 0 THEN model END AS used, count(*), sum(duration), sum(cost) FROM usage
         WHERE time > ?1 AND time <= ?2 GROUP BY used",
    )?;
    let rows = statement.query_map((from, to), |row| {
        let uses = ModelUse {
            count: row.get::<_, i64>(1)? as u64,
            duration_ms: row.get::<_, i64>(2)? as f64 / 1e6,
            cost: row.get::<_, Option<i64>>(3)?.map(NanoUsd),
        };
        Ok((row.get(0)?, uses))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn find(database: &Connection, key: &str) -> Result<Option<Usage>, ViewError> {
    let mut statement = database.prepare_cached("SELECT * FROM usage WHERE key = ?1")?;
    Ok(statement.query_row([key], read_usage).optional()?)
}

fn read_usage(row: &Row<'_>) -> rusqlite::Result<Usage> {
    Ok(Usage {
        key: row.get(0)?,
        rank: Rank::from_number(row.get(1)?),
        time: row.get(2)?,
        session: row.get(3)?,
        agent: row.get(4)?,
        model: row.get(5)?,
        feature: row.get(6)?,
        tokens: TokenCounts {
            input: row.get(7)?,
            output: row.get(8)?,
            cache_read: row.get(9)?,
            cache_write_5m: row.get(10)?,
            cache_write_1h: row.get(11)?,
        },
        duration: row.get(12)?,
        cost: row.get::<_, Option<i64>>(13)?.map(NanoUsd),
        is_reported: row.get(14)?,
    })
}
