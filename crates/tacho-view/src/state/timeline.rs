//! What happened last, in the order of time.

use super::step::Step;
use super::{Projection, State};
use serde_json::json;

/// Most entries that are kept, the latest; the stream has all.
const MAX_ENTRIES: usize = 500;

pub static PROJECTION: Projection = Projection {
    name: "timeline",
    category: None,
    version: 1,
    meaning: "How many events of which type, and the last 500 of them in the order of their times.",
    reads: &["*"],
    empty: || json!({"events": 0, "types": {}, "entries": []}),
    apply,
};

fn apply(state: &mut State, step: &Step<'_>) {
    if step.event.is_bookkeeping() {
        return;
    }
    state.field("events").count_up();
    state.field("types").field(step.kind()).count_up();
    let timestamp = step.time();
    let entry = json!({
        "timestamp": timestamp,
        "event_type": step.kind(),
        "actor": step.attribute("actorid"),
        "summary": tacho_event::summary(step.event),
    });
    let late = |known: &serde_json::Value| {
        let (known, new) = (known["timestamp"].as_str(), timestamp.as_str());
        known > new
    };
    let place = match state.field("entries").find_last(|known| !late(known)) {
        Some(index) => index + 1,
        None => 0,
    };
    state.field("entries").insert(place, entry);
    if state.field("entries").count() > MAX_ENTRIES {
        state.field("entries").item(0).remove();
    }
}
