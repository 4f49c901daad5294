use std::path::PathBuf;
use std::sync::Arc;
use tacho_event::{Position, Sequence};
use thiserror::Error;

/// Why a batch was not appended. Nothing of it is on the log.
#[derive(Debug, Clone, Error)]
pub enum AppendError {
    #[error("stream {stream:?} is at sequence {actual}, not at {expected}: read it again and decide anew")]
    SequenceConflict { stream: String, expected: Sequence, actual: Sequence },
    #[error(
        "an event with source {source_name:?} and id {id:?} is at position {position} with other content: give the new one another id"
    )]
    IdConflict { source_name: String, id: String, position: Position },
    #[error("the batch takes {actual} bytes on the log, the limit is {limit}: send it in parts")]
    TooLarge { actual: usize, limit: usize },
    #[error("the log's queue is full: try again in a moment")]
    QueueFull,
    #[error("the log is closed")]
    Closed,
    #[error("the disk is full: free space, then appends go on by themselves")]
    DiskFull,
    #[error("the log refuses appends since a write failed: {0}; restart to reopen it")]
    Poisoned(Arc<str>),
    #[error("the log could not be read: {0}")]
    Read(#[from] Arc<JournalError>),
}

/// Why the log cannot be opened or read.
#[derive(Debug, Error)]
pub enum JournalError {
    #[error("{path}: {source}")]
    Io { path: PathBuf, source: std::io::Error },
    #[error("{path} is held by {holder}: stop that one, or use another data folder")]
    Locked { path: PathBuf, holder: String },
    #[error("{path} has disk format {found}, this program reads up to {known}: use a newer tacho")]
    NewerFormat { path: PathBuf, found: u16, known: u16 },
    #[error("{path} is damaged at byte {offset}: {what}; restore a backup, or ask `tacho doctor`")]
    Damaged { path: PathBuf, offset: u64, what: String },
    #[error("{path} belongs to another log")]
    ForeignLog { path: PathBuf },
}
