//! Delivery: how what is on the log reaches the outside.
//!
//! One kernel serves every handler; a sink is a handler that returns nothing. Each handler follows the log by
//! position behind a cursor that is itself on the log (`tacho.sys.progress` on the stream `handler/<name>`), so
//! neither a crash nor the loss of the read side loses anything, and nobody who appends ever waits for it. What
//! is delivered is delivered at least once, in the order of the log.

mod dead_letter;
mod deliver;
mod letter;
mod policy;
mod progress;
mod rate;
mod runner;
mod selection;
mod service;
#[cfg(test)]
mod simulation;
mod status;
mod waiting;

pub use dead_letter::{DeadLetter, DeadLetterPage, LetterDeed, LetterError};
pub use deliver::{Deliver, Delivered, Delivery, Failure, Returned, Verdict, Workers};
pub use policy::{BatchLimits, Policy, ProgressLimits, Retry, Start};
pub use service::{Handler, HandlerError, check_name};
pub use status::{HandlerState, HandlerStatus, Role, WorkerCount};

pub(crate) use letter::{cut, letter_id, stream as letter_stream};
pub(crate) use rate::Rate;
pub(crate) use runner::guarded;
pub(crate) use selection::Selection;
pub(crate) use service::Deliveries;

/// The type of the event that holds a handler's cursor.
pub const PROGRESS: &str = "tacho.sys.progress";
/// The type of the event that tells what could not be delivered.
pub const DEAD_LETTER: &str = "tacho.dead_letter";
