use tacho_event::Position;
use tacho_journal::Health;

/// Whether the engine answers as it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readiness {
    /// The read side has folded the head that was found at start and follows the log, which accepts appends.
    pub ready: bool,
    /// Why not, in words.
    pub reason: Option<String>,
    pub log: Health,
    /// The last durable position.
    pub head: Position,
    /// The last position that answers include.
    pub view: Position,
}

/// Numbers of a running engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Statistics {
    pub head: Position,
    pub view: Position,
    /// Events appended by this process, duplicates left out.
    pub appended: u64,
    /// Bytes that wait in the spool.
    pub spool_bytes: u64,
    /// Hook frames that the full spool dropped and this process told of.
    pub spool_dropped: u64,
    /// Hook frames that were read but refused.
    pub hook_refused: u64,
    pub subscribers: usize,
    /// Gaps told to slow subscribers.
    pub gaps: u64,
    pub segments: u64,
    pub sealed_segments: u64,
    /// Bytes of the log on disk, preallocated space included.
    pub log_bytes: u64,
    /// Bytes of the read side on disk.
    pub view_bytes: u64,
}
