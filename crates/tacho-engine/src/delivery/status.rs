//! What is told of a handler.

use crate::handler::{BreakerState, Paused};
use tacho_event::{Position, Timestamp};

/// Where a handler stands. What it was meant to get since its start, as far as the log was looked at, is
/// `done + pending + dead + skipped`.
#[derive(Debug, Clone, PartialEq)]
pub struct HandlerStatus {
    pub name: String,
    pub kind: &'static str,
    pub role: Role,
    pub state: HandlerState,
    /// Everything up to here is settled.
    pub position: Position,
    /// The log's last durable position.
    pub head: Position,
    /// Events that are meant and wait. All of those up to `head` when the handler is idle or waits for its next
    /// attempt; while it is busy, those that were found so far.
    pub pending: u64,
    /// How long the first event that waits has been on the log, in nanoseconds; 0 when none waits.
    pub lag_ns: i64,
    pub done: u64,
    pub dead: u64,
    pub skipped: u64,
    /// Events a second that were delivered, over about the last ten seconds.
    pub rate_per_second: f64,
    /// Attempts that failed and were followed by another one, since this process began.
    pub retried: u64,
    /// Attempts in a row that failed.
    pub attempt: u32,
    /// The last failure, in words, until something is delivered.
    pub last_error: Option<String>,
    pub next_attempt: Option<Timestamp>,
    /// Events that are being delivered now.
    pub in_flight: u64,
    /// Median and 99th percentile of the last deliveries, in milliseconds.
    pub latency_ms: Option<(f64, f64)>,
    /// Of the last deliveries, the part that went well.
    pub success_rate: Option<f64>,
    pub breaker: BreakerState,
    pub breaker_until: Option<Timestamp>,
    pub paused: Option<Paused>,
    pub workers: Option<WorkerCount>,
    /// The patterns of the types that it gets, and the types that it returned since this process began.
    pub types: Vec<String>,
    pub returns: Vec<String>,
    pub capabilities: Vec<String>,
    pub version: Option<String>,
}

/// What returns nothing is a sink.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Handler,
    Sink,
}

impl Role {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Handler => "handler",
            Self::Sink => "sink",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkerCount {
    pub alive: usize,
    pub busy: usize,
    pub most: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandlerState {
    Running,
    Paused,
    /// Several attempts in a row failed. It goes on trying.
    Broken,
}

impl HandlerState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Broken => "broken",
        }
    }
}
