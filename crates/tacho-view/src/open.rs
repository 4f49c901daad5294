//! The file: made, opened, or thrown away.

use crate::error::ViewError;
use crate::heals;
use crate::kpi;
use crate::letters;
use crate::reader::Reader;
use crate::writer::Writer;
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

/// The database's file in its folder; SQLite keeps two more beside it.
pub const FILE_NAME: &str = "view.sqlite";

/// "tach": what `file` and SQLite's tools show.
const APPLICATION_ID: i64 = 0x7461_6368;
/// Changes with every change of what is written, the hash of terms and the cut of words included.
const SCHEMA_VERSION: i64 = 8;

const WRITER_CACHE_KIB: i64 = 6 * 1024;
const READER_CACHE_KIB: i64 = 1024;
/// Frames of 4 KiB in the write-ahead log after which they are moved into the database.
const CHECKPOINT_FRAMES: i64 = 4096;
const WAL_LIMIT_BYTES: i64 = 32 * 1024 * 1024;
/// How long the writer waits for readers, and they for a file that is being opened.
const BUSY_TIMEOUT: Duration = Duration::from_millis(500);

const TABLES: &str = "
    CREATE TABLE head (log_id BLOB NOT NULL, position INTEGER NOT NULL, unfinished INTEGER);
    CREATE TABLE runs (
        first INTEGER PRIMARY KEY, last INTEGER NOT NULL, id INTEGER NOT NULL,
        lowest INTEGER NOT NULL, highest INTEGER NOT NULL, pages INTEGER NOT NULL
    );
    CREATE TABLE times (run INTEGER PRIMARY KEY, deltas BLOB NOT NULL);
    CREATE TABLE pages (id INTEGER PRIMARY KEY, entries BLOB NOT NULL);
    CREATE TABLE fences (
        run INTEGER NOT NULL, term BLOB NOT NULL, page INTEGER NOT NULL, PRIMARY KEY (run, term)
    ) WITHOUT ROWID;
    CREATE TABLE streams (
        code INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,
        first INTEGER NOT NULL, first_time INTEGER NOT NULL
    );
    CREATE TABLE heads (
        code INTEGER PRIMARY KEY, sequence INTEGER NOT NULL,
        last INTEGER NOT NULL, last_time INTEGER NOT NULL, phase TEXT, bookkeeping INTEGER NOT NULL
    );
    CREATE TABLE types (
        name TEXT PRIMARY KEY, events INTEGER NOT NULL,
        first INTEGER NOT NULL, first_time INTEGER NOT NULL, last INTEGER NOT NULL, last_time INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE traffic (
        family TEXT NOT NULL, type TEXT NOT NULL, events INTEGER NOT NULL, bytes INTEGER NOT NULL,
        PRIMARY KEY (family, type)
    ) WITHOUT ROWID;";

/// Why a view that was there was thrown away, to be folded again from the log's beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restart {
    /// It is of another log.
    OtherLog,
    /// Another version of Tachograph wrote it.
    OtherVersion,
    Damaged,
}

/// Opens the view of the log `log_id` in `folder`; makes both where they are missing. A view that is not of this
/// log and this version, or is damaged, is thrown away: it is only a fold. [`Writer::restart`] tells why.
///
/// One writer at a time: the caller holds the lock of the data folder.
pub fn open(folder: &Path, log_id: [u8; 16]) -> Result<(Writer, Reader), ViewError> {
    let failed = |source| ViewError::File { path: folder.to_owned(), source };
    std::fs::create_dir_all(folder).map_err(failed)?;
    let file = folder.join(FILE_NAME);
    let restart = if file.try_exists().map_err(failed)? {
        match open_existing(&file, log_id) {
            Ok(Ok(writer)) => return Ok(with_reader(writer, &file)),
            Ok(Err(restart)) => Some(restart),
            Err(error) if error.is_damage() => Some(Restart::Damaged),
            Err(error) => return Err(error),
        }
    } else {
        None
    };
    remove(&file)?;
    let database = connect(&file)?;
    create(&database, log_id)?;
    Ok(with_reader(Writer::new(database, restart)?, &file))
}

fn with_reader(writer: Writer, file: &Path) -> (Writer, Reader) {
    let reader = Reader::new(file, Arc::<AtomicU64>::clone(writer.published()));
    (writer, reader)
}

fn open_existing(file: &Path, log_id: [u8; 16]) -> Result<Result<Writer, Restart>, ViewError> {
    let database = connect(file)?;
    let number = |name| database.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    if number("application_id")? != APPLICATION_ID || number("user_version")? != SCHEMA_VERSION {
        return Ok(Err(Restart::OtherVersion));
    }
    let of_log: Option<Vec<u8>> =
        database.query_row("SELECT log_id FROM head", [], |row| row.get(0)).optional()?;
    match of_log {
        Some(id) if id == log_id => Writer::new(database, None).map(Ok),
        Some(_) => Ok(Err(Restart::OtherLog)),
        None => Ok(Err(Restart::Damaged)),
    }
}

fn create(database: &Connection, log_id: [u8; 16]) -> Result<(), ViewError> {
    let transaction = database.unchecked_transaction()?;
    transaction.execute_batch(TABLES)?;
    transaction.execute_batch(kpi::TABLES)?;
    transaction.execute_batch(letters::TABLES)?;
    transaction.execute_batch(heals::TABLES)?;
    transaction.execute("INSERT INTO head (log_id, position) VALUES (?1, 0)", [&log_id[..]])?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    // Last: without it, what a crash left behind is of no known version.
    transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
    transaction.commit()?;
    Ok(())
}

fn connect(file: &Path) -> Result<Connection, ViewError> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let database = Connection::open_with_flags(file, flags)?;
    database.busy_timeout(BUSY_TIMEOUT)?;
    database.pragma_update(None, "journal_mode", "WAL")?;
    // Derived data: a crash of the machine may cost the last transactions, never the file's consistency.
    database.pragma_update(None, "synchronous", "NORMAL")?;
    database.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    database.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_FRAMES)?;
    database.pragma_update(None, "journal_size_limit", WAL_LIMIT_BYTES)?;
    database.set_prepared_statement_cache_capacity(64);
    Ok(database)
}

pub(crate) fn connect_for_reading(file: &Path) -> Result<Connection, ViewError> {
    // Not read-only: in WAL mode a reader may have to make the shared memory file.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let database = Connection::open_with_flags(file, flags)?;
    database.busy_timeout(BUSY_TIMEOUT)?;
    database.pragma_update(None, "query_only", true)?;
    database.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
    database.pragma_update(None, "wal_autocheckpoint", 0)?;
    database.set_prepared_statement_cache_capacity(32);
    Ok(database)
}

pub(crate) fn remove(file: &Path) -> Result<(), ViewError> {
    for suffix in ["", "-wal", "-shm"] {
        let mut name = file.as_os_str().to_owned();
        name.push(suffix);
        match std::fs::remove_file(&name) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(ViewError::File { path: name.into(), source: error });
            }
            _ => {}
        }
    }
    Ok(())
}
