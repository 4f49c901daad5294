//! A dead letter that is tried again: an event on the letters' stream that stands for the one that was given up.

use super::core::Item;
use super::record::position_in;
use crate::delivery::letter_stream;
use crate::log::Log;
use tacho_event::{Position, Recorded, json};
use tacho_journal::JournalError;

/// A letter's event is to be delivered again, to its handler alone.
pub const LETTER_RETRIED: &str = "tacho.dead_letter_retried";
/// A letter is given up for good.
pub const LETTER_DISCARDED: &str = "tacho.dead_letter_discarded";

/// A retry of a retry of a retry …
const MAX_DEPTH: usize = 64;

/// Whether the event asks a handler to try a letter again.
pub(crate) fn is_for(handler: &str, event: &Recorded) -> bool {
    if event.kind() != LETTER_RETRIED {
        return false;
    }
    // Another handler may be asked to take it over; then the one that failed leaves it.
    match event.data().and_then(|data| json::member(data, "to")) {
        Some(to) => json::text(to) == handler,
        None => event.stream() == letter_stream(handler),
    }
}

/// The letter that an event has tried again.
pub(crate) fn letter_of(event: &Recorded) -> Option<String> {
    let letter = event.data().filter(|_| event.kind() == LETTER_RETRIED);
    letter.and_then(|data| json::member(data, "letter")).map(|letter| json::text(letter).into_owned())
}

/// What is to be delivered: `None` where the log does not hold it any more.
pub(crate) fn item(log: &Log, retry: Recorded) -> Result<Option<Item>, JournalError> {
    let letter = letter_of(&retry);
    let position = retry.position;
    let original = resolve(log, retry)?;
    Ok(original.map(|event| Item { position, retry_of: letter, ..Item::new(event) }))
}

/// The event that stands at a position, or that is tried again there, with the payload that it has then.
pub(crate) fn at(log: &Log, position: Position) -> Result<Option<Recorded>, JournalError> {
    match log.get(position)? {
        Some(event) => resolve(log, event),
        None => Ok(None),
    }
}

fn resolve(log: &Log, mut event: Recorded) -> Result<Option<Recorded>, JournalError> {
    let mut edited: Option<Vec<u8>> = None;
    for _ in 0..MAX_DEPTH {
        if event.kind() != LETTER_RETRIED {
            return Ok(match edited {
                Some(data) => with_data(&event, &data),
                None => Some(event),
            });
        }
        let data = event.data().unwrap_or(b"{}");
        // The last edit is the one that counts.
        edited = edited.or_else(|| json::member(data, "data").map(<[u8]>::to_vec));
        let Some(position) = position_in(data) else { return Ok(None) };
        match log.get(position)? {
            Some(next) => event = next,
            None => return Ok(None),
        }
    }
    Ok(None)
}

/// The event with another payload, in its place.
fn with_data(event: &Recorded, data: &[u8]) -> Option<Recorded> {
    let is_payload = |name: &[u8]| matches!(name, b"data" | b"data_base64" | b"datacontenttype");
    changed(event, is_payload, |body| {
        body.extend_from_slice(b"\"data\":");
        body.extend_from_slice(data);
    })
}

/// The event with other attributes, in its place.
pub(crate) fn with_texts(event: &Recorded, texts: &[(&str, &str)]) -> Option<Recorded> {
    let data = event.attributes().find(|(name, _)| matches!(*name, b"data" | b"data_base64"));
    let is_changed = |name: &[u8]| {
        texts.iter().any(|(changed, _)| changed.as_bytes() == name)
            || data.is_some_and(|(payload, _)| payload == name)
    };
    changed(event, is_changed, |body| {
        for (name, text) in texts {
            body.extend_from_slice(format!("\"{name}\":").as_bytes());
            json::write_string(text, body);
            body.push(b',');
        }
        match data {
            Some((name, value)) => {
                body.extend_from_slice(format!("\"{}\":", String::from_utf8_lossy(name)).as_bytes());
                body.extend_from_slice(value);
            }
            None => drop(body.pop()),
        }
    })
}

/// The event without some of its attributes, and with what is written behind the others.
fn changed(
    event: &Recorded,
    leaves_out: impl Fn(&[u8]) -> bool,
    write: impl FnOnce(&mut Vec<u8>),
) -> Option<Recorded> {
    let mut bytes = event.name_bytes().to_vec();
    bytes.push(b'{');
    for (name, value) in event.attributes().filter(|(name, _)| !leaves_out(name)) {
        bytes.push(b'"');
        bytes.extend_from_slice(name);
        bytes.extend_from_slice(b"\":");
        bytes.extend_from_slice(value);
        bytes.push(b',');
    }
    write(&mut bytes);
    bytes.push(b'}');
    Recorded::new(event.position, event.sequence, event.recorded, bytes.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tacho_event::{Draft, Sameness, Sequence, Timestamp};

    #[test]
    fn who_is_named_takes_it_over_and_the_other_leaves_it() {
        let is_for = |data: &str| {
            let mut draft = Draft::new(LETTER_RETRIED, "/t", "e1");
            draft.subject = Some("dead-letter/review".into());
            draft.set_data(data.as_bytes());
            let bytes = draft.finish(Sameness::FirstWins).unwrap().bytes().to_vec().into();
            let event = Recorded::new(Position(9), Sequence(1), Timestamp(0), bytes).unwrap();
            ["review", "other"].map(|handler| is_for(handler, &event))
        };
        assert_eq!(is_for("{\"letter\":\"l\"}"), [true, false]);
        assert_eq!(is_for("{\"letter\":\"l\",\"to\":\"other\"}"), [false, true]);
        assert_eq!(is_for("{\"letter\":\"l\",\"to\":\"gone\"}"), [false, false]);
    }

    #[test]
    fn an_edit_changes_the_payload_alone() {
        let mut draft = Draft::new("demo.a", "/t", "e1");
        draft.subject = Some("task/x".into());
        draft.put_text("datacontenttype", "application/json");
        draft.put_text("sessionid", "s");
        draft.set_data(&b"{\"n\":1}"[..]);
        let event = draft.finish(Sameness::FirstWins).unwrap();
        let event =
            Recorded::new(Position(9), Sequence(1), Timestamp(0), event.bytes().to_vec().into()).unwrap();
        let edited = with_data(&event, b"{\"n\":2}").unwrap();
        assert_eq!((edited.id(), edited.stream(), edited.position), ("e1", "task/x", Position(9)));
        assert_eq!(edited.body(), br#"{"specversion":"1.0","sessionid":"s","data":{"n":2}}"#);
        let marked = with_texts(&event, &[("correlationid", "r"), ("sessionid", "t")]).unwrap();
        let expected = br#"{"specversion":"1.0","datacontenttype":"application/json","correlationid":"r","sessionid":"t","data":{"n":1}}"#;
        assert_eq!(marked.body(), expected);
    }
}
