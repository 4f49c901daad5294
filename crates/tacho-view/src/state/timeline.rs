//! What happened last, in the order of time.

use super::step::Step;
use super::{Projection, State};
use serde_json::{Value, json};
use std::collections::VecDeque;
use tacho_event::Recorded;

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
    apply_all: Some(apply_all),
};

fn apply(state: &mut State, step: &Step<'_>) {
    if step.event.is_bookkeeping() {
        return;
    }
    state.field("events").count_up();
    state.field("types").field(step.kind()).count_up();
    let timestamp = step.event.time().to_rfc3339();
    let place = match state.field("entries").find_last(|known| !is_later(known, &timestamp)) {
        Some(index) => index + 1,
        None => 0,
    };
    let entry = entry(step, timestamp);
    state.field("entries").insert(place, entry);
    if state.field("entries").count() > MAX_ENTRIES {
        state.field("entries").item(0).remove();
    }
}

fn entry(step: &Step<'_>, timestamp: String) -> Value {
    json!({
        "timestamp": timestamp,
        "event_type": step.kind(),
        "actor": step.attribute("actorid"),
        "summary": tacho_event::summary(step.event),
    })
}

fn is_later(entry: &Value, timestamp: &str) -> bool {
    entry["timestamp"].as_str() > Some(timestamp)
}

/// An entry that is kept for now: it is written when it stays.
enum Kept<'e> {
    Known(Value),
    New(&'e Recorded, String),
}

impl Kept<'_> {
    fn is_later(&self, timestamp: &str) -> bool {
        match self {
            Self::Known(entry) => is_later(entry, timestamp),
            Self::New(_, own) => own.as_str() > timestamp,
        }
    }
}

/// Gives what [`apply`] gives, event by event; but an entry that others push out is never written.
fn apply_all(state: &mut Value, events: &[Recorded]) {
    let known = state["entries"].as_array_mut().map(std::mem::take).unwrap_or_default();
    let mut entries: VecDeque<Kept<'_>> = known.into_iter().map(Kept::Known).collect();
    let mut types: Vec<(&str, u64)> = Vec::new();
    let mut told = 0;
    for event in events.iter().filter(|event| !event.is_bookkeeping()) {
        told += 1;
        match types.iter_mut().find(|(kind, _)| *kind == event.kind()) {
            Some((_, count)) => *count += 1,
            None => types.push((event.kind(), 1)),
        }
        let timestamp = event.time().to_rfc3339();
        let later = entries.iter().rev().take_while(|kept| kept.is_later(&timestamp)).count();
        entries.insert(entries.len() - later, Kept::New(event, timestamp));
        if entries.len() > MAX_ENTRIES {
            entries.pop_front();
        }
    }
    let entries = entries.into_iter().map(|kept| match kept {
        Kept::Known(entry) => entry,
        Kept::New(event, timestamp) => entry(&Step::new(event), timestamp),
    });
    state["entries"] = entries.collect();
    count(&mut state["events"], told);
    for (kind, more) in types {
        count(&mut state["types"][kind], more);
    }
}

fn count(number: &mut Value, more: u64) {
    if more > 0 {
        *number = (number.as_u64().unwrap_or(0) + more).into();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::State;
    use tacho_event::{Draft, Position, Sameness, Sequence, Timestamp};

    fn event(n: u64) -> Recorded {
        let kind = ["demo.a", "demo.b", "tacho.sys.progress"][(n % 7 % 3) as usize];
        let mut draft = Draft::new(kind, "/t", n.to_string());
        draft.subject = Some("task/x".into());
        // Times that go back and forth, and come twice.
        let time = Timestamp(1_790_000_000_000_000_000 + ((n * 7_919) % 613) as i64 * 500_000_000);
        draft.put_text("time", &time.to_rfc3339());
        draft.set_data(format!("{{\"message\":\"event {n}\"}}").into_bytes());
        let event = draft.finish(Sameness::FirstWins).unwrap();
        Recorded::new(Position(n), Sequence(n), Timestamp(0), event.bytes().to_vec().into()).unwrap()
    }

    #[test]
    fn pieces_of_any_length_give_the_same() {
        let events: Vec<Recorded> = (1..=2_000).map(event).collect();
        let mut one_by_one = State::new(PROJECTION.empty());
        events.iter().for_each(|event| PROJECTION.apply(&mut one_by_one, event));
        for length in [2, 3, 100, 501, 2_000] {
            let mut in_pieces = State::new(PROJECTION.empty());
            events.chunks(length).for_each(|events| PROJECTION.apply_all(&mut in_pieces, events));
            let text = |state: &State| serde_json::to_string(state.value()).unwrap();
            assert_eq!(text(&in_pieces), text(&one_by_one), "{length}");
        }
    }
}
