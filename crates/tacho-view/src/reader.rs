//! The queries, on a few connections of their own.

use crate::error::ViewError;
use crate::heals::{self, Heal};
use crate::kpi::{self, CostQuery, Costs, Dimension, Metrics, MetricsQuery, ModelRequest, NanoUsd};
use crate::letters::{self, Letter, LetterCause, LetterQuery};
use crate::look_up::LookUp;
use crate::open::connect_for_reading;
use crate::plan::Plan;
use crate::scan::{self, Candidates, Scan};
use crate::streams::{self, StreamQuery, StreamState};
use crate::traffic::{self, Traffic};
use crate::types::{self, TypeCount};
use crate::{bits, run};
use rusqlite::{Connection, OptionalExtension};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use tacho_event::{Filter, Position, Timestamp};

/// Connections at once; who comes when all are busy waits for one.
const MAX_CONNECTIONS: usize = 4;
/// Most positions that are answered for one id.
const MAX_SAME_ID: usize = 1000;

/// A handle for queries; cloning shares the connections. Each query sees the view as of one transaction of
/// the writer.
#[derive(Debug, Clone)]
pub struct Reader {
    shared: Arc<Shared>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    pub position: Position,
    pub streams: u64,
    pub types: u64,
    /// The lowest and the highest `time` of all events.
    pub times: Option<(Timestamp, Timestamp)>,
}

#[derive(Debug)]
struct Shared {
    file: PathBuf,
    position: Arc<AtomicU64>,
    pool: Mutex<Pool>,
    returned: Condvar,
}

#[derive(Debug, Default)]
struct Pool {
    idle: Vec<Connection>,
    open: usize,
}

impl Reader {
    pub(crate) fn new(file: &Path, position: Arc<AtomicU64>) -> Self {
        let (pool, returned) = (Mutex::default(), Condvar::new());
        Self { shared: Arc::new(Shared { file: file.to_owned(), position, pool, returned }) }
    }

    /// The last position that answers include. Cheap.
    pub fn position(&self) -> Position {
        Position(self.shared.position.load(Ordering::Acquire))
    }

    /// The positions that `filter` may mean, in the order of the scan. None that it means is missing. They are
    /// exact for the phase; the caller compares the events themselves for the rest, above all `where_jq`.
    ///
    /// Stops at the limit, or when `keep_going` answers false; it is asked after each 65,536 positions at most.
    pub fn candidates(
        &self,
        filter: &Filter,
        scan: &Scan,
        keep_going: &mut dyn FnMut() -> bool,
    ) -> Result<Candidates, ViewError> {
        self.read(|database| scan::scan(database, head(database)?, filter, scan, keep_going))
    }

    /// Where events with this id may be, whatever their source, oldest first; at most 1,000. The caller
    /// compares the ids.
    pub fn by_id(&self, id: &str) -> Result<Vec<Position>, ViewError> {
        let filter = Filter { id: Some(id.to_owned()), system: true, ..Filter::default() };
        let plan = Plan::new(&filter);
        self.read(|database| {
            let mut look_up = LookUp::new(database);
            let mut positions = Vec::new();
            for run in run::between(database, 1, u64::MAX)? {
                look_up.evaluate(&plan, &run)?;
                let base = bits::segment(run.first) * bits::SEGMENT_EVENTS;
                look_up.found.each(false, |low| {
                    positions.push(Position(base + u64::from(low)));
                    positions.len() < MAX_SAME_ID
                });
                if positions.len() >= MAX_SAME_ID {
                    break;
                }
            }
            Ok(positions)
        })
    }

    /// Streams in the order of their names.
    pub fn streams(&self, query: &StreamQuery) -> Result<Vec<StreamState>, ViewError> {
        self.read(|database| streams::list(database, query))
    }

    /// One stream; `None` when no event is in it.
    pub fn stream(&self, name: &str) -> Result<Option<StreamState>, ViewError> {
        self.read(|database| streams::one(database, name))
    }

    /// The first `limit` types, in the order of their names.
    pub fn types(&self, limit: usize) -> Result<Vec<TypeCount>, ViewError> {
        self.read(|database| types::all(database, limit))
    }

    /// Whether a validation of the task passed behind `behind`.
    pub fn has_passed(&self, task: &str, behind: Position) -> Result<bool, ViewError> {
        self.read(|database| kpi::has_passed(database, task, behind))
    }

    /// How much came, of the `limit` most frequent pairs of source and type and of all others together.
    pub fn traffic(&self, limit: usize) -> Result<Vec<Traffic>, ViewError> {
        self.read(|database| traffic::most(database, limit))
    }

    /// Bytes of the view's files; 0 where they cannot be read.
    pub fn file_bytes(&self) -> u64 {
        let bytes = |name: &str| {
            let mut path = self.shared.file.clone().into_os_string();
            path.push(name);
            std::fs::metadata(path).map_or(0, |file| file.len())
        };
        ["", "-wal", "-shm"].map(bytes).iter().sum()
    }

    /// The key figures of a window.
    pub fn metrics(&self, query: MetricsQuery) -> Result<Metrics, ViewError> {
        self.read(|database| kpi::metrics(database, query))
    }

