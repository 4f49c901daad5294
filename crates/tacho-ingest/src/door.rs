//! What every door has in common: the redactor, the limits, and what is added to an event at last.

use crate::redact::Redactor;
use crate::shape::Shaped;
use crate::{Limits, Refusal, marker};
use std::borrow::Cow;
use tacho_event::trace::{derived_span_id, derived_trace_id};
use tacho_event::{Event, EventError, Sameness, TraceContext, stream};

/// The producer of an event that names none.
pub const DEFAULT_SOURCE: &str = "/api";

/// What is configured for everything that comes in.
pub struct Door<'a> {
    pub redactor: &'a Redactor,
    pub limits: Limits,
    pub markers: marker::Policy,
    /// Whether events follow from what agents run: commits, pull requests, runs of tests, checks of quality.
    pub derives: bool,
}

impl<'a> Door<'a> {
    pub fn new(redactor: &'a Redactor) -> Self {
        Self { redactor, limits: Limits::default(), markers: marker::Policy::default(), derives: true }
    }
}

/// What the caller of a pure function knows and the function cannot: the moment, and fresh ids.
pub(crate) struct Moment<'m, 'id> {
    /// The time of arrival as a JSON string.
    pub now: &'m [u8],
    pub new_id: &'id mut dyn FnMut() -> String,
    /// Whether the first event of an id wins whatever the content, as for everything that is imported.
    pub first_wins: bool,
    /// The last session and its trace: a batch is mostly of one session.
    pub trace: Option<(String, [u8; 16])>,
}

impl Moment<'_, '_> {
    fn trace(&mut self, session: &str, part: &str) -> TraceContext {
        let trace_id = match &self.trace {
            Some((known, trace_id)) if known == session => *trace_id,
            _ => {
                let trace_id = derived_trace_id(session);
                self.trace = Some((session.to_owned(), trace_id));
                trace_id
            }
        };
        TraceContext { trace_id, span_id: derived_span_id(session, part), flags: 1 }
    }
}

/// Adds what the producer left out, in this order: the digest is of what was sent alone.
pub(crate) fn complete<'e, 'm: 'e>(
    shaped: Shaped<'e>,
    limits: &Limits,
    moment: &mut Moment<'m, '_>,
) -> Result<Event, Refusal> {
    let Shaped { mut draft, id, source, stream } = shaped;
    let sameness = if moment.first_wins { Sameness::FirstWins } else { draft.content() };
    draft.id = id.unwrap_or_else(|| Cow::Owned((moment.new_id)()));
    draft.source = source.unwrap_or(Cow::Borrowed(DEFAULT_SOURCE));
    if draft.attribute("time").is_none() {
        draft.put("time", moment.now);
    }
    if draft.attribute("traceparent").is_none()
        && let Some(context) = draft.text("sessionid").map(|session| moment.trace(&session, &draft.id))
    {
        draft.put_text("traceparent", &context.to_traceparent());
    }
    if draft.subject.is_none() {
        draft.subject = Some(stream.unwrap_or_else(|| stream::of_source(&draft.source)).into());
    }
    let event = draft.finish(sameness)?;
    within(&event, limits)?;
    if event.is_reserved() {
        let name = if event.kind().starts_with("tacho.") { event.kind() } else { event.stream() };
        return Err(EventError::Reserved(name.to_owned()).into());
    }
    Ok(event)
}

pub(crate) fn within(event: &Event, limits: &Limits) -> Result<(), EventError> {
    let (actual, limit) = (event.bytes().len(), limits.event_bytes);
    if actual > limit { Err(EventError::TooLarge { actual, limit }) } else { Ok(()) }
}
