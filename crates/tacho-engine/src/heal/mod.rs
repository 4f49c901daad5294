//! The healer: tries to put right what handlers and sinks gave up on.
//!
//! [`decide`](decide::decide) says, of a dead letter and what was tried about its event, which rule is to try what, and
//! when. [`healer`] does it, on a thread of its own. Every attempt is an event, so a restart keeps what was tried and
//! repeats nothing. A letter that dies again is a new one; what was tried counts for the event that stands behind both.

mod answer;
mod case;
mod decide;
mod deed;
mod healer;
mod outcome;
mod record;
mod rule;
mod service;

pub use rule::{Action, On, Rule};
pub(crate) use service::Healing;

/// Who writes everything that tells of healing.
pub(crate) const SOURCE: &str = "/tacho/heal";
/// Most handlers of the kind [`Action::Agent`] that are asked at once.
const AGENTS: usize = 4;
/// Most letters whose attempt is not due yet; more are looked at when there is room.
const WAITING: usize = 10_000;
/// Letters and attempts that are looked at in one step.
const PIECE: usize = 200;
