//! Makes things happen: append, live fan-out, delivery, the fold, queries at the durable head, the spool's service.
//!
//! Async begins here. Below, the journal's writer and the view's writer each own a thread; here they get
//! one cloneable handle, [`Engine`], through which every door reads and writes.

mod causes;
mod clock;
pub mod condition;
mod config;
mod cursor;
pub mod delivery;
mod engine;
mod error;
mod figures;
mod fold;
pub mod handler;
pub mod heal;
mod health;
mod hook;
mod id;
mod latency;
mod live;
mod log;
pub mod memory;
mod priority;
mod profile;
mod query;
pub mod registry;
mod rewind;
mod schema;
pub mod socket;
mod transcript;
mod waits;
mod watch;
mod why;

pub use causes::{
    CauseEdge, CauseNode, Causes, CausesQuery, EdgeKind, MAX_CAUSES_DEPTH, MAX_CAUSES_NODES, Relation,
};
pub use clock::{Clock, SystemClock};
pub use condition::ConditionError;
pub use config::{
    ConditionLimits, Config, DeliveryLimits, FoldLimits, HookLimits, LiveLimits, QueryLimits, RewindLimits,
};
pub use cursor::Cursor;
pub use engine::Engine;
pub use error::{OpenError, QueryError, SubscribeError, WatchError};
pub use figures::{Figures, MAX_TREND_DAYS};
pub use health::{Readiness, Statistics};
pub use hook::{DrainError, HookService, ParseFrame, ParseTranscript, Parsers, Redact, TranscriptPath};
pub use latency::Latency;
pub use live::{From, Item, LiveEvent, Subscription};
pub use profile::{
    AgentTime, ModelTime, PROFILE_EVENTS_MAX, PathStep, Profile, ProfileSpan, SpanKind, StepKind, TimeShares,
    ToolTime,
};
pub use query::{Page, Query, Wait};
pub use rewind::{
    AddedEvent, Around, Band, Break, BreakQuery, Bucket, Comparison, Divergence, DivergenceQuery, Entry,
    History, HistoryQuery, Moment, Overview, PartChange, Place, Plan, PlannedEvent, Program, ProjectionInfo,
    ReplayQuery, Run, StateAt, StateQuery, Supposed, Supposition, Surrounding, Verdict, Why,
};
pub use schema::{SchemaError, SchemaReceipt};
pub use tacho_journal::spool::{self, HookFrame, MAX_FRAME_BYTES};
pub use tacho_journal::{AppendError, Appended, Health, JournalError, LogId, Precondition, Receipt};
pub use tacho_view::state::difference::Leaf;
pub use tacho_view::state::{Change, Op};
pub use tacho_view::{
    AGENT_FIGURES, AgentFigure, CostQuery, CostRow, Costs, Dimension, FIGURES, Figure, Heal, HealState, Keep,
    Letter, LetterCause, LetterQuery, LetterState, Metrics, MetricsQuery, ModelUse, NanoUsd, StoredSnapshot,
    StreamQuery, StreamState, Tokens, Traffic,
};
pub use waits::{Deed, WaitKind, WaitState, Waiting};
pub use watch::{
    Action, Budgets, Condition, ConditionSyntaxError, Price, PriceError, Prices, Rule, RuleState, WatchLimits,
};
pub use why::{Explanation, Link, Outcome, Recovery, WHY_EVENTS_MAX, WhyUntil};
