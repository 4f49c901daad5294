//! Handlers: what answers events. Where a sink takes the log in its order, a handler takes it in many lanes at once.

mod definition;
mod key;
mod policy;

pub use definition::Definition;
pub use key::Key;
pub use policy::{Backoff, Batch, Breaker, Dedupe, DedupeBy, Order, PerKey, Policy, Priority, Rate, Retry};
