//! Attributes and their values: from the tagged form of OTLP's JSON to plain JSON.

use std::borrow::Cow;
use std::collections::HashSet;
use tacho_event::json::{self, Kind};

/// A minified object being written, in which no name stands twice: the first wins.
#[derive(Default)]
pub(super) struct Object {
    members: Vec<u8>,
    names: HashSet<String>,
}

impl Object {
    /// Adds a member whose value is minified JSON, unless there is one of this name.
    pub(super) fn add(&mut self, name: &str, value: &[u8]) {
        if !self.names.insert(name.to_owned()) {
            return;
        }
        if !self.members.is_empty() {
            self.members.push(b',');
        }
        json::write_string(name, &mut self.members);
        self.members.push(b':');
        self.members.extend_from_slice(value);
    }

    pub(super) fn add_text(&mut self, name: &str, text: &str) {
        let mut value = Vec::with_capacity(text.len() + 2);
        json::write_string(text, &mut value);
        self.add(name, &value);
    }

    /// Adds a string that is there and not empty.
    pub(super) fn add_string(&mut self, name: &str, value: Option<&[u8]>) {
        if let Some(text) = text(value) {
            self.add_text(name, &text);
        }
    }

    pub(super) fn add_number(&mut self, name: &str, value: Option<&[u8]>) {
        if let Some(number) = value.and_then(number) {
            self.add(name, &number);
        }
    }

    /// What was added until now.
    pub(super) fn to_json(&self) -> Vec<u8> {
        [b"{", self.members.as_slice(), b"}"].concat()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }
}

/// Adds a list of `{"key":…,"value":{…}}` as members. With `has_text_numbers`, what is known to be a number
/// becomes one where it was sent as a string.
pub(super) fn add_attributes(list: &[u8], has_text_numbers: bool, object: &mut Object) {
    for attribute in json::elements(list) {
        let Some(key) = json::member(attribute, "key").filter(|key| json::kind(key) == Kind::String) else {
            continue;
        };
        let (key, value) = (json::text(key), json::member(attribute, "value").unwrap_or(b"null"));
        let mut plain = Vec::with_capacity(value.len());
        write_plain(value, &mut plain);
        match number(&plain).filter(|_| has_text_numbers && is_known_number(&key)) {
            Some(number) => object.add(&key, &number),
            None => object.add(&key, &plain),
        }
    }
}

/// A list of attributes as an object.
pub(super) fn attributes(list: Option<&[u8]>, has_text_numbers: bool) -> Object {
    let mut object = Object::default();
    add_attributes(list.unwrap_or(b"[]"), has_text_numbers, &mut object);
    object
}

/// Appends what an `AnyValue` holds. A value that is not tagged, against the standard, stays as it is.
pub(super) fn write_plain(value: &[u8], out: &mut Vec<u8>) {
    if json::kind(value) != Kind::Object {
        return out.extend_from_slice(value);
    }
    let Some((tag, held)) = json::members(value).next() else { return out.extend_from_slice(b"null") };
    let inner = || json::member(held, "values").unwrap_or(b"[]");
    match tag {
        b"intValue" | b"doubleValue" => match number(held) {
            Some(number) => out.extend_from_slice(&number),
            None => out.extend_from_slice(held),
        },
        b"stringValue" | b"boolValue" | b"bytesValue" => out.extend_from_slice(held),
        b"arrayValue" => {
            out.push(b'[');
            for (index, element) in json::elements(inner()).enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_plain(element, out);
            }
            out.push(b']');
        }
        b"kvlistValue" => {
            let mut object = Object::default();
            add_attributes(inner(), false, &mut object);
            out.extend_from_slice(&object.to_json());
        }
        _ => out.extend_from_slice(b"null"),
    }
}

/// The text of a number, or of a string that holds one; JSON of OTLP has 64-bit integers either way.
pub(super) fn number(value: &[u8]) -> Option<Vec<u8>> {
    const LONGEST_BYTES: usize = 64;
    let text = match json::kind(value) {
        Kind::Number => return Some(value.to_owned()),
        Kind::String if value.len() <= LONGEST_BYTES => json::text(value),
        _ => return None,
    };
    let mut minified = Vec::with_capacity(text.len());
    json::minify(text.as_bytes(), 1, &mut minified).ok()?;
    (json::kind(&minified) == Kind::Number).then_some(minified)
}

/// The text of a string that is not empty.
pub(super) fn text(value: Option<&[u8]>) -> Option<Cow<'_, str>> {
    value.filter(|value| json::kind(value) == Kind::String).map(json::text).filter(|text| !text.is_empty())
}

/// A whole number that is not negative, sent as number or string.
pub(super) fn whole(value: Option<&[u8]>) -> Option<u64> {
    let value = value?;
    matches!(json::kind(value), Kind::Number | Kind::String).then(|| json::text(value).parse().ok())?
}

/// Names that Claude Code gives to numbers, which some versions send as strings.
fn is_known_number(name: &str) -> bool {
    const NAMES: [&str; 9] = [
        "attempt",
        "attempts",
        "cost_usd",
        "cost_usd_micros",
        "event.sequence",
        "status_code",
        "total_tool_uses",
        "prompt_length",
        "response_length",
    ];
    const ENDINGS: [&str; 5] = ["_ms", "_tokens", "_bytes", "_chars", "_count"];
    NAMES.contains(&name) || name.starts_with("num_") || ENDINGS.iter().any(|ending| name.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(value: &str) -> String {
        let mut out = Vec::new();
        write_plain(value.as_bytes(), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn values_lose_their_tags() {
        for (tagged, expected) in [
            (r#"{"stringValue":"7"}"#, r#""7""#),
            (r#"{"intValue":"9223372036854775807"}"#, "9223372036854775807"),
            (r#"{"intValue":12}"#, "12"),
            (r#"{"intValue":"twelve"}"#, r#""twelve""#),
            (r#"{"doubleValue":"NaN"}"#, r#""NaN""#),
            (r#"{"doubleValue":1.50}"#, "1.50"),
            (r#"{"boolValue":false}"#, "false"),
            (r#"{"bytesValue":"AQI="}"#, r#""AQI=""#),
            (r#"{"arrayValue":{"values":[{"intValue":"1"},{"stringValue":"a"},{}]}}"#, r#"[1,"a",null]"#),
            (r#"{"arrayValue":{}}"#, "[]"),
            (
                r#"{"kvlistValue":{"values":[{"key":"a","value":{"boolValue":true}},{"key":"a"}]}}"#,
                r#"{"a":true}"#,
            ),
            (r#"{"futureValue":1}"#, "null"),
            ("{}", "null"),
            (r#""bare""#, r#""bare""#),
        ] {
            assert_eq!(plain(tagged), expected);
        }
    }

    #[test]
    fn known_numbers_sent_as_strings_become_numbers_and_others_do_not() {
        let list = br#"[{"key":"duration_ms","value":{"stringValue":"43"}},{"key":"cost_usd","value":{"stringValue":"1e-3"}},{"key":"input_tokens","value":{"stringValue":"many"}},{"key":"version","value":{"stringValue":"2"}}]"#;
        let told = |numbers| String::from_utf8(attributes(Some(list), numbers).to_json()).unwrap();
        assert_eq!(told(true), r#"{"duration_ms":43,"cost_usd":1e-3,"input_tokens":"many","version":"2"}"#);
        assert!(told(false).starts_with(r#"{"duration_ms":"43""#));
    }
}
