//! How many events and bytes came, by the family of their source and by type.

use crate::error::ViewError;
use rusqlite::Connection;
use std::collections::HashMap;
use tacho_event::{Recorded, head};

/// What stands for all that has no line of its own.
const OTHER: &str = "other";
/// Longest name of a family, in bytes; longer ones are cut.
const MAX_FAMILY_BYTES: usize = 64;

/// Events of one family of sources and one type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traffic {
    /// The first segment of the source's path, the host of a URL: of `/hooks/codex`, `hooks`.
    pub family: String,
    pub kind: String,
    pub events: u64,
    /// Of the events as they stand on the log, before compression.
    pub bytes: u64,
}

/// What a transaction adds.
#[derive(Default)]
pub(crate) struct TrafficFold(HashMap<Box<str>, HashMap<Box<str>, Sums>>);

#[derive(Default)]
struct Sums {
    events: i64,
    bytes: i64,
}

impl TrafficFold {
    pub(crate) fn add(&mut self, event: &Recorded) {
        let (family, kind) = (family(event.source()), event.kind());
        let kinds = match self.0.get_mut(family) {
            Some(kinds) => kinds,
            None => self.0.entry(family.into()).or_default(),
        };
        let sums = match kinds.get_mut(kind) {
            Some(sums) => sums,
            None => kinds.entry(kind.into()).or_default(),
        };
        sums.events += 1;
        sums.bytes += event.bytes().len() as i64;
    }

    pub(crate) fn flush(&mut self, database: &Connection) -> Result<(), ViewError> {
        let mut upsert = database.prepare_cached(
            "INSERT INTO traffic (family, type, events, bytes) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (family, type) DO UPDATE SET
                 events = events + excluded.events, bytes = bytes + excluded.bytes",
        )?;
        for (family, kinds) in self.0.drain() {
            for (kind, sums) in kinds {
                upsert.execute((&family, kind, sums.events, sums.bytes))?;
            }
        }
        Ok(())
    }
}

/// The pairs with the most events, and the sum of the others, if there are any, as `other`.
pub(crate) fn most(database: &Connection, limit: usize) -> Result<Vec<Traffic>, ViewError> {
    let mut statement = database.prepare_cached(
        "SELECT family, type, events, bytes FROM traffic ORDER BY events DESC, family, type",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(Traffic {
            family: row.get(0)?,
            kind: row.get(1)?,
            events: row.get::<_, i64>(2)? as u64,
            bytes: row.get::<_, i64>(3)? as u64,
        })
    })?;
    let mut found: Vec<Traffic> = Vec::new();
    for row in rows {
        let row = row?;
        if let Some(others) = found.get_mut(limit) {
            others.events += row.events;
            others.bytes += row.bytes;
        } else if found.len() == limit {
            found.push(Traffic { family: OTHER.to_owned(), kind: OTHER.to_owned(), ..row });
        } else {
            found.push(row);
        }
    }
    Ok(found)
}

fn family(source: &str) -> &str {
    let name = source.split_once("://").map_or(source, |(_, rest)| rest).trim_start_matches('/');
    let name = name.split(['/', ':', '?', '#']).next().unwrap_or_default();
    if name.is_empty() { OTHER } else { head(name, MAX_FAMILY_BYTES) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_where_sources_come_from() {
        let long = format!("/{}", "é".repeat(40));
        for (source, expected) in [
            ("/hooks/claude-code", "hooks"),
            ("factory", "factory"),
            ("https://ci.example.org:8443/jobs/7", "ci.example.org"),
            ("urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66", "urn"),
            ("/", OTHER),
            (&long, &long[1..65]),
        ] {
            assert_eq!(family(source), expected, "{source}");
        }
    }
}
