//! Snapshots of states: what a fold had made of a stream up to an event, kept so that the next fold need not begin
//! at the first one. A file of its own beside the index. Losing one, or all, costs time and nothing else.

use crate::ViewError;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;
use tacho_event::{Position, Sequence, Timestamp};
use thiserror::Error;

const FILE_NAME: &str = "snapshots.sqlite";
/// "tacs": what `file` and SQLite's tools show.
const APPLICATION_ID: i64 = 0x7461_6373;
/// Changes with every change of what is written.
const SCHEMA_VERSION: i64 = 2;
const BUSY_TIMEOUT: Duration = Duration::from_millis(500);
const CACHE_KIB: i64 = 512;
/// Of zstd. States are small and often written.
const COMPRESSION_LEVEL: i32 = 1;
/// Largest state that is believed, in bytes of JSON.
const MAX_STATE_BYTES: usize = 256 << 20;

const TABLES: &str = "
    CREATE TABLE log (id BLOB NOT NULL);
    CREATE TABLE snapshots (
        id INTEGER PRIMARY KEY, stream TEXT NOT NULL, code TEXT NOT NULL, sequence INTEGER NOT NULL,
        position INTEGER NOT NULL, time INTEGER NOT NULL, latest INTEGER NOT NULL, created INTEGER NOT NULL,
        manual INTEGER NOT NULL, checksum BLOB NOT NULL, state BLOB NOT NULL
    );
    CREATE UNIQUE INDEX by_place ON snapshots (stream, code, sequence);
    CREATE INDEX by_bound ON snapshots (stream, code, sequence, position, latest);
    CREATE INDEX by_age ON snapshots (created);";

/// Which events of a stream a state is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bound {
    /// Those that happened up to here, inclusive.
    pub time: Option<Timestamp>,
    /// Those that stand up to here in the log, inclusive.
    pub position: Option<Position>,
    /// Those that stand up to here in the stream, inclusive.
    pub sequence: Option<Sequence>,
}

/// The state behind the first events of a stream, without a gap.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// The last event that is in it.
    pub sequence: Sequence,
    pub position: Position,
    /// When that event happened.
    pub time: Timestamp,
    /// The greatest time of all events that are in it: it serves no moment before.
    pub latest: Timestamp,
    pub state: Value,
}

/// What is known of a stored snapshot without reading its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSnapshot {
    pub id: i64,
    /// Name and version of the projection that made it.
    pub code: String,
    pub sequence: Sequence,
    pub position: Position,
    pub latest: Timestamp,
    pub created: Timestamp,
    /// Somebody asked for it; it is pruned only by those who ask for that too.
    pub manual: bool,
    /// Bytes on disk.
    pub bytes: u64,
    /// SHA-256 of them.
    pub checksum: [u8; 32],
}

/// Which snapshots of a stream stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    None,
    /// This many of each projection, the newest; manual ones beside them.
    Newest(u64),
}

