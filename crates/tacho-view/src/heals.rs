//! What was tried about dead letters, and how it went.

use crate::error::ViewError;
use rusqlite::{Connection, Row};
use tacho_event::{Position, Recorded, Timestamp, head, json};

pub(crate) const TABLES: &str = "
    CREATE TABLE heals (
        position INTEGER PRIMARY KEY, letter TEXT NOT NULL, handler TEXT NOT NULL, rule TEXT NOT NULL,
        action TEXT NOT NULL, attempt INTEGER NOT NULL, at INTEGER NOT NULL, target TEXT, retry INTEGER,
        error TEXT, state INTEGER NOT NULL
    );
    CREATE INDEX heals_of_letter ON heals (letter);
    CREATE INDEX heals_by_retry ON heals (retry) WHERE retry IS NOT NULL;
    CREATE INDEX heals_under_way ON heals (position) WHERE state = 0 AND retry IS NOT NULL;";

/// Longest error that is kept here, in bytes; the event of the failure holds it whole.
const ERROR_BYTES_MAX: usize = 200;
/// Who asks for a retry that heals.
const HEALER: &str = "system:heal";

/// How an attempt to heal went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HealState {
    /// Nothing is known yet.
    Tried,
    /// The letter's event was delivered.
    Healed,
    /// It did not help, and nothing else was left.
    GivenUp,
    /// It did not help.
    Failed,
}

impl HealState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tried | Self::Failed => "tried",
            Self::Healed => "healed",
            Self::GivenUp => "given_up",
        }
    }
}

/// One attempt to heal a dead letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heal {
    /// Of the attempt's own event.
    pub position: Position,
    pub letter: String,
    pub handler: String,
    pub rule: String,
    pub action: String,
    /// Of this rule, from 1.
    pub attempt: u64,
    pub at: Timestamp,
    /// Who the letter's event was given to, and where the log says so.
    pub retry: Option<(String, Position)>,
    /// Why it could not be done; cut to 200 bytes.
    pub error: Option<String>,
    pub state: HealState,
}

/// Notes what an event says of healing; most say nothing.
pub(crate) fn observe(database: &Connection, event: &Recorded) -> Result<(), ViewError> {
    match event.kind() {
        "tacho.heal_attempted" => insert(database, event),
        "tacho.dead_letter_retried" if text(event, "by").as_deref() == Some(HEALER) => {
            let target = text(event, "to").or_else(|| text(event, "handler"));
            let sql =
                "UPDATE heals SET retry = ?2, target = ?3 WHERE letter = ?1 AND state = 0 AND retry IS NULL";
            let row = (text(event, "letter"), event.position.0 as i64, target);
            Ok(database.prepare_cached(sql)?.execute(row).map(drop)?)
        }
        // Who was to take the event over gave up on it too.
        "tacho.dead_letter" => {
            let sql = "UPDATE heals SET state = 3 WHERE retry = ?1 AND state = 0";
            Ok(database.prepare_cached(sql)?.execute([number(event, "position")]).map(drop)?)
        }
        "tacho.healed" => end(database, event, 1, None),
        "tacho.heal_failed" => {
            let error = event.data().and_then(|data| json::member(data, "error"));
            let message = error.and_then(|error| json::member(error, "message")).map(json::text);
            end(database, event, 3, message.as_deref())
        }
        "tacho.heal_given_up" => {
            let sql = "UPDATE heals SET state = 2 WHERE position = (SELECT max(position) FROM heals
                       WHERE letter = ?1 OR retry = (SELECT event FROM letters WHERE id = ?1))";
            Ok(database.prepare_cached(sql)?.execute([text(event, "letter")]).map(drop)?)
        }
        _ => Ok(()),
    }
}

fn insert(database: &Connection, event: &Recorded) -> Result<(), ViewError> {
    let sql = "INSERT OR IGNORE INTO heals VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, NULL, NULL, NULL, 0)";
    let name = |name| text(event, name).unwrap_or_default();
    let row = (
        event.position.0 as i64,
        name("letter"),
        name("handler"),
        name("rule"),
        name("action"),
        number(event, "attempt"),
        event.time().0,
    );
    Ok(database.prepare_cached(sql)?.execute(row).map(drop)?)
}

fn end(database: &Connection, event: &Recorded, state: i64, error: Option<&str>) -> Result<(), ViewError> {
    let sql = "UPDATE heals SET state = ?4, error = ?5 WHERE letter = ?1 AND rule = ?2 AND attempt = ?3";
    let error = error.map(|error| head(error, ERROR_BYTES_MAX));
    let row = (text(event, "letter"), text(event, "rule"), number(event, "attempt"), state, error);
    Ok(database.prepare_cached(sql)?.execute(row).map(drop)?)
}

fn text(event: &Recorded, name: &str) -> Option<String> {
    json::member(event.data()?, name).map(|value| json::text(value).into_owned())
}

fn number(event: &Recorded, name: &str) -> i64 {
    text(event, name).and_then(|text| text.parse().ok()).unwrap_or(0)
}

const COLUMNS: &str = "position, letter, handler, rule, action, attempt, at, target, retry, error, state";

fn read(row: &Row<'_>) -> rusqlite::Result<Heal> {
    let (target, retry): (Option<String>, Option<i64>) = (row.get(7)?, row.get(8)?);
    Ok(Heal {
        position: Position(row.get::<_, i64>(0)? as u64),
        letter: row.get(1)?,
        handler: row.get(2)?,
        rule: row.get(3)?,
        action: row.get(4)?,
        attempt: row.get::<_, i64>(5)? as u64,
        at: Timestamp(row.get(6)?),
        retry: target.zip(retry.map(|retry| Position(retry as u64))),
        error: row.get(9)?,
        state: match row.get(10)? {
            0 => HealState::Tried,
            1 => HealState::Healed,
            2 => HealState::GivenUp,
            _ => HealState::Failed,
        },
    })
}

/// The last attempts, the newest first.
pub(crate) fn newest(database: &Connection, limit: usize) -> Result<Vec<Heal>, ViewError> {
    let sql = format!("SELECT {COLUMNS} FROM heals ORDER BY position DESC LIMIT ?1");
    let mut statement = database.prepare_cached(&sql)?;
    let rows = statement.query_map([i64::try_from(limit).unwrap_or(i64::MAX)], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What was tried about a letter, the oldest first.
pub(crate) fn of_letter(database: &Connection, letter: &str) -> Result<Vec<Heal>, ViewError> {
    let sql = format!("SELECT {COLUMNS} FROM heals WHERE letter = ?1 ORDER BY position");
    let mut statement = database.prepare_cached(&sql)?;
    let rows = statement.query_map([letter], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Attempts behind a position that gave the event to a handler, and of which nothing else is known.
pub(crate) fn under_way(
    database: &Connection,
    after: Position,
    limit: usize,
) -> Result<Vec<Heal>, ViewError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM heals WHERE state = 0 AND retry IS NOT NULL AND position > ?1
         ORDER BY position LIMIT ?2"
    );
    let mut statement = database.prepare_cached(&sql)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = statement.query_map((after.0 as i64, limit), read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}
