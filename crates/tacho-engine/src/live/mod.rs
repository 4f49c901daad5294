//! Live events: one thread reads each new event once and hands it to every subscriber that wants it.

mod hub;
mod phase;
mod sieve;
mod subscription;

pub(crate) use hub::Hub;
pub(crate) use phase::{Lookup, Phases};
pub use subscription::{Item, Subscription};

use bytes::Bytes;
use std::sync::OnceLock;
use tacho_event::{Position, Recorded};

/// Where a subscription begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum From {
    /// Behind the last durable event.
    #[default]
    Head,
    /// With the first event of the log.
    Start,
    /// Behind a position.
    After(Position),
}

/// An event on its way to subscribers, who share it and its rendered form.
#[derive(Debug)]
pub struct LiveEvent {
    pub recorded: Recorded,
    cloudevent: OnceLock<Bytes>,
}

impl LiveEvent {
    pub(crate) fn new(recorded: Recorded) -> Self {
        Self { recorded, cloudevent: OnceLock::new() }
    }

    /// CloudEvents structured JSON, rendered once for all subscribers.
    pub fn cloudevent(&self) -> &Bytes {
        self.cloudevent.get_or_init(|| self.recorded.to_cloudevent().into())
    }
}
