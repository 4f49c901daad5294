//! What events that go out together are called.

use sha2::{Digest, Sha256};
use tacho_event::Recorded;

/// The same for the same events, so that a receiver recognises what came before.
pub(crate) fn name_of(events: &[Recorded]) -> String {
    let mut hash = Sha256::new();
    for part in events.iter().flat_map(|event| [event.source(), event.id()]) {
        hash.update((part.len() as u32).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize()[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}
