//! What events that go out together are called.

use tacho_event::{Recorded, derived_id};

/// The same for the same events, so that a receiver recognises what came before.
pub(crate) fn name_of(events: &[Recorded]) -> String {
    let parts: Vec<&str> = events.iter().flat_map(|event| [event.source(), event.id()]).collect();
    derived_id("delivery", &parts)
}
