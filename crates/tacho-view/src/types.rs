//! How often each type occurs, and where.

use crate::error::ViewError;
use rusqlite::Connection;
use std::collections::HashMap;
use tacho_event::{Position, Timestamp};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeCount {
    pub name: String,
    pub events: u64,
    /// Of the first and of the last event of the type, by position.
    pub first: (Position, Timestamp),
    pub last: (Position, Timestamp),
}

/// What a transaction adds to the counts.
#[derive(Default)]
pub(crate) struct TypeFold(HashMap<Box<str>, Added>);

struct Added {
    events: i64,
    first: (i64, i64),
    last: (i64, i64),
}

impl TypeFold {
    pub(crate) fn add(&mut self, kind: &str, position: Position, time: Timestamp) {
        let place = (position.0 as i64, time.0);
        match self.0.get_mut(kind) {
            Some(added) => {
                added.events += 1;
                added.last = place;
            }
            None => {
                self.0.insert(kind.into(), Added { events: 1, first: place, last: place });
            }
        }
    }

    pub(crate) fn flush(&mut self, database: &Connection) -> Result<(), ViewError> {
        let mut upsert = database.prepare_cached(
            "INSERT INTO types (name, events, first, first_time, last, last_time) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (name) DO UPDATE SET
                 events = events + excluded.events, last = excluded.last, last_time = excluded.last_time",
        )?;
        for (name, added) in self.0.drain() {
            let (first, last) = (added.first, added.last);
            upsert.execute((name, added.events, first.0, first.1, last.0, last.1))?;
        }
        Ok(())
    }
}

/// Every type, by name.
pub(crate) fn all(database: &Connection, limit: usize) -> Result<Vec<TypeCount>, ViewError> {
    let mut statement = database.prepare_cached(
        "SELECT name, events, first, first_time, last, last_time FROM types ORDER BY name LIMIT ?1",
    )?;
    let place = |row: &rusqlite::Row<'_>, column: usize| -> rusqlite::Result<_> {
        Ok((Position(row.get::<_, i64>(column)? as u64), Timestamp(row.get(column + 1)?)))
    };
    let rows = statement.query_map([i64::try_from(limit).unwrap_or(i64::MAX)], |row| {
        Ok(TypeCount {
            name: row.get(0)?,
            events: row.get::<_, i64>(1)? as u64,
            first: place(row, 2)?,
            last: place(row, 4)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
