//! Dead letters: which are open, and what became of the others.

use crate::error::ViewError;
use rusqlite::{Connection, OptionalExtension, Row};
use tacho_event::{Position, Recorded, Timestamp, head, json};

pub(crate) const TABLES: &str = "
    CREATE TABLE letters (
        position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, handler TEXT NOT NULL, code TEXT NOT NULL,
        message TEXT NOT NULL, event INTEGER NOT NULL, attempts INTEGER NOT NULL, failed INTEGER NOT NULL,
        retry_of TEXT, state INTEGER NOT NULL
    );
    CREATE INDEX letters_open ON letters (handler, code, position) WHERE state = 0;
    CREATE INDEX letters_open_by_position ON letters (position) WHERE state = 0;";

/// Longest message that is kept here, in bytes; the letter's own event holds it whole.
const MESSAGE_BYTES_MAX: usize = 200;

/// What became of a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LetterState {
    Open,
    /// Its event was given to the handler again; where that failed, there is another letter.
    Retried,
    Discarded,
}

impl LetterState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Retried => "retried",
            Self::Discarded => "discarded",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Of the letter's own event.
    pub position: Position,
    pub id: String,
    pub handler: String,
    pub code: String,
    /// Cut to 200 bytes.
    pub message: String,
    /// Where the event stands that was not delivered.
    pub event: Position,
    pub attempts: u64,
    pub failed: Timestamp,
    /// The letter that was tried again before.
    pub retry_of: Option<String>,
    pub state: LetterState,
}

/// Which open letters are meant.
#[derive(Debug, Clone, Default)]
pub struct LetterQuery {
    pub handler: Option<String>,
    pub code: Option<String>,
    /// Only letters behind this position.
    pub after: Position,
    pub limit: usize,
}

/// Open letters of one handler that failed in the same way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LetterCause {
    pub handler: String,
    pub code: String,
    pub count: u64,
    pub first: Timestamp,
    pub last: Timestamp,
    /// Of the last of them.
    pub message: String,
}

/// Notes what an event says of letters; most say nothing.
pub(crate) fn observe(database: &Connection, event: &Recorded) -> Result<(), ViewError> {
    let state = match event.kind() {
        "tacho.dead_letter" => return insert(database, event),
        "tacho.dead_letter_retried" => 1,
        "tacho.dead_letter_discarded" => 2,
        _ => return Ok(()),
    };
    let Some(letter) = text(event, "letter") else { return Ok(()) };
    let mut update = database.prepare_cached("UPDATE letters SET state = ?2 WHERE id = ?1 AND state = 0")?;
    update.execute((letter, state))?;
    Ok(())
}

fn insert(database: &Connection, event: &Recorded) -> Result<(), ViewError> {
    let number = |name| text(event, name).and_then(|text| text.parse::<i64>().ok()).unwrap_or(0);
    let error = event.data().and_then(|data| json::member(data, "error")).unwrap_or(b"{}");
    let of_error =
        |name| json::member(error, name).map(|value| json::text(value).into_owned()).unwrap_or_default();
    let message = of_error("message");
    let mut insert = database
        .prepare_cached("INSERT OR IGNORE INTO letters VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0)")?;
    insert.execute((
        event.position.0 as i64,
        event.id(),
        text(event, "handler").unwrap_or_default(),
        of_error("code"),
        head(&message, MESSAGE_BYTES_MAX),
        number("position"),
        number("attempts"),
        event.time().0,
        text(event, "retry_of"),
    ))?;
    Ok(())
}

fn text(event: &Recorded, name: &str) -> Option<String> {
    json::member(event.data()?, name).map(|value| json::text(value).into_owned())
}

const COLUMNS: &str = "position, id, handler, code, message, event, attempts, failed, retry_of, state";

fn read(row: &Row<'_>) -> rusqlite::Result<Letter> {
    Ok(Letter {
        position: Position(row.get::<_, i64>(0)? as u64),
        id: row.get(1)?,
        handler: row.get(2)?,
        code: row.get(3)?,
        message: row.get(4)?,
        event: Position(row.get::<_, i64>(5)? as u64),
        attempts: row.get::<_, i64>(6)? as u64,
        failed: Timestamp(row.get(7)?),
        retry_of: row.get(8)?,
        state: match row.get(9)? {
            1 => LetterState::Retried,
            2 => LetterState::Discarded,
            _ => LetterState::Open,
        },
    })
}

/// Open letters, the oldest first.
pub(crate) fn open(database: &Connection, query: &LetterQuery) -> Result<Vec<Letter>, ViewError> {
    let mut statement = database.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM letters WHERE state = 0 AND position > ?1 AND (?2 IS NULL OR handler = ?2)
         AND (?3 IS NULL OR code = ?3) ORDER BY position LIMIT ?4"
    ))?;
    let limit = i64::try_from(query.limit).unwrap_or(i64::MAX);
    let rows = statement.query_map((query.after.0 as i64, &query.handler, &query.code, limit), read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// How many are open.
pub(crate) fn count(database: &Connection, query: &LetterQuery) -> Result<u64, ViewError> {
    let mut statement = database.prepare_cached(
        "SELECT count(*) FROM letters WHERE state = 0 AND (?1 IS NULL OR handler = ?1) AND (?2 IS NULL OR code = ?2)",
    )?;
    let count: i64 = statement.query_row((&query.handler, &query.code), |row| row.get(0))?;
    Ok(count as u64)
}

pub(crate) fn one(database: &Connection, id: &str) -> Result<Option<Letter>, ViewError> {
    let mut statement = database.prepare_cached(&format!("SELECT {COLUMNS} FROM letters WHERE id = ?1"))?;
    Ok(statement.query_row([id], read).optional()?)
}

/// Why letters are open, the most frequent reason first.
pub(crate) fn causes(database: &Connection) -> Result<Vec<LetterCause>, ViewError> {
    let mut statement = database.prepare_cached(
        "SELECT handler, code, n, (SELECT failed FROM letters WHERE position = first),
                (SELECT failed FROM letters WHERE position = last), (SELECT message FROM letters WHERE position = last)
         FROM (SELECT handler, code, count(*) AS n, min(position) AS first, max(position) AS last
               FROM letters WHERE state = 0 GROUP BY handler, code)
         ORDER BY n DESC, handler, code LIMIT 1000",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(LetterCause {
            handler: row.get(0)?,
            code: row.get(1)?,
            count: row.get::<_, i64>(2)? as u64,
            first: Timestamp(row.get(3)?),
            last: Timestamp(row.get(4)?),
            message: row.get(5)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
