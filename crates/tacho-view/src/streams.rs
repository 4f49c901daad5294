//! What is known of each stream: its head, and the phase that it is in.

use crate::error::ViewError;
use crate::facts::Facts;
use rusqlite::{Connection, OptionalExtension, Row};
use std::collections::HashMap;
use std::sync::Arc;
use tacho_event::{Position, Recorded, Sequence, Timestamp};

/// Streams that the writer remembers between transactions: some 5 MB.
const MAX_REMEMBERED: usize = 1 << 15;
/// Streams that it remembers while nothing is to be folded.
const IDLE_REMEMBERED: usize = 1 << 12;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamState {
    pub name: String,
    /// The sequence of its last event; sequences are dense, so this is also how many it has.
    pub sequence: Sequence,
    /// Of its first and of its last event, by position.
    pub first: (Position, Timestamp),
    pub last: (Position, Timestamp),
    /// The phase that was named last, cut to 256 bytes.
    pub phase: Option<String>,
    /// How many of its events are bookkeeping.
    pub bookkeeping: u64,
}

/// Which streams are meant.
#[derive(Debug, Clone, Default)]
pub struct StreamQuery {
    /// What their names begin with: `issue/` for a category, nothing for all.
    pub prefix: String,
    /// Only names behind this one, in the order of their bytes.
    pub after: Option<String>,
    /// Most streams of the answer.
    pub limit: usize,
    /// Whether streams of nothing but bookkeeping are meant too.
    pub system: bool,
}

#[derive(Default)]
pub(crate) struct StreamFold {
    /// By name, the number of what is remembered.
    numbers: HashMap<Box<str>, u32>,
    heads: Vec<Head>,
    changed: Vec<u32>,
    last_code: i64,
}

struct Head {
    code: i64,
    is_changed: bool,
    /// The name and the first event of a stream that is not in the database yet.
    created: Option<(Box<str>, i64, i64)>,
    sequence: i64,
    last: (i64, i64),
    phase: Option<Arc<str>>,
    bookkeeping: i64,
}

impl StreamFold {
    pub(crate) fn load(database: &Connection) -> Result<Self, ViewError> {
        let last_code =
            database.query_row("SELECT coalesce(max(code), 0) FROM streams", [], |row| row.get(0))?;
        Ok(Self { last_code, ..Self::default() })
    }

    /// Moves the head of the event's stream. Answers the phase that the event counts for: its own, else the
    /// one that its stream is in.
    pub(crate) fn advance(
        &mut self,
        database: &Connection,
        event: &Recorded,
        facts: &Facts<'_>,
    ) -> Result<Option<Arc<str>>, ViewError> {
        let number = match self.numbers.get(event.stream()) {
            Some(number) => *number,
            None => self.remember(database, event, facts)?,
        };
        let head = &mut self.heads[number as usize];
        if !head.is_changed {
            head.is_changed = true;
            self.changed.push(number);
        }
        head.sequence = event.sequence.0 as i64;
        head.last = (event.position.0 as i64, facts.time.0);
        head.bookkeeping += i64::from(event.is_bookkeeping());
        if let Some(named) = &facts.phase
            && head.phase.as_deref() != Some(named)
        {
            head.phase = Some(Arc::from(named.as_ref()));
        }
        let phase = head.phase.clone();
        if let Some(next) = &facts.next_phase {
            head.phase = Some(Arc::from(next.as_ref()));
        }
        Ok(phase)
    }

