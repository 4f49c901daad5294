//! Streams as they were: the state at any moment, what changed, what would have been.
//!
//! Nothing here writes to the log. A state is folded from the stream's events, from the last snapshot that serves the
//! moment; what is supposed is folded beside it and thrown away.

mod compare;
mod folding;
mod history;
mod moment;
mod overview;
mod projection;
mod reading;
mod replay;
mod snapshot;
mod state;
mod suppose;

pub use compare::{Comparison, Divergence, DivergenceQuery, Run, Why};
pub use history::{Break, BreakQuery, Entry, History, HistoryQuery, PartChange};
pub use moment::{Moment, Place};
pub use overview::{Band, Bucket, Overview};
pub use projection::{Program, ProjectionInfo};
pub(crate) use reading::each_of_stream;
pub use replay::{Plan, PlannedEvent, ReplayQuery, Verdict};
pub(crate) use snapshot::collect;
pub use state::{Around, StateAt, StateQuery, Surrounding};
pub use suppose::{AddedEvent, Supposed, Supposition};
