//! What the index needs of an event, read in one walk through its attributes.

use crate::term::bounded_phase;
use std::borrow::Cow;
use tacho_event::json::{self, Kind};
use tacho_event::{Recorded, Timestamp};

/// The one type whose payload names the phase that follows.
const PHASE_COMPLETED: &str = "PhaseCompleted";

#[derive(Default)]
pub(crate) struct Facts<'a> {
    pub session: Option<Cow<'a, str>>,
    pub actor_id: Option<Cow<'a, str>>,
    pub actor_type: Option<Cow<'a, str>>,
    pub correlation: Option<Cow<'a, str>>,
    /// The id of the event that caused it.
    pub causation: Option<Cow<'a, str>>,
    /// The trace id in the traceparent.
    pub trace: Option<Cow<'a, str>>,
    pub time: Timestamp,
    /// The phase that the payload names.
    pub phase: Option<Cow<'a, str>>,
    /// The phase that its stream is in behind it, where that is another one.
    pub next_phase: Option<Cow<'a, str>>,
}

impl<'a> Facts<'a> {
    pub(crate) fn read(event: &'a Recorded) -> Self {
        let mut facts = Self { time: event.recorded, ..Self::default() };
        for (name, value) in event.attributes() {
            let slot = match name {
                b"sessionid" => &mut facts.session,
                b"actorid" => &mut facts.actor_id,
                b"actortype" => &mut facts.actor_type,
                b"correlationid" => &mut facts.correlation,
                b"causationid" => &mut facts.causation,
                b"traceparent" => {
                    facts.trace = trace_id(json::text(value));
                    continue;
                }
                b"time" => {
                    facts.time = Timestamp::from_rfc3339(&json::text(value)).unwrap_or(event.recorded);
                    continue;
                }
                b"data" => {
                    facts.read_phases(event.kind(), value);
                    continue;
                }
                _ => continue,
            };
            *slot = Some(json::text(value));
        }
        facts
    }

    /// `phase` wins over `initial_phase`, even where it is no text: then the payload names none.
    fn read_phases(&mut self, kind: &str, data: &'a [u8]) {
        let (mut phase, mut initial, mut next) = (None, None, None);
        for (name, value) in json::members(data) {
            match name {
                b"phase" if phase.is_none() => phase = Some(value),
                b"initial_phase" if initial.is_none() => initial = Some(value),
                b"next_phase" if next.is_none() => next = Some(value),
                _ => {}
            }
        }
        self.phase = phase.or(initial).and_then(phase_name);
        if kind == PHASE_COMPLETED {
            self.next_phase = next.and_then(phase_name);
        }
    }
}

fn phase_name(value: &[u8]) -> Option<Cow<'_, str>> {
    (json::kind(value) == Kind::String).then(|| bounded_phase(json::text(value)))
}

fn trace_id(traceparent: Cow<'_, str>) -> Option<Cow<'_, str>> {
    match traceparent {
        Cow::Borrowed(text) => text.get(3..35).map(Cow::Borrowed),
        Cow::Owned(text) => text.get(3..35).map(|id| Cow::Owned(id.to_owned())),
    }
}