    fn remember(
        &mut self,
        database: &Connection,
        event: &Recorded,
        facts: &Facts<'_>,
    ) -> Result<u32, ViewError> {
        let mut statement = database.prepare_cached(
            "SELECT code, sequence, last, last_time, phase, bookkeeping
             FROM streams JOIN heads USING (code) WHERE name = ?1",
        )?;
        let read = |row: &Row<'_>| {
            Ok(Head {
                code: row.get(0)?,
                is_changed: false,
                created: None,
                sequence: row.get(1)?,
                last: (row.get(2)?, row.get(3)?),
                phase: row.get::<_, Option<String>>(4)?.map(Arc::from),
                bookkeeping: row.get(5)?,
            })
        };
        let known = statement.query_row([event.stream()], read).optional()?;
        let head = known.unwrap_or_else(|| {
            self.last_code += 1;
            Head {
                code: self.last_code,
                is_changed: false,
                created: Some((event.stream().into(), event.position.0 as i64, facts.time.0)),
                sequence: 0,
                last: (0, 0),
                phase: None,
                bookkeeping: 0,
            }
        });
        let number = self.heads.len() as u32;
        self.heads.push(head);
        self.numbers.insert(event.stream().into(), number);
        Ok(number)
    }

    /// Writes what changed, in the order of the codes: streams of one time are neighbours on the disk.
    pub(crate) fn flush(&mut self, database: &Connection) -> Result<(), ViewError> {
        self.changed.sort_unstable_by_key(|number| self.heads[*number as usize].code);
        let mut create = database
            .prepare_cached("INSERT INTO streams (code, name, first, first_time) VALUES (?1, ?2, ?3, ?4)")?;
        let mut put = database.prepare_cached(
            "REPLACE INTO heads (code, sequence, last, last_time, phase, bookkeeping)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?;
        for number in self.changed.drain(..) {
            let head = &mut self.heads[number as usize];
            head.is_changed = false;
            if let Some((name, position, time)) = head.created.take() {
                create.execute((head.code, name, position, time))?;
            }
            let phase = head.phase.as_deref();
            put.execute((head.code, head.sequence, head.last.0, head.last.1, phase, head.bookkeeping))?;
        }
        if self.heads.len() > MAX_REMEMBERED {
            self.forget();
        }
        Ok(())
    }

    /// Gives memory back that only bulk work needs.
    pub(crate) fn release(&mut self) {
        if self.heads.len() > IDLE_REMEMBERED {
            self.forget();
        }
    }

    /// Drops what it remembers of streams; all changes must be written.
    fn forget(&mut self) {
        *self = Self { last_code: self.last_code, ..Self::default() };
    }
}

/// One stream.
pub(crate) fn one(database: &Connection, name: &str) -> Result<Option<StreamState>, ViewError> {
    let mut statement = database.prepare_cached(
        "SELECT name, sequence, first, first_time, last, last_time, phase, bookkeeping
         FROM streams JOIN heads USING (code) WHERE name = ?1",
    )?;
    Ok(statement.query_row([name], read_state).optional()?)
}

/// Streams in the order of their names.
pub(crate) fn list(database: &Connection, query: &StreamQuery) -> Result<Vec<StreamState>, ViewError> {
    let mut statement = database.prepare_cached(
        "SELECT name, sequence, first, first_time, last, last_time, phase, bookkeeping
         FROM streams JOIN heads USING (code)
         WHERE name >= ?1 AND name <> ?2 AND (?3 OR bookkeeping < sequence)
         ORDER BY name LIMIT ?4",
    )?;
    let after = query.after.as_deref().unwrap_or_default();
    let limit = i64::try_from(query.limit).unwrap_or(i64::MAX);
    let start = after.max(&query.prefix);
    let mut rows = statement.query((start, after, query.system, limit))?;
    let mut streams = Vec::new();
    while let Some(row) = rows.next()? {
        let stream = read_state(row)?;
        if !stream.name.starts_with(&query.prefix) {
            break;
        }
        streams.push(stream);
    }
    Ok(streams)
}

fn read_state(row: &Row<'_>) -> rusqlite::Result<StreamState> {
    let number = |column: usize| row.get::<_, i64>(column).map(|number| number as u64);
    Ok(StreamState {
        name: row.get(0)?,
        sequence: Sequence(number(1)?),
        first: (Position(number(2)?), Timestamp(row.get(3)?)),
        last: (Position(number(4)?), Timestamp(row.get(5)?)),
        phase: row.get(6)?,
        bookkeeping: number(7)?,
    })
}
