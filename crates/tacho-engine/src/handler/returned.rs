//! What a handler returned, as events that may be appended.

use crate::delivery::{Failure, Returned};
use sha2::{Digest, Sha256};
use tacho_event::{
    Draft, Event, EventError, MAX_EVENT_BYTES, Recorded, Sameness, Timestamp, TraceContext, derived_id, json,
};

/// Most events of an answer, and most bytes of them.
const MAX_EVENTS: usize = 500;
const MAX_BYTES: usize = 2 << 20;
/// Deepest payload.
const MAX_DEPTH: usize = 100;
/// What is the kernel's to say, and is passed over where a handler says it.
const OWN: [&str; 8] =
    ["specversion", "id", "source", "type", "subject", "sequence", "position", "recordedtime"];

/// The events of an answer: with an id of their own that follows from the delivery's key, with their cause, and in its
/// trace.
pub(crate) fn events(
    handler: &str,
    key: &str,
    causes: &[&Recorded],
    returned: &[Returned],
    now: Timestamp,
) -> Result<Vec<Event>, Failure> {
    let bytes: usize = returned.iter().map(|returned| returned.0.len()).sum();
    if returned.len() > MAX_EVENTS || bytes > MAX_BYTES {
        let count = returned.len();
        let limits = format!("at most {MAX_EVENTS} events and {MAX_BYTES} bytes may be returned at once");
        return Err(Failure::reject(
            "too_much_returned",
            format!("{count} events of {bytes} bytes: {limits}"),
        ));
    }
    let one = |(index, returned): (usize, &Returned)| {
        event(handler, key, index, causes, &returned.0, now).map_err(|(code, reason)| {
            Failure::reject(code, format!("returned event {}: {reason}", index + 1))
        })
    };
    returned.iter().enumerate().map(one).collect()
}