#[derive(Debug, Error)]
pub enum SnapshotError {
    #[error("the state cannot be written: {0}")]
    State(#[from] serde_json::Error),
    #[error("the state cannot be compressed: {0}")]
    Compression(#[from] std::io::Error),
    #[error(transparent)]
    View(#[from] ViewError),
}

/// The snapshots of one log.
#[derive(Debug)]
pub struct Snapshots {
    file: PathBuf,
    log_id: [u8; 16],
    database: Mutex<Connection>,
}

impl Bound {
    /// Whether a prefix of the stream that ends so holds only events that are meant.
    fn covers(&self) -> (i64, i64, i64) {
        let number =
            |value: Option<u64>| value.map_or(i64::MAX, |value| i64::try_from(value).unwrap_or(i64::MAX));
        (
            number(self.sequence.map(|sequence| sequence.0)),
            number(self.position.map(|position| position.0)),
            self.time.map_or(i64::MAX, |time| time.0),
        )
    }
}

impl Snapshots {
    /// Opens the snapshots in `folder`. What is of another log or version, or damaged, is thrown away.
    pub fn open(folder: &Path, log_id: [u8; 16]) -> Result<Self, ViewError> {
        std::fs::create_dir_all(folder)
            .map_err(|source| ViewError::File { path: folder.to_owned(), source })?;
        let file = folder.join(FILE_NAME);
        let database = match open_existing(&file, log_id) {
            Ok(Some(database)) => database,
            Ok(None) => create(&file, log_id)?,
            Err(error) if error.is_damage() => create(&file, log_id)?,
            Err(error) => return Err(error),
        };
        Ok(Self { file, log_id, database: Mutex::new(database) })
    }

    /// The last snapshot that holds only events within the bound. One that is damaged is dropped and the one before
    /// it taken.
    pub fn best(&self, stream: &str, code: &str, bound: &Bound) -> Result<Option<Snapshot>, ViewError> {
        let (sequence, position, time) = bound.covers();
        loop {
            let database = self.lock();
            let mut statement = database.prepare_cached(
                "SELECT id, sequence, position, time, latest, checksum, state FROM snapshots
                 WHERE id = (
                   SELECT id FROM snapshots INDEXED BY by_bound
                   WHERE stream = ?1 AND code = ?2 AND sequence <= ?3 AND position <= ?4 AND latest <= ?5
                   ORDER BY sequence DESC LIMIT 1
                 )",
            )?;
            let found = statement
                .query_row(params![stream, code, sequence, position, time], StoredState::read)
                .optional()?;
            drop(statement);
            // Unpacking takes longer than finding: others may look meanwhile.
            drop(database);
            let Some(stored) = found else { return Ok(None) };
            let id = stored.id;
            match stored.unpack() {
                Some(snapshot) => return Ok(Some(snapshot)),
                None => {
                    self.lock().prepare_cached("DELETE FROM snapshots WHERE id = ?1")?.execute([id])?;
                }
            }
        }
    }

    /// Stores snapshots of a stream; one of the same place gives way, a manual one stays manual. Answers the ids.
    pub fn put(
        &self,
        stream: &str,
        code: &str,
        snapshots: &[PackedSnapshot],
        created: Timestamp,
    ) -> Result<Vec<i64>, ViewError> {
        let database = self.lock();
        let transaction = database.unchecked_transaction()?;
        let mut ids = Vec::with_capacity(snapshots.len());
        {
            let mut statement = transaction.prepare_cached(
                "INSERT INTO snapshots
                 (stream, code, sequence, position, time, latest, created, manual, checksum, state)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
                 ON CONFLICT (stream, code, sequence) DO UPDATE SET position = excluded.position,
                 time = excluded.time, latest = excluded.latest, manual = max(manual, excluded.manual),
                 checksum = excluded.checksum, state = excluded.state RETURNING id",
            )?;
            for packed in snapshots {
                let id = statement.query_row(
                    params![
                        stream,
                        code,
                        packed.sequence.0 as i64,
                        packed.position.0 as i64,
                        packed.time.0,
                        packed.latest.0,
                        created.0,
                        packed.manual,
                        &packed.checksum[..],
                        packed.bytes,
                    ],
                    |row| row.get(0),
                )?;
                ids.push(id);
            }
        }
        transaction.commit()?;
        Ok(ids)
    }

    /// The snapshots of a stream, by projection and sequence.
    pub fn list(&self, stream: &str) -> Result<Vec<StoredSnapshot>, ViewError> {
        let database = self.lock();
        let mut statement = database.prepare_cached(
            "SELECT id, code, sequence, position, latest, created, manual, length(state), checksum
             FROM snapshots WHERE stream = ?1 ORDER BY code, sequence",
        )?;
        let rows = statement.query_map([stream], |row| {
            let number = |column: usize| row.get::<_, i64>(column).map(|number| number as u64);
            Ok(StoredSnapshot {
                id: row.get(0)?,
                code: row.get(1)?,
                sequence: Sequence(number(2)?),
                position: Position(number(3)?),
                latest: Timestamp(row.get(4)?),
                created: Timestamp(row.get(5)?),
                manual: row.get(6)?,
                bytes: number(7)?,
                checksum: row.get::<_, [u8; 32]>(8)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Drops snapshots of a stream; answers how many.
    pub fn prune(&self, stream: &str, keep: Keep) -> Result<usize, ViewError> {
        let database = self.lock();
        let removed = match keep {
            Keep::None => database.execute("DELETE FROM snapshots WHERE stream = ?1", [stream])?,
            Keep::Newest(count) => database.execute(
                "DELETE FROM snapshots WHERE id IN (
                   SELECT id FROM (
                     SELECT id, row_number() OVER (PARTITION BY code ORDER BY sequence DESC) AS place
                     FROM snapshots WHERE stream = ?1 AND NOT manual
                   ) WHERE place > ?2
                 )",
                params![stream, i64::try_from(count).unwrap_or(i64::MAX)],
            )?,
        };
        Ok(removed)
    }

    /// Drops what is older than `created`, and the oldest beyond `bytes` of states; manual ones go last. Answers how
    /// many.
    pub fn collect(&self, created: Timestamp, bytes: u64) -> Result<usize, ViewError> {
        let database = self.lock();
        let old = database.execute("DELETE FROM snapshots WHERE created < ?1 AND NOT manual", [created.0])?;
        let excess = database.execute(
            "DELETE FROM snapshots WHERE id IN (
               SELECT id FROM (
                 SELECT id, sum(length(state)) OVER (ORDER BY manual DESC, created DESC, id DESC) AS total
                 FROM snapshots
               ) WHERE total > ?1
             )",
            [i64::try_from(bytes).unwrap_or(i64::MAX)],
        )?;
        Ok(old + excess)
    }

    /// Drops all of them.
    pub fn clear(&self) -> Result<(), ViewError> {
        let mut database = self.lock();
        if let Err(error) = database.execute("DELETE FROM snapshots", []) {
            let error = ViewError::from(error);
            if !error.is_damage() {
                return Err(error);
            }
            *database = create(&self.file, self.log_id)?;
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.database.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// A snapshot as it is stored.
#[derive(Debug, Clone)]
pub struct PackedSnapshot {
    sequence: Sequence,
    position: Position,
    time: Timestamp,
    latest: Timestamp,
    manual: bool,
    checksum: [u8; 32],
    bytes: Vec<u8>,
    /// Bytes of the state's JSON.
    pub json_bytes: usize,
}

impl PackedSnapshot {
    /// `place` is the last event's sequence, position and time; `latest` the greatest time of all.
    pub fn new(
        place: (Sequence, Position, Timestamp),
        latest: Timestamp,
        manual: bool,
        state: &Value,
    ) -> Result<Self, SnapshotError> {
        let json = serde_json::to_vec(state)?;
        let bytes = zstd::bulk::compress(&json, COMPRESSION_LEVEL)?;
        let (sequence, position, time) = place;
        Ok(Self {
            sequence,
            position,
            time,
            latest,
            manual,
            checksum: Sha256::digest(&bytes).into(),
            bytes,
            json_bytes: json.len(),
        })
    }
}

/// A snapshot as it is read, not checked yet.
struct StoredState {
    id: i64,
    sequence: Sequence,
    position: Position,
    time: Timestamp,
    latest: Timestamp,
    checksum: Vec<u8>,
    bytes: Vec<u8>,
}

impl StoredState {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let number = |column: usize| row.get::<_, i64>(column).map(|number| number as u64);
        Ok(Self {
            id: row.get(0)?,
            sequence: Sequence(number(1)?),
            position: Position(number(2)?),
            time: Timestamp(row.get(3)?),
            latest: Timestamp(row.get(4)?),
            checksum: row.get(5)?,
            bytes: row.get(6)?,
        })
    }

    /// `None` where it does not hold what was written.
    fn unpack(self) -> Option<Snapshot> {
        if Sha256::digest(&self.bytes).as_slice() != self.checksum {
            return None;
        }
        let length = zstd::bulk::Decompressor::upper_bound(&self.bytes)?;
        let json =
            (length <= MAX_STATE_BYTES).then(|| zstd::bulk::decompress(&self.bytes, length).ok())??;
        Some(Snapshot {
            sequence: self.sequence,
            position: self.position,
            time: self.time,
            latest: self.latest,
            state: serde_json::from_slice(&json).ok()?,
        })
    }
}

fn connect(file: &Path) -> Result<Connection, ViewError> {
    let database = Connection::open(file)?;
    database.busy_timeout(BUSY_TIMEOUT)?;
    database.pragma_update(None, "journal_mode", "WAL")?;
    // Derived: a crash may cost the last ones.
    database.pragma_update(None, "synchronous", "NORMAL")?;
    database.pragma_update(None, "cache_size", -CACHE_KIB)?;
    Ok(database)
}

fn open_existing(file: &Path, log_id: [u8; 16]) -> Result<Option<Connection>, ViewError> {
    if !file.exists() {
        return Ok(None);
    }
    let database = connect(file)?;
    let number = |name| database.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    if number("application_id")? != APPLICATION_ID || number("user_version")? != SCHEMA_VERSION {
        return Ok(None);
    }
    let of_log: Option<Vec<u8>> =
        database.query_row("SELECT id FROM log", [], |row| row.get(0)).optional()?;
    Ok(of_log.is_some_and(|id| id == log_id).then_some(database))
}

fn create(file: &Path, log_id: [u8; 16]) -> Result<Connection, ViewError> {
    crate::open::remove(file)?;
    let database = connect(file)?;
    let transaction = database.unchecked_transaction()?;
    transaction.execute_batch(TABLES)?;
    transaction.execute("INSERT INTO log (id) VALUES (?1)", [&log_id[..]])?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
    transaction.commit()?;
    Ok(database)
}
