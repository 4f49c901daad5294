//! Runs: what the index is made of.

use crate::error::ViewError;
use crate::page::page_id;
use crate::times;
use rusqlite::{Connection, OptionalExtension};

/// A stretch of one segment, with its index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    pub id: i64,
    pub first: u64,
    pub last: u64,
    /// Lowest and highest `time`, in nanoseconds since 1970.
    pub lowest: i64,
    pub highest: i64,
    /// How large its index is.
    pub pages: u32,
}

impl Run {
    pub(crate) fn events(&self) -> usize {
        (self.last + 1 - self.first) as usize
    }

    /// Makes a run visible whose pages are written.
    pub(crate) fn insert(&self, database: &Connection, times: &[i64]) -> Result<(), ViewError> {
        database
            .prepare_cached(
                "INSERT INTO runs (first, last, id, lowest, highest, pages) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute((self.first as i64, self.last as i64, self.id, self.lowest, self.highest, self.pages))?;
        database
            .prepare_cached("INSERT INTO times (run, deltas) VALUES (?1, ?2)")?
            .execute((self.id, times::encode(times, self.lowest)))?;
        Ok(())
    }

    /// Removes it with all that belongs to it.
    pub(crate) fn remove(&self, database: &Connection) -> Result<(), ViewError> {
        database.prepare_cached("DELETE FROM runs WHERE first = ?1")?.execute([self.first as i64])?;
        database.prepare_cached("DELETE FROM times WHERE run = ?1")?.execute([self.id])?;
        remove_pages(database, self.id)
    }

    /// Calls `visit` with the position and the time of each event.
    pub(crate) fn each_time(
        &self,
        database: &Connection,
        mut visit: impl FnMut(u64, i64),
    ) -> Result<(), ViewError> {
        let mut statement = database.prepare_cached("SELECT deltas FROM times WHERE run = ?1")?;
        let decode = |row: &rusqlite::Row<'_>| {
            let data = row.get_ref(0)?.as_blob()?;
            Ok(times::each(data, self.events(), |index, time| visit(self.first + index as u64, time)))
        };
        statement
            .query_row([self.id], decode)
            .optional()?
            .unwrap_or(Err(ViewError::Damaged("the times of a run are missing")))
    }
}

/// Runs from the position `first` to the position `last`, and those that only overlap, in ascending order.
pub(crate) fn between(database: &Connection, first: u64, last: u64) -> Result<Vec<Run>, ViewError> {
    let mut statement = database.prepare_cached(
        "SELECT first, last, id, lowest, highest, pages FROM runs WHERE first >= ?1 AND first <= ?2 AND last >= ?3
         ORDER BY first",
    )?;
    // A run never leaves its segment, so none begins earlier.
    let segment_start = crate::bits::segment(first) * crate::bits::SEGMENT_EVENTS;
    let bound = |position: u64| i64::try_from(position).unwrap_or(i64::MAX);
    let rows = statement.query_map((bound(segment_start), bound(last), bound(first)), |row| {
        Ok(Run {
            first: row.get::<_, i64>(0)? as u64,
            last: row.get::<_, i64>(1)? as u64,
            id: row.get(2)?,
            lowest: row.get(3)?,
            highest: row.get(4)?,
            pages: row.get(5)?,
        })
    })?;
    let runs: Vec<Run> = rows.collect::<Result<_, _>>()?;
    let whole = |run: &Run| {
        run.first <= run.last && crate::bits::segment(run.first) == crate::bits::segment(run.last)
    };
    if runs.iter().all(whole) {
        Ok(runs)
    } else {
        Err(ViewError::Damaged("a run is no stretch of a segment"))
    }
}

pub(crate) fn remove_pages(database: &Connection, run: i64) -> Result<(), ViewError> {
    database
        .prepare_cached("DELETE FROM pages WHERE id >= ?1 AND id < ?2")?
        .execute((page_id(run, 0), page_id(run + 1, 0)))?;
    database.prepare_cached("DELETE FROM fences WHERE run = ?1")?.execute([run])?;
    Ok(())
}
