//! The read side: an index in SQLite, folded from the log, and the queries on it.
//!
//! A fold: it reads nothing but the log, so that a view which is thrown away and folded again gives the
//! same answers. No clock, no task, no thread. It stores where things are, never the events themselves.
//!
//! The index is an inverted one. The log is cut into segments of 65,536 positions; a **run** holds, for a
//! stretch of one segment, every term that occurs there with the list of its positions. Every equality
//! filter, every glob and every word of full text is a term, so that any filter is a handful of look-ups
//! and set operations a run. Each fold writes a run; merging makes a few large ones of many small ones, until
//! a whole segment is one.

mod bits;
mod error;
mod facts;
mod fold;
mod gather;
mod heals;
mod kpi;
mod letters;
mod look_up;
mod merge;
mod open;
mod page;
mod plan;
mod policy;
mod postings;
mod reader;
mod run;
mod scan;
mod snapshots;
pub mod state;
mod streams;
mod term;
mod times;
mod traffic;
mod types;
mod writer;

pub use error::ViewError;
pub use heals::{Heal, HealState};
pub use kpi::{
    AGENT_FIGURES, AgentFigure, CostQuery, CostRow, Costs, Dimension, FIGURES, Figure, Metrics, MetricsQuery,
    ModelRequest, ModelUse, NanoUsd, Tokens, Unit,
};
pub use letters::{Letter, LetterCause, LetterQuery, LetterState};
pub use open::{FILE_NAME, Restart, open};
pub use reader::{Reader, Totals};
pub use scan::{Candidates, Scan};
pub use snapshots::{Bound, Keep, PackedSnapshot, Snapshot, SnapshotError, Snapshots, StoredSnapshot};
pub use streams::{StreamQuery, StreamState};
pub use traffic::Traffic;
pub use types::TypeCount;
pub use writer::Writer;
