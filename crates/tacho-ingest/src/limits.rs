//! How much a door takes in.

use tacho_event::{MAX_EVENT_BYTES, json};

/// What happens above each limit is written beside it; a refused request stores nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest event, in bytes of its names and its body. Above it: `event_too_large`; a hook's payload has
    /// its longest strings cut instead.
    pub event_bytes: usize,
    /// Most events in one request. Above it: `batch_too_large`.
    pub batch_events: usize,
    /// Longest request body, in bytes. Above it: `batch_too_large`.
    pub batch_bytes: usize,
    /// How deep arrays and objects may nest, the event itself included. Above it: `too_deep`.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            event_bytes: MAX_EVENT_BYTES,
            batch_events: 1000,
            batch_bytes: 4 * 1024 * 1024,
            depth: json::DEFAULT_DEPTH,
        }
    }
}
