//! Handlers: what answers events. Where a sink takes the log in its order, a handler takes it in many lanes at once.
//!
//! [`core`] is one handler as a state: what waits, what is under way, what is settled. Everything that it must remember
//! is in the last event of its stream (`tacho.sys.progress` on `handler/<name>`), which goes to the log together with
//! what its deliveries returned, so that an answer is there once or not at all.

pub(crate) mod again;
mod breaker;
mod bucket;
mod choose;
mod chooser;
mod control;
mod core;
mod deed;
mod definition;
mod dispatcher;
mod feed;
mod finish;
mod key;
mod lanes;
mod ledger;
mod matcher;
mod minutes;
mod outbox;
mod policy;
mod pool;
mod progress;
mod reactions;
mod record;
mod replayed;
mod restore;
mod returned;
mod seen;
#[cfg(test)]
mod simulation;
mod slot;
mod status;
mod vitals;

pub use again::{LETTER_DISCARDED, LETTER_RETRIED};
pub use breaker::BreakerState;
pub use control::Asker;
pub use deed::{Deed, Outcome};
pub use definition::Definition;
pub use key::Key;
pub use policy::{Backoff, Batch, Breaker, Dedupe, DedupeBy, Order, PerKey, Policy, Priority, Rate, Retry};
pub use progress::Paused;
pub use reactions::{ControlError, Tested, Throughput};
pub use record::{BREAKER, DELIVERED, FAILED, PAUSED, RESUMED, RETRIED};
pub use replayed::{REPLAYED, Replay, ReplayError, ReplayOrder, ReplayOutcome};
pub use status::{Pending, PendingState, Status};

pub(crate) use again::{at as event_at, letter_of};
pub(crate) use progress::Progress;
pub(crate) use reactions::Reactions;
pub(crate) use returned::trace_of;
pub(crate) use vitals::Vitals;
