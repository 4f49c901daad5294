//! The payload that an agent answers.

use crate::delivery::Failure;
use tacho_event::{Event, json};

/// Deepest payload.
pub(super) const MAX_DEPTH: usize = 100;
/// Places of a text at which a payload is looked for.
const MAX_PLACES: usize = 64;

/// Of the first event: the JSON in the text of `result` where there is one, else all of its `data`.
pub(super) fn payload(events: &[Event]) -> Result<Vec<u8>, Failure> {
    let refuse = |reason: &str| Failure::reject("no_payload", reason);
    let event = events.first().ok_or_else(|| refuse("the answer holds no event"))?;
    let data = json::member(event.body(), "data").ok_or_else(|| refuse("the answer has no `data`"))?;
    match json::member(data, "result").filter(|result| json::kind(result) == json::Kind::String) {
        Some(result) => found_in(&json::text(result))
            .ok_or_else(|| refuse("the answer's `result` holds no JSON object or array")),
        None => Ok(data.to_vec()),
    }
}

/// The first object or array in a text, minified.
fn found_in(text: &str) -> Option<Vec<u8>> {
    let places = text.bytes().enumerate().filter(|(_, byte)| matches!(byte, b'{' | b'['));
    places.take(MAX_PLACES).find_map(|(place, _)| {
        let mut out = Vec::new();
        json::minify_next(&text.as_bytes()[place..], MAX_DEPTH, &mut out).ok().map(|_| out)
    })
}

#[cfg(test)]
mod tests {
    use tacho_event::{Draft, Sameness};

    #[test]
    fn a_payload_is_found_in_words_too() {
        let payload = |data: &str| {
            let mut draft = Draft::new("agent.answered", "/t", "e1");
            draft.subject = Some("task/x".into());
            draft.set_data(data.as_bytes());
            let events = [draft.finish(Sameness::FirstWins).unwrap()];
            super::payload(&events)
                .map(|data| String::from_utf8(data).unwrap())
                .map_err(|failure| failure.message)
        };
        for (data, expected) in [
            (r#"{"n":1}"#, Ok(r#"{"n":1}"#)),
            (r#"{"result":{"n":1}}"#, Ok(r#"{"result":{"n":1}}"#)),
            (r#"{"result":"{\"n\": 1}"}"#, Ok(r#"{"n":1}"#)),
            (r#"{"result":"Here {it} is:\n```json\n{\"n\": [1, 2]}\n```\nDone."}"#, Ok(r#"{"n":[1,2]}"#)),
            (r#"{"result":"[1, 2]"}"#, Ok("[1,2]")),
            (r#"{"result":"I cannot."}"#, Err("the answer's `result` holds no JSON object or array")),
        ] {
            assert_eq!(payload(data).as_deref().map_err(String::as_str), expected, "{data}");
        }
        assert_eq!(super::payload(&[]).unwrap_err().message, "the answer holds no event");
    }
}
