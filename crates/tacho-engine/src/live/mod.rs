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

/// An event on its way to subscribers, who share it and its rendered forms.
#[derive(Debug)]
pub struct LiveEvent {
    pub recorded: Recorded,
    shapes: [OnceLock<Bytes>; LiveEvent::SHAPES],
}

impl LiveEvent {
    /// Shapes that an event may be rendered in.
    pub const SHAPES: usize = 5;
    /// The number of CloudEvents structured JSON among them.
    pub const CLOUDEVENT: usize = 0;

    pub(crate) fn new(recorded: Recorded) -> Self {
        Self { recorded, shapes: Default::default() }
    }

    /// CloudEvents structured JSON, rendered once for all subscribers.
    pub fn cloudevent(&self) -> &Bytes {
        self.in_shape(Self::CLOUDEVENT, Recorded::write_cloudevent)
    }

    /// The event in a shape, rendered once for all subscribers. Shapes are the caller's; it tells them apart by numbers
    /// below [`Self::SHAPES`].
    pub fn in_shape(&self, number: usize, render: impl FnOnce(&Recorded, &mut Vec<u8>)) -> &Bytes {
        self.shapes[number].get_or_init(|| {
            let mut out = Vec::new();
            render(&self.recorded, &mut out);
            out.into()
        })
    }
}