    /// What was spent, and on what.
    pub fn costs(&self, query: &CostQuery) -> Result<Costs, ViewError> {
        self.read(|database| kpi::costs(database, query))
    }

    /// The first `limit` requests to models of a session in a span of time, its ends included, in the order of time.
    pub fn requests_of(
        &self,
        session: &str,
        span: (Timestamp, Timestamp),
        limit: usize,
    ) -> Result<Vec<ModelRequest>, ViewError> {
        self.read(|database| kpi::requests_of_session(database, session, span, limit))
    }

    /// The sessions, features or days on which at least this much was spent.
    pub fn spent_by(&self, by: Dimension, at_least: NanoUsd) -> Result<Vec<(String, NanoUsd)>, ViewError> {
        self.read(|database| kpi::spent_by(database, by, at_least))
    }

    /// Open dead letters, the oldest first.
    pub fn letters(&self, query: &LetterQuery) -> Result<Vec<Letter>, ViewError> {
        self.read(|database| letters::open(database, query))
    }

    /// How many dead letters are open.
    pub fn letter_count(&self, query: &LetterQuery) -> Result<u64, ViewError> {
        self.read(|database| letters::count(database, query))
    }

    /// One dead letter, whatever became of it.
    pub fn letter(&self, id: &str) -> Result<Option<Letter>, ViewError> {
        self.read(|database| letters::one(database, id))
    }

    /// Why dead letters are open.
    pub fn letter_causes(&self) -> Result<Vec<LetterCause>, ViewError> {
        self.read(letters::causes)
    }

    /// The last attempts to heal dead letters, the newest first.
    pub fn heals(&self, limit: usize) -> Result<Vec<Heal>, ViewError> {
        self.read(|database| heals::newest(database, limit))
    }

    /// What was tried about a dead letter, the oldest first.
    pub fn heals_of(&self, letter: &str) -> Result<Vec<Heal>, ViewError> {
        self.read(|database| heals::of_letter(database, letter))
    }

    /// Attempts to heal behind a position whose outcome is not known, the oldest first.
    pub fn heals_under_way(&self, after: Position, limit: usize) -> Result<Vec<Heal>, ViewError> {
        self.read(|database| heals::under_way(database, after, limit))
    }

    /// Whether any request to a model is known.
    pub fn has_requests(&self) -> Result<bool, ViewError> {
        self.read(|database| {
            Ok(database.query_row("SELECT EXISTS (SELECT 1 FROM usage)", [], |row| row.get(0))?)
        })
    }

    /// The version of the price table that is in force.
    pub fn prices_version(&self) -> Result<Option<String>, ViewError> {
        self.read(kpi::prices_version)
    }

    pub fn totals(&self) -> Result<Totals, ViewError> {
        self.read(|database| {
            let count =
                |sql| database.query_row(sql, [], |row| row.get::<_, i64>(0)).map(|count| count as u64);
            let times: Option<(i64, i64)> = database
                .query_row("SELECT min(lowest), max(highest) FROM runs HAVING count(*) > 0", [], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })
                .optional()?;
            Ok(Totals {
                position: head(database)?,
                streams: count("SELECT coalesce(max(code), 0) FROM streams")?,
                types: count("SELECT count(*) FROM types")?,
                times: times.map(|(lowest, highest)| (Timestamp(lowest), Timestamp(highest))),
            })
        })
    }

    /// Runs one query in one read transaction.
    fn read<T>(&self, query: impl FnOnce(&Connection) -> Result<T, ViewError>) -> Result<T, ViewError> {
        let lease = Lease::take(&self.shared)?;
        let Some(connection) = &lease.connection else {
            return Err(ViewError::Damaged("no connection"));
        };
        let transaction = connection.unchecked_transaction()?;
        query(&transaction)
    }
}

fn head(database: &Connection) -> Result<Position, ViewError> {
    let mut statement = database.prepare_cached("SELECT position FROM head")?;
    Ok(Position(statement.query_row([], |row| row.get::<_, i64>(0))? as u64))
}

/// A connection that goes back to the pool.
struct Lease<'a> {
    shared: &'a Shared,
    connection: Option<Connection>,
}

impl<'a> Lease<'a> {
    fn take(shared: &'a Shared) -> Result<Self, ViewError> {
        let mut pool = lock(&shared.pool);
        loop {
            if let Some(connection) = pool.idle.pop() {
                return Ok(Self { shared, connection: Some(connection) });
            }
            if pool.open < MAX_CONNECTIONS {
                pool.open += 1;
                drop(pool);
                let mut lease = Self { shared, connection: None };
                lease.connection = Some(connect_for_reading(&shared.file)?);
                return Ok(lease);
            }
            pool = shared.returned.wait(pool).unwrap_or_else(|poisoned| poisoned.into_inner());
        }
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let mut pool = lock(&self.shared.pool);
        match self.connection.take() {
            Some(connection) => pool.idle.push(connection),
            None => pool.open -= 1,
        }
        self.shared.returned.notify_one();
    }
}

fn lock(pool: &Mutex<Pool>) -> MutexGuard<'_, Pool> {
    pool.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}
