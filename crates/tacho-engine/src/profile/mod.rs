//! Where the time and the money of a stream went.
//!
//! Nothing is kept of it: it is folded from the stream's events when it is asked for, and from the requests to models
//! that the read side knows of its sessions. A session's hooks alone are enough; telemetry adds requests and money.

mod fold;
mod hooks;
mod path;
mod records;
mod share;
mod span;
mod stack;
mod words;

pub use path::{PathStep, StepKind};
pub use share::TimeShares;
pub use span::{ProfileSpan, SpanKind};

use crate::engine::Engine;
use crate::error::QueryError;
use crate::query::Wait;
use crate::rewind::each_of_stream;
use fold::Fold;
use std::collections::BTreeMap;
use tacho_event::Timestamp;
use tacho_view::NanoUsd;

/// Most events of the stream that are folded, the first ones.
pub const PROFILE_EVENTS_MAX: usize = 100_000;
/// Most requests to models of one session that are looked at.
const REQUESTS_MAX: usize = 100_000;
/// Most sessions that are looked up for one stream.
const SESSIONS_MAX: usize = 100;

#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    pub stream: String,
    /// Of its first and its last event, by `time`.
    pub from: Timestamp,
    pub until: Timestamp,
    /// Events that were folded.
    pub events: usize,
    /// Whether the stream has more than [`PROFILE_EVENTS_MAX`].
    pub truncated: bool,
    pub time: TimeShares,
    /// `None` where nothing told of a cost.
    pub cost: Option<NanoUsd>,
    /// The dearest first, then those that took longest.
    pub by_model: Vec<ModelTime>,
    /// Those that took longest first.
    pub by_tool: Vec<ToolTime>,
    pub by_agent: Vec<AgentTime>,
    /// In the order of time.
    pub critical_path: Vec<PathStep>,
    /// Parents before their children.
    pub spans: Vec<ProfileSpan>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ModelTime {
    pub name: String,
    pub requests: u64,
    pub duration_ns: i64,
    pub cost: Option<NanoUsd>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ToolTime {
    pub name: String,
    pub calls: u64,
    pub failures: u64,
    pub duration_ns: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AgentTime {
    pub name: String,
    /// Of all its turns or tasks together.
    pub duration_ns: i64,
    pub cost: Option<NanoUsd>,
    /// Of tools.
    pub calls: u64,
}

impl Profile {
    /// From the first event to the last, in nanoseconds.
    pub fn wall_ns(&self) -> i64 {
        self.until.0.saturating_sub(self.from.0)
    }

    /// Nanoseconds by stack, the names of its frames joined by `;`.
    pub fn stacks(&self) -> BTreeMap<String, i64> {
        stack::stacks(&self.spans)
    }
}

impl Engine {
    /// Where the time and the money of a stream went.
    pub async fn profile(&self, stream: &str, wait: Wait) -> Result<Profile, QueryError> {
        self.wait(wait).await?;
        let stream = stream.to_owned();
        self.on_a_thread(move |shared| {
            let mut fold = Fold::new(&stream);
            let truncated = each_of_stream(shared, &stream, PROFILE_EVENTS_MAX, |event| {
                fold.add(&event);
                true
            })?;
            let reader = shared.fold.reader();
            for session in fold.sessions().into_iter().take(SESSIONS_MAX) {
                let requests = reader.requests_of(&session, fold.span(), REQUESTS_MAX)?;
                requests.iter().for_each(|request| fold.spend(request));
            }
            Ok(fold.finish(truncated))
        })
        .await
    }
}
