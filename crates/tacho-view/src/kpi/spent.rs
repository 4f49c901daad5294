//! What was spent, summed up by session, agent, model, feature, day, and model of each day, as requests come in.

use super::money::NanoUsd;
use super::observations;
use super::usage::Usage;
use crate::error::ViewError;
use rusqlite::{Connection, Row};
use std::collections::BTreeMap;
use tacho_event::Timestamp;

const DAY_NS: i64 = 86_400 * 1_000_000_000;

/// What costs are summed up by. The numbers are those of the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dimension {
    Session = 1,
    /// By what an agent is: `claude-code`, or a subagent's type.
    Agent = 2,
    Model = 3,
    Feature = 4,
    /// Of UTC.
    Day = 5,
    /// Each subagent by its id, main agents by their name.
    Subagent = 6,
    /// Each model on each day of UTC.
    ModelDay = 7,
}

impl Dimension {
    pub const ALL: [(&'static str, Self); 7] = [
        ("session", Self::Session),
        ("agent", Self::Agent),
        ("model", Self::Model),
        ("feature", Self::Feature),
        ("day", Self::Day),
        ("subagent", Self::Subagent),
        ("model,day", Self::ModelDay),
    ];

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(known, _)| *known == name).map(|(_, dimension)| dimension)
    }

    pub fn name(self) -> &'static str {
        Self::ALL.into_iter().find(|(_, dimension)| *dimension == self).map_or("", |(name, _)| name)
    }

    /// Agents are kept by their ids, and named when they are asked for.
    fn stored(self) -> i64 {
        if self == Self::Agent { Self::Subagent as i64 } else { self as i64 }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CostQuery {
    pub by: Dimension,
    /// Behind this moment; from the log's beginning where `None`.
    pub since: Option<Timestamp>,
    /// Up to this moment.
    pub until: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Costs {
    pub total: CostRow,
    /// The dearest first; by day, the last day first.
    pub rows: Vec<CostRow>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CostRow {
    /// `None` for requests of which it is not known.
    pub name: Option<String>,
    /// Where models are told day by day: `2026-01-31`.
    pub day: Option<String>,
    /// Of the requests that have a price.
    pub cost: NanoUsd,
    pub requests: u64,
    /// Requests of models without a known price: their cost is not in `cost`.
    pub unpriced: u64,
    pub tokens: Tokens,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tokens {
    /// Without what was read from or written to a cache.
    pub input: u64,
    pub output: u64,
    pub cache_read: u64,
    pub cache_write: u64,
}

impl CostRow {
    fn add(&mut self, other: &Self) {
        self.cost += other.cost;
        self.requests += other.requests;
        self.unpriced += other.unpriced;
        self.tokens.input += other.tokens.input;
        self.tokens.output += other.tokens.output;
        self.tokens.cache_read += other.tokens.cache_read;
        self.tokens.cache_write += other.tokens.cache_write;
    }
}

pub(crate) fn costs(database: &Connection, query: &CostQuery) -> Result<Costs, ViewError> {
    let rows = match (query.since, query.until) {
        (None, None) => of_all_time(database, query.by)?,
        (since, until) => {
            let from = since.map_or(i64::MIN, |time| time.0);
            of_a_span(database, query.by, from, until.map_or(i64::MAX, |time| time.0))?
        }
    };
    let mut named: BTreeMap<(Option<String>, Option<String>), CostRow> = BTreeMap::new();
    let mut total = CostRow::default();
    for row in rows {
        total.add(&row);
        let name = match (&row.name, query.by) {
            (Some(id), Dimension::Agent) => Some(observations::agent_name(database, id)?),
            (name, _) => name.clone(),
        };
        let day = row.day.clone();
        let sum = named.entry((day.clone(), name.clone()));
        sum.or_insert_with(|| CostRow { name, day, ..CostRow::default() }).add(&row);
    }
    let mut rows: Vec<CostRow> = named.into_values().collect();
    match query.by {
        Dimension::Day => rows.reverse(),
        _ => rows.sort_by(|one, other| (&other.day, other.cost).cmp(&(&one.day, one.cost))),
    }
    Ok(Costs { total, rows })
}

/// What was spent on one session, feature or day so far.
pub(crate) fn spent_by(
    database: &Connection,
    by: Dimension,
    at_least: NanoUsd,
) -> Result<Vec<(String, NanoUsd)>, ViewError> {
    let mut statement = database
        .prepare_cached("SELECT name, cost FROM spent WHERE dimension = ?1 AND cost >= ?2 AND name <> ''")?;
    let rows =
        statement.query_map((by.stored(), at_least.0), |row| Ok((row.get(0)?, NanoUsd(row.get(1)?))))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn of_all_time(database: &Connection, by: Dimension) -> Result<Vec<CostRow>, ViewError> {
    let mut statement = database.prepare_cached(
        "SELECT name, cost, requests, unpriced, input, output, cache_read, cache_write FROM spent
         WHERE dimension = ?1 AND requests > 0",
    )?;
    let rows = statement.query_map([by.stored()], |row| read_row(row, by))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn of_a_span(database: &Connection, by: Dimension, from: i64, to: i64) -> Result<Vec<CostRow>, ViewError> {
    let name = match by {
        Dimension::Session => "session",
        Dimension::Agent | Dimension::Subagent => "agent",
        Dimension::Model => "model",
        Dimension::Feature => "feature",
        Dimension::Day => "date(time / 1000000000, 'unixepoch')",
        Dimension::ModelDay => "date(time / 1000000000, 'unixepoch') || ' ' || coalesce(model, '')",
    };
    let sql = format!(
        "SELECT coalesce({name}, ''), coalesce(sum(cost), 0), count(*), sum(cost IS NULL), sum(input), sum(output),
         sum(cache_read), sum(cache_write_5m + cache_write_1h) FROM usage
         WHERE time > ?1 AND time <= ?2 GROUP BY 1"
    );
    let mut statement = database.prepare_cached(&sql)?;
    let rows = statement.query_map((from, to), |row| read_row(row, by))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn read_row(row: &Row<'_>, by: Dimension) -> rusqlite::Result<CostRow> {
    let number = |index| row.get::<_, i64>(index).map(|number| number.max(0) as u64);
    let name: String = row.get(0)?;
    let (day, name) = match name.split_once(' ').filter(|_| by == Dimension::ModelDay) {
        Some((day, model)) => (Some(day.to_owned()), model.to_owned()),
        None => (None, name),
    };
    Ok(CostRow {
        name: (!name.is_empty()).then_some(name),
        day,
        cost: NanoUsd(row.get(1)?),
        requests: number(2)?,
        unpriced: number(3)?,
        tokens: Tokens {
            input: number(4)?,
            output: number(5)?,
            cache_read: number(6)?,
            cache_write: number(7)?,
        },
    })
}

/// Adds a request to the sums (`sign` 1), or takes it out again (-1).
pub(super) fn count(database: &Connection, usage: &Usage, sign: i64) -> Result<(), ViewError> {
    let mut upsert = database.prepare_cached(
        "INSERT INTO spent VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         ON CONFLICT (dimension, name) DO UPDATE SET
             cost = cost + excluded.cost, requests = requests + excluded.requests,
             unpriced = unpriced + excluded.unpriced, input = input + excluded.input,
             output = output + excluded.output, cache_read = cache_read + excluded.cache_read,
             cache_write = cache_write + excluded.cache_write",
    )?;
    let day = Timestamp(usage.time.div_euclid(DAY_NS) * DAY_NS).to_rfc3339();
    let day = day.get(..10).unwrap_or_default();
    let model_day = format!("{day} {}", usage.model.as_deref().unwrap_or_default());
    let names = [
        (Dimension::Session, usage.session.as_deref()),
        (Dimension::Subagent, usage.agent.as_deref()),
        (Dimension::Model, usage.model.as_deref()),
        (Dimension::Feature, usage.feature.as_deref()),
        (Dimension::Day, Some(day)),
        (Dimension::ModelDay, Some(&model_day)),
    ];
    let tokens = &usage.tokens;
    for (dimension, name) in names {
        upsert.execute((
            dimension as i64,
            name.unwrap_or_default(),
            sign * usage.cost.map_or(0, |cost| cost.0),
            sign,
            sign * i64::from(usage.cost.is_none()),
            sign * tokens.input,
            sign * tokens.output,
            sign * tokens.cache_read,
            sign * (tokens.cache_write_5m + tokens.cache_write_1h),
        ))?;
    }
    Ok(())
}