type Refusal = (&'static str, String);

fn event(
    handler: &str,
    key: &str,
    index: usize,
    causes: &[&Recorded],
    text: &[u8],
    now: Timestamp,
) -> Result<Event, Refusal> {
    let refuse = |reason: String| ("bad_event", reason);
    let mut minified = Vec::with_capacity(text.len());
    json::minify(text, MAX_DEPTH, &mut minified).map_err(|error| refuse(error.to_string()))?;
    if json::kind(&minified) != json::Kind::Object {
        return Err(refuse("it is no JSON object".into()));
    }
    let field = |name: &str| json::member(&minified, name).map(|value| json::text(value).into_owned());
    let kind = field("type").ok_or_else(|| refuse("`type` is missing".into()))?;
    let named = field("causationid");
    let cause = causes.iter().find(|cause| named.as_deref() == Some(cause.id())).or(causes.last());
    let Some(cause) = cause else { return Err(refuse("it has no cause".into())) };
    let id = derived_id("returned", &[handler, key, &index.to_string()]);
    let mut draft = Draft::new(kind, format!("/handlers/{handler}"), id.clone());
    draft.subject = Some(field("subject").unwrap_or_else(|| cause.stream().to_owned()).into());
    for (name, value) in json::members(&minified) {
        let name = String::from_utf8_lossy(name);
        match name.as_ref() {
            "data" => draft.set_data(value.to_vec()),
            "data_base64" => draft.set_data_base64(value.to_vec()),
            name if OWN.contains(&name) => {}
            name => {
                draft.accept(name.to_owned(), value.to_vec()).map_err(|error| refuse(error.to_string()))?
            }
        }
    }
    follow(&mut draft, cause, &id, now);
    let event = draft.finish(Sameness::FirstWins).map_err(|error| match error {
        EventError::Loop => ("loop_detected", error.to_string()),
        error => refuse(error.to_string()),
    })?;
    if event.is_reserved() {
        let name = if event.kind().starts_with("tacho.") { event.kind() } else { event.stream() };
        return Err(("reserved_type", EventError::Reserved(name.to_owned()).to_string()));
    }
    if event.bytes().len() > MAX_EVENT_BYTES {
        let error = EventError::TooLarge { actual: event.bytes().len(), limit: MAX_EVENT_BYTES };
        return Err(("event_too_large", error.to_string()));
    }
    Ok(event)
}

/// Cause, trace, correlation and hops.
fn follow(draft: &mut Draft<'_>, cause: &Recorded, id: &str, now: Timestamp) {
    draft.put_text("causationid", cause.id());
    draft.put_text("traceparent", &span_below(cause, id).to_traceparent());
    draft.put_text_if_absent("time", &now.to_rfc3339());
    let correlation = cause.text("correlationid").unwrap_or_else(|| cause.id().into());
    draft.put_text_if_absent("correlationid", &correlation);
    for name in ["contextid", "priority"] {
        if let Some(value) = cause.text(name) {
            draft.put_text_if_absent(name, &value);
        }
    }
    let hops = cause.text("hops").and_then(|hops| hops.parse::<u64>().ok()).unwrap_or(0);
    draft.put("hops", (hops + 1).to_string().into_bytes());
}

/// The trace of the event, or one that is derived from its id.
pub(crate) fn trace_of(event: &Recorded) -> TraceContext {
    let sent = event.text("traceparent").and_then(|text| TraceContext::parse(&text));
    sent.unwrap_or_else(|| TraceContext::derived(event.id(), event.id()))
}

/// A span of its own in the trace of the event.
pub(crate) fn span_below(event: &Recorded, part: &str) -> TraceContext {
    let hash = Sha256::digest(format!("tacho:span:1:{}:{part}", event.id()).as_bytes());
    let mut span_id = [0; 8];
    span_id.copy_from_slice(&hash[..8]);
    TraceContext { span_id, ..trace_of(event) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tacho_event::{Position, Sequence};

    fn cause(hops: u64) -> Recorded {
        let mut draft = Draft::new("demo.a", "/t", "e1");
        draft.subject = Some("task/x".into());
        draft.put("hops", hops.to_string().into_bytes());
        let event = draft.finish(Sameness::FirstWins).unwrap();
        Recorded::new(Position(9), Sequence(1), Timestamp(0), event.bytes().to_vec().into()).unwrap()
    }

    fn one(text: &str, hops: u64) -> Result<Event, Failure> {
        let cause = cause(hops);
        let returned = [Returned(text.as_bytes().to_vec())];
        events("review", "k", &[&cause], &returned, Timestamp(0)).map(|mut events| events.remove(0))
    }

    #[test]
    fn an_answer_names_its_cause_and_stays_in_its_trace() {
        let event =
            one(r#"{"type":"demo.b","id":"mine","source":"/x","position":7,"data":{"n": 1.50}}"#, 2).unwrap();
        assert_eq!((event.kind(), event.stream(), event.source()), ("demo.b", "task/x", "/handlers/review"));
        assert_eq!(event.id(), derived_id("returned", &["review", "k", "0"]));
        let text = String::from_utf8(event.body().to_vec()).unwrap();
        let trace = TraceContext::derived("e1", "e1").to_traceparent();
        assert!(text.contains(&format!("\"traceparent\":\"{}", &trace[..35])), "{text}");
        for part in
            [r#""causationid":"e1""#, r#""correlationid":"e1""#, r#""hops":3"#, r#""data":{"n":1.50}"#]
        {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[test]
    fn what_may_not_be_appended_is_refused_with_a_reason() {
        let code = |text: &str, hops| one(text, hops).unwrap_err().code;
        assert_eq!(code("}{", 0), "bad_event");
        assert_eq!(code("[]", 0), "bad_event");
        assert_eq!(code(r#"{"data":1}"#, 0), "bad_event");
        assert_eq!(code(r#"{"type":"tacho.alert"}"#, 0), "reserved_type");
        assert_eq!(code(r#"{"type":"a","subject":"lease/x"}"#, 0), "reserved_type");
        assert_eq!(code(r#"{"type":"a"}"#, 32), "loop_detected");
        assert_eq!(one(r#"{"type":"a","Bad":1}"#, 0).unwrap_err().code, "bad_event");
    }
}
