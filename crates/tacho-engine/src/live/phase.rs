//! The phase that each stream is in, as a subscription that filters by phase sees it.

use std::collections::HashMap;
use tacho_event::{Recorded, json, payload_phase};

/// Streams whose phase is remembered; beyond, the memory starts anew.
const MAX_STREAMS: usize = 10_000;

/// Asks the read side for the phase of a stream.
pub(crate) type Lookup = Box<dyn Fn(&str) -> Option<String> + Send + Sync>;

pub(crate) struct Phases {
    known: HashMap<String, Option<String>>,
    lookup: Lookup,
    /// Of the event that was asked for last.
    current: Option<String>,
}

impl Phases {
    pub(crate) fn new(lookup: Lookup) -> Self {
        Self { known: HashMap::new(), lookup, current: None }
    }

    /// Events were left out, and any of them may have changed a phase.
    pub(crate) fn forget(&mut self) {
        self.known.clear();
    }

    /// The phase that an event is in: the one that it names, else the one that its stream is in. What an event
    /// says of the phase that follows counts for those behind it.
    pub(crate) fn of(&mut self, event: &Recorded) -> Option<&str> {
        if self.known.len() >= MAX_STREAMS && !self.known.contains_key(event.stream()) {
            self.known.clear();
        }
        let lookup = &self.lookup;
        let known = self.known.entry(event.stream().to_owned()).or_insert_with(|| lookup(event.stream()));
        if let Some(named) = payload_phase(event) {
            *known = Some(named);
        }
        self.current.clone_from(known);
        if let Some(next) = next_phase(event) {
            *known = Some(next);
        }
        self.current.as_deref()
    }
}

/// The phase that the end of one leads to, by the same rule as the read side's.
fn next_phase(event: &Recorded) -> Option<String> {
    let next = json::member(event.data().filter(|_| event.kind() == "PhaseCompleted")?, "next_phase")?;
    (json::kind(next) == json::Kind::String).then(|| json::text(next).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tacho_event::{Draft, Position, Sameness, Sequence, Timestamp};

    fn event(kind: &str, data: &str) -> Recorded {
        let mut draft = Draft::new(kind, "/t", "1");
        draft.subject = Some("issue/a".into());
        draft.set_data(data.as_bytes());
        let event = draft.finish(Sameness::FirstWins).unwrap();
        Recorded::new(Position(1), Sequence(1), Timestamp(0), event.bytes().to_vec().into()).unwrap()
    }

    #[test]
    fn the_end_of_a_phase_leads_to_the_next_one() {
        let mut phases = Phases::new(Box::new(|_| None));
        let mut of = |kind: &str, data: &str| phases.of(&event(kind, data)).map(str::to_owned);
        assert_eq!(of("demo.a", "{}"), None);
        assert_eq!(of("PhaseStarted", r#"{"phase":"PLAN"}"#).as_deref(), Some("PLAN"));
        assert_eq!(of("PhaseCompleted", r#"{"phase":"PLAN","next_phase":"CODE"}"#).as_deref(), Some("PLAN"));
        assert_eq!(of("demo.a", "{}").as_deref(), Some("CODE"));
        assert_eq!(of("demo.a", r#"{"next_phase":"TEST"}"#).as_deref(), Some("CODE"));
        assert_eq!(of("demo.a", "{}").as_deref(), Some("CODE"));
    }
}
