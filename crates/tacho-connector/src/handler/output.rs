//! What handlers answer: events, checked to be JSON objects.

use tacho_engine::delivery::Returned;
use tacho_event::json::{self, Kind};

/// A text, minified, where it is a JSON object.
pub(super) fn object(text: &[u8]) -> Result<Vec<u8>, String> {
    let minified = minified(text)?;
    match json::kind(&minified) {
        Kind::Object => Ok(minified),
        _ => Err("it is no JSON object".to_owned()),
    }
}

/// A text, minified, where it is JSON.
pub(super) fn minified(text: &[u8]) -> Result<Vec<u8>, String> {
    let mut minified = Vec::new();
    // An event that is nested as deep as an event may be stands within an answer.
    json::minify(text, json::DEFAULT_DEPTH + 8, &mut minified).map_err(|error| error.to_string())?;
    Ok(minified)
}

/// Events, one a line; empty lines mean nothing.
pub(super) fn lines(text: &[u8]) -> Result<Vec<Returned>, String> {
    let mut returned = Vec::new();
    for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
        if !line.trim_ascii().is_empty() {
            let event =
                object(line).map_err(|reason| format!("line {} of the output: {reason}", index + 1))?;
            returned.push(Returned(event));
        }
    }
    Ok(returned)
}

/// The events of a minified `{"events":[…]}`; none where it is `null` or says nothing of events.
pub(super) fn events(answer: &[u8]) -> Result<Vec<Returned>, String> {
    match json::kind(answer) {
        Kind::Null => Ok(Vec::new()),
        Kind::Object => elements(json::member(answer, "events").unwrap_or(b"null")),
        _ => Err("the answer is neither an object nor null".to_owned()),
    }
}

/// The events of a minified array, or of `null`.
pub(super) fn elements(events: &[u8]) -> Result<Vec<Returned>, String> {
    match json::kind(events) {
        Kind::Null => return Ok(Vec::new()),
        Kind::Array => {}
        _ => return Err("the events are no array".to_owned()),
    }
    let event = |event: &[u8]| match json::kind(event) {
        Kind::Object => Ok(Returned(event.to_vec())),
        _ => Err("one of the events is no JSON object".to_owned()),
    };
    json::elements(events).map(event).collect()
}

/// An event of its parts; subject and data are JSON.
pub(super) fn event(kind: &str, subject: &[u8], data: &[u8]) -> Returned {
    let mut event = b"{\"type\":".to_vec();
    json::write_string(kind, &mut event);
    event.extend_from_slice(b",\"subject\":");
    event.extend_from_slice(subject);
    event.extend_from_slice(b",\"data\":");
    event.extend_from_slice(data);
    event.push(b'}');
    Returned(event)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(returned: Result<Vec<Returned>, String>) -> Result<Vec<String>, String> {
        Ok(returned?.into_iter().map(|event| String::from_utf8(event.0).unwrap()).collect())
    }

    #[test]
    fn lines_are_objects_or_a_reason() {
        assert_eq!(texts(lines(b"")), Ok(vec![]));
        assert_eq!(texts(lines(b"\n{ \"a\": 1.50 }\r\n\n{}")), Ok(vec!["{\"a\":1.50}".into(), "{}".into()]));
        assert_eq!(texts(lines(b"{}\n[1]")), Err("line 2 of the output: it is no JSON object".into()));
        assert!(texts(lines(b"done!")).unwrap_err().starts_with("line 1 of the output: unexpected 'd'"));
    }

    #[test]
    fn an_answer_has_events_or_none() {
        for empty in ["null", "{}", "{\"events\":null}", "{\"events\":[]}"] {
            assert_eq!(texts(events(empty.as_bytes())), Ok(vec![]), "{empty}");
        }
        assert_eq!(texts(events(b"{\"events\":[{\"type\":\"a\"},{}]}")).unwrap().len(), 2);
        for wrong in ["7", "[]", "{\"events\":{}}", "{\"events\":[1]}"] {
            assert!(texts(events(wrong.as_bytes())).is_err(), "{wrong}");
        }
    }
}
