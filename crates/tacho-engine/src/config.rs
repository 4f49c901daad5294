//! Every limit of the engine, with its unit.

use crate::rewind::Program;
use crate::watch::WatchLimits;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

#[derive(Debug, Clone)]
pub struct Config {
    /// The data folder; the log is in `journal`, the read side in `view`, the spool in `spool` below it.
    pub data: PathBuf,
    /// Passed to the journal; its `new_log_id` is replaced by a random one.
    pub journal: tacho_journal::Options,
    pub fold: FoldLimits,
    pub query: QueryLimits,
    pub live: LiveLimits,
    pub hook: HookLimits,
    /// What starts a process that evaluates conditions, as [`crate::condition::protocol`] says: the program
    /// and its arguments. `None` evaluates them in this process, where nothing can end them.
    pub condition_worker: Option<Vec<OsString>>,
    pub condition: ConditionLimits,
    pub watch: WatchLimits,
    pub delivery: DeliveryLimits,
    pub rewind: RewindLimits,
}

impl Config {
    /// The defaults, for a data folder.
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self {
            data: data.into(),
            journal: tacho_journal::Options::default(),
            fold: FoldLimits::default(),
            query: QueryLimits::default(),
            live: LiveLimits::default(),
            hook: HookLimits::default(),
            condition_worker: None,
            condition: ConditionLimits::default(),
            watch: WatchLimits::default(),
            delivery: DeliveryLimits::default(),
            rewind: RewindLimits::default(),
        }
    }
}

/// The follower that feeds the read side.
#[derive(Debug, Clone)]
pub struct FoldLimits {
    /// Events folded in one transaction.
    pub chunk_events: usize,
    /// Bytes of events folded in one transaction; bounds the memory of a fold that lags.
    pub chunk_bytes: usize,
    /// How long commits gather before they are folded when no query waits, in milliseconds.
    pub gather_ms: u64,
    /// When the log grows faster, the fold rests between transactions, for appends need the processor.
    pub burst_events_per_second: f64,
    /// That rest, in milliseconds; a query that waits ends it.
    pub burst_rest_ms: u64,
    /// How far behind the log, in events, the fold may fall by resting.
    pub burst_lag_events: u64,
    /// How long the log must rest before the read side is tidied, in milliseconds.
    pub idle_ms: u64,
    /// How far the fold steps back for appends: added to the niceness of its thread, 0 to 19.
    pub niceness: u8,
}

impl Default for FoldLimits {
    fn default() -> Self {
        Self {
            chunk_events: 5_000,
            chunk_bytes: 8 << 20,
            gather_ms: 20,
            burst_events_per_second: 120_000.0,
            burst_rest_ms: 250,
            burst_lag_events: 10_000_000,
            idle_ms: 250,
            niceness: 10,
        }
    }
}

#[derive(Debug, Clone)]
pub struct QueryLimits {
    /// How long a query waits for the read side to reach the log's head, in milliseconds.
    pub wait_ms: u64,
    /// How long a page scans before it answers with what it has, in milliseconds.
    pub scan_ms: u64,
    /// Most events of a page.
    pub page_events: usize,
    /// Bytes of events after which a page ends.
    pub page_bytes: usize,
    /// Queries that run at once; more wait.
    pub concurrent: usize,
}

impl Default for QueryLimits {
    fn default() -> Self {
        Self { wait_ms: 5_000, scan_ms: 20, page_events: 1_000, page_bytes: 16 << 20, concurrent: 4 }
    }
}

#[derive(Debug, Clone)]
pub struct LiveLimits {
    /// Subscribers at once; more are refused.
    pub subscribers: usize,
    /// Events that wait for one subscriber; beyond, it gets a gap.
    pub buffer_events: usize,
    /// Bytes of events that wait for one subscriber; beyond, it gets a gap.
    pub buffer_bytes: usize,
}

impl Default for LiveLimits {
    fn default() -> Self {
        Self { subscribers: 1_024, buffer_events: 8_192, buffer_bytes: 8 << 20 }
    }
}

/// The processes that evaluate conditions in jq.
#[derive(Debug, Clone)]
pub struct ConditionLimits {
    /// How long a batch of events may take, in milliseconds; beyond, the condition is refused.
    pub batch_ms: u64,
    /// How long a process may take to begin, in milliseconds.
    pub start_ms: u64,
    /// Address space of a process, in bytes; a condition that needs more is refused.
    pub memory_bytes: u64,
    /// Processes at once; more questions wait for their turn.
    pub workers: usize,
    /// How long a process waits for another question with its condition, in milliseconds.
    pub idle_ms: u64,
}

impl Default for ConditionLimits {
    fn default() -> Self {
        Self { batch_ms: 1_000, start_ms: 5_000, memory_bytes: 256 << 20, workers: 8, idle_ms: 5_000 }
    }
}

#[derive(Debug, Clone)]
pub struct HookLimits {
    /// How often the spool's size is looked at, in milliseconds.
    pub spool_poll_ms: u64,
    /// Largest spool that this process adds to, in bytes.
    pub spool_bytes: u64,
    /// Largest part of a transcript that is read, from its end, in bytes.
    pub transcript_bytes: u64,
    /// Transcripts that wait to be read; more are left unread.
    pub transcript_queue: usize,
    /// Folders below which transcripts are read, beside any `.claude/projects`.
    pub transcript_folders: Vec<PathBuf>,
}

impl Default for HookLimits {
    fn default() -> Self {
        Self {
            spool_poll_ms: 200,
            spool_bytes: tacho_journal::spool::DEFAULT_SPOOL_BYTES,
            transcript_bytes: 16 << 20,
            transcript_queue: 256,
            transcript_folders: Vec::new(),
        }
    }
}

/// All handlers together; each has a policy of its own.
#[derive(Debug, Clone)]
pub struct DeliveryLimits {
    /// How long a stop waits for handlers at work, in milliseconds. Beyond, what they were delivering comes
    /// again after the next start.
    pub stop_ms: u64,
}

impl Default for DeliveryLimits {
    fn default() -> Self {
        Self { stop_ms: 5_000 }
    }
}

/// States of the past.
#[derive(Debug, Clone)]
pub struct RewindLimits {
    /// Projections that users wrote.
    pub programs: Vec<Arc<Program>>,
    /// A snapshot is made every so many events of a stream; in a long one they stand further apart.
    pub snapshot_events: u64,
    /// How long a snapshot is kept, in days.
    pub snapshot_days: u64,
    /// Most bytes of snapshots; beyond, the oldest are dropped.
    pub snapshot_bytes: u64,
}

impl Default for RewindLimits {
    fn default() -> Self {
        Self { programs: Vec::new(), snapshot_events: 50, snapshot_days: 30, snapshot_bytes: 256 << 20 }
    }
}
