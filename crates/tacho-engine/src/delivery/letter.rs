//! Dead letters: what could not be delivered, as events.

use super::{DEAD_LETTER, Failure};
use crate::id;
use sha2::{Digest, Sha256};
use tacho_event::{Draft, Event, EventError, Position, Recorded, Sameness, Timestamp, head, json};

/// Longest error message that is kept, in bytes.
const MESSAGE_BYTES_MAX: usize = 2_048;

/// The event that tells of a failure for good; the same for the same handler and event, so that a crash
/// behind it tells it once.
pub(crate) fn dead_letter(
    handler: &str,
    event: &Recorded,
    failure: &Failure,
    attempts: u32,
    now: Timestamp,
) -> Result<Event, EventError> {
    let mut draft = Draft::new(DEAD_LETTER, "/tacho/delivery", letter_id(handler, event.position));
    draft.subject = Some(stream(handler).into());
    draft.put_text("time", &now.to_rfc3339());
    draft.put_text("causationid", event.id());
    draft.put_text("severity", "error");
    for name in ["sessionid", "correlationid", "traceparent"] {
        if let Some(value) = event.attribute(name) {
            draft.put(name, value);
        }
    }
    let mut data = b"{\"handler\":".to_vec();
    json::write_string(handler, &mut data);
    data.extend_from_slice(format!(",\"position\":{},\"event_id\":", event.position).as_bytes());
    json::write_string(event.id(), &mut data);
    data.extend_from_slice(b",\"event_source\":");
    json::write_string(event.source(), &mut data);
    data.extend_from_slice(b",\"event_type\":");
    json::write_string(event.kind(), &mut data);
    data.extend_from_slice(format!(",\"attempts\":{attempts},\"error\":{{\"message\":").as_bytes());
    json::write_string(cut(&failure.message), &mut data);
    data.extend_from_slice(b",\"code\":");
    json::write_string(cut(&failure.code), &mut data);
    data.extend_from_slice(format!("}},\"failedAt\":\"{}\"}}", now.to_rfc3339()).as_bytes());
    draft.set_data(data);
    draft.finish(Sameness::FirstWins)
}

/// The stream of a handler's dead letters.
pub(crate) fn stream(handler: &str) -> String {
    format!("dead-letter/{handler}")
}

pub(crate) fn letter_id(handler: &str, position: Position) -> String {
    let hash = Sha256::digest(format!("tacho:dead-letter:1:{handler}:{position}").as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    id::uuid_text(&bytes)
}

/// The text within the limit.
pub(crate) fn cut(text: &str) -> &str {
    head(text, MESSAGE_BYTES_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tacho_event::Sequence;

    #[test]
    fn a_letter_names_handler_event_and_reason() {
        let mut draft = Draft::new("demo.a", "/t", "e1");
        draft.subject = Some("task/x".into());
        draft.put_text("sessionid", "s");
        let event = draft.finish(Sameness::FirstWins).unwrap();
        let event = Recorded::new(Position(9), Sequence(1), Timestamp(0), event.bytes().to_vec().into());
        let failure = Failure::reject("http_404", "é".repeat(MESSAGE_BYTES_MAX));
        let letter = dead_letter("hook", &event.unwrap(), &failure, 3, Timestamp(0)).unwrap();
        assert_eq!((letter.kind(), letter.stream()), (DEAD_LETTER, "dead-letter/hook"));
        let data = json::to_value(json::member(letter.body(), "data").unwrap());
        assert_eq!((&data["position"], &data["attempts"]), (&9.into(), &3.into()));
        assert_eq!((&data["handler"], &data["event_id"]), (&"hook".into(), &"e1".into()));
        assert_eq!(data["error"]["code"], "http_404");
        assert_eq!(data["error"]["message"].as_str().unwrap().len(), MESSAGE_BYTES_MAX);
        assert_eq!(data["failedAt"], "1970-01-01T00:00:00Z");
        assert_eq!(json::member(letter.body(), "sessionid"), Some(&b"\"s\""[..]));
    }
}
