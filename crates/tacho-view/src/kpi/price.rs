//! What a token costs: the price table that an event put in force.

use super::money::NanoUsd;
use super::observation::{number, text};
use super::requests;
use super::usage::TokenCounts;
use crate::error::ViewError;
use rusqlite::{Connection, OptionalExtension};
use tacho_event::{Pattern, Recorded, Timestamp, json};

/// The type of the event that puts a price table in force.
pub(crate) const PRICES: &str = "tacho.prices";
/// Most prices of a table; more are ignored.
const MAX_PRICES: usize = 4096;

/// What the price of prompts of every length is above of.
const FOR_ALL: i64 = -1;

/// Nanodollars a token, in force from a moment on.
#[derive(Debug, Clone, Copy)]
struct Price {
    input: i64,
    output: i64,
    cache_read: i64,
    cache_write_5m: i64,
    cache_write_1h: i64,
}

impl Price {
    fn of(&self, tokens: &TokenCounts) -> NanoUsd {
        let parts = [
            (tokens.input, self.input),
            (tokens.output, self.output),
            (tokens.cache_read, self.cache_read),
            (tokens.cache_write_5m, self.cache_write_5m),
            (tokens.cache_write_1h, self.cache_write_1h),
        ];
        parts.into_iter().map(|(count, price)| NanoUsd(count.saturating_mul(price))).sum()
    }
}

/// The version of the price table that is in force.
pub(crate) fn version(database: &Connection) -> Result<Option<String>, ViewError> {
    let mut statement = database.prepare_cached("SELECT version FROM price_tables")?;
    Ok(statement.query_row([], |row| row.get(0)).optional()?)
}

/// Puts the table of an event in the place of the one before, and prices anew what had no cost of its own.
pub(super) fn put_in_force(database: &Connection, event: &Recorded) -> Result<(), ViewError> {
    let data = event.data().unwrap_or(b"{}");
    database.execute("DELETE FROM prices", [])?;
    database.execute("DELETE FROM price_tables", [])?;
    let version = text(data, &["version"]).unwrap_or_default();
    database.execute("INSERT INTO price_tables VALUES (?1)", [&*version])?;
    let mut insert =
        database.prepare_cached("INSERT OR REPLACE INTO prices VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?;
    for price in json::elements(json::member(data, "prices").unwrap_or(b"[]")).take(MAX_PRICES) {
        let Some(model) = text(price, &["model"]) else { continue };
        let effective = text(price, &["effective"]).and_then(|day| moment(&day)).unwrap_or_default();
        // Dollars a million tokens are thousands of nanodollars a token.
        let column = |name: &str| number(price, &[name]).map(|dollars| (dollars * 1e3).round() as i64);
        let above = number(price, &["above_tokens"]).map_or(FOR_ALL, |tokens| tokens as i64);
        let (Some(input), Some(output)) = (column("input"), column("output")) else { continue };
        insert.execute((
            &*model,
            effective,
            above,
            input,
            output,
            column("cache_read").unwrap_or(input),
            column("cache_write_5m").unwrap_or(input),
            column("cache_write_1h").or(column("cache_write_5m")).unwrap_or(input),
        ))?;
    }
    drop(insert);
    requests::price_anew(database)
}

/// What the tokens cost at `time`; `None` for a model that has no price then.
pub(super) fn cost(
    database: &Connection,
    model: Option<&str>,
    time: i64,
    tokens: &TokenCounts,
) -> Result<Option<NanoUsd>, ViewError> {
    let Some(model) = model else { return Ok(None) };
    let prompt = [tokens.input, tokens.cache_read, tokens.cache_write_5m, tokens.cache_write_1h];
    let prompt = prompt.into_iter().fold(0, i64::saturating_add);
    Ok(find(database, model, time, prompt)?.map(|price| price.of(tokens)))
}

/// The longest pattern that the model matches; of several moments the last one that has come, and of its prices the one
/// for prompts of at least that length.
fn find(database: &Connection, model: &str, time: i64, prompt: i64) -> Result<Option<Price>, ViewError> {
    let mut statement = database.prepare_cached(
        "SELECT pattern, input, output, cache_read, cache_write_5m, cache_write_1h FROM prices
         WHERE effective <= ?1 AND above < ?2 ORDER BY length(pattern) DESC, effective DESC, above DESC",
    )?;
    let mut rows = statement.query((time, prompt))?;
    while let Some(row) = rows.next()? {
        let pattern = row.get_ref(0)?.as_str().unwrap_or_default().to_owned();
        if Pattern::new(pattern).matches(model) {
            let column = |index| row.get(index);
            return Ok(Some(Price {
                input: column(1)?,
                output: column(2)?,
                cache_read: column(3)?,
                cache_write_5m: column(4)?,
                cache_write_1h: column(5)?,
            }));
        }
    }
    Ok(None)
}

/// A day (`2026-01-31`, from its beginning in UTC) or a moment.
fn moment(text: &str) -> Option<i64> {
    let day = format!("{text}T00:00:00Z");
    Timestamp::from_rfc3339(text).or_else(|| Timestamp::from_rfc3339(&day)).map(|time| time.0)
}
