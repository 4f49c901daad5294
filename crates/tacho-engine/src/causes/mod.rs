//! What led to an event, and what it led to.
//!
//! An edge is what an event says itself (`causationid`); where it says nothing, what its trace shows ([`lineage`]).
//! Events that only share a correlation are told when they are asked for.

mod lineage;
mod walk;

use crate::engine::Engine;
use crate::error::QueryError;
use crate::query::Wait;
use std::time::{Duration, Instant};
use tacho_event::{Position, Recorded};
use walk::Walk;

pub(crate) use walk::ancestors;

/// Most steps up, and as many down.
pub const MAX_CAUSES_DEPTH: usize = 100;
/// Most events of an answer.
pub const MAX_CAUSES_NODES: usize = 1_000;

#[derive(Debug, Clone)]
pub struct CausesQuery {
    pub id: String,
    /// Tells events of several sources apart.
    pub source: Option<String>,
    /// Cut to [`MAX_CAUSES_DEPTH`].
    pub depth: usize,
    /// Whether events that only share its correlation are meant too.
    pub correlated: bool,
}

/// How an event stands to the one that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    Cause,
    Asked,
    Effect,
    Correlated,
}

/// What says that one event led to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EdgeKind {
    /// The effect names its cause.
    Causation,
    /// Their trace shows it.
    Trace,
    /// Nothing but that they belong together.
    Correlation,
    /// They stand in the same story, one behind the other; only an explanation of a failure says so.
    Inferred,
}

#[derive(Debug, Clone)]
pub struct CauseNode {
    pub event: Recorded,
    pub relation: Relation,
    /// Steps from the asked event: negative for causes, positive for effects.
    pub depth: i32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CauseEdge {
    pub from: Position,
    pub to: Position,
    pub kind: EdgeKind,
}

#[derive(Debug, Clone)]
pub struct Causes {
    pub asked: Recorded,
    /// In the order of the log.
    pub nodes: Vec<CauseNode>,
    /// By the position of the cause, then of the effect.
    pub edges: Vec<CauseEdge>,
    /// Whether a limit ended the search before everything was found.
    pub truncated: bool,
}

impl Relation {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cause => "cause",
            Self::Asked => "self",
            Self::Effect => "effect",
            Self::Correlated => "correlated",
        }
    }
}

impl EdgeKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Causation => "causation",
            Self::Trace => "trace",
            Self::Correlation => "correlation",
            Self::Inferred => "inferred",
        }
    }
}

impl Engine {
    /// The causes and the effects of an event. Ends early, and says so, at [`MAX_CAUSES_NODES`], at the bytes of a
    /// page, and after as long as a query may wait.
    pub async fn causes(&self, query: CausesQuery, wait: Wait) -> Result<Causes, QueryError> {
        self.wait(wait).await?;
        let asked = self.event(&query.id, query.source.as_deref(), Wait::No).await?;
        self.on_a_thread(move |shared| {
            let patience = Duration::from_millis(shared.config.query.wait_ms);
            Walk::new(shared, Instant::now() + patience).run(asked, &query)
        })
        .await
    }
}
