//! Reading text that [`super::minify`] accepted.

use super::minify::plain_prefix;
use std::borrow::Cow;

/// What a value is, by its first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Object,
    Array,
    String,
    Number,
    Bool,
    Null,
}

/// What the minified `value` is; [`Kind::Null`] for no bytes at all.
pub fn kind(value: &[u8]) -> Kind {
    match value.first() {
        Some(b'{') => Kind::Object,
        Some(b'[') => Kind::Array,
        Some(b'"') => Kind::String,
        Some(b't' | b'f') => Kind::Bool,
        None | Some(b'n') => Kind::Null,
        Some(_) => Kind::Number,
    }
}

/// The members of a minified object, in order: the key as written between its quotes, the value's bytes.
/// Yields nothing for any other value.
pub fn members(object: &[u8]) -> Members<'_> {
    Members { json: object, at: if object.first() == Some(&b'{') { 1 } else { object.len() } }
}

/// The first member of `object` with this key.
pub fn member<'a>(object: &'a [u8], key: &str) -> Option<&'a [u8]> {
    members(object).find(|(name, _)| *name == key.as_bytes()).map(|(_, value)| value)
}

/// The elements of a minified array, in order. Yields nothing for any other value.
pub fn elements(array: &[u8]) -> Elements<'_> {
    Elements { json: array, at: if array.first() == Some(&b'[') { 1 } else { array.len() } }
}

pub struct Members<'a> {
    json: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Members<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        if self.json.get(self.at)? != &b'"' {
            return None;
        }
        let key_end = string_end(self.json, self.at);
        let value_end = value_end(self.json, key_end + 1);
        let item = (&self.json[self.at + 1..key_end - 1], &self.json[key_end + 1..value_end]);
        self.at = value_end + 1;
        Some(item)
    }
}

pub struct Elements<'a> {
    json: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Elements<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<Self::Item> {
        if matches!(self.json.get(self.at)?, b']') {
            return None;
        }
        let end = value_end(self.json, self.at);
        let item = &self.json[self.at..end];
        self.at = end + 1;
        Some(item)
    }
}

/// Calls `visit` with every string and number below `value` that is not a key, as written,
/// strings with their quotes, until it answers false.
pub fn strings(value: &[u8], visit: &mut impl FnMut(&[u8]) -> bool) {
    let mut at = 0;
    while at < value.len() {
        match value[at] {
            b'"' => {
                let end = string_end(value, at);
                let is_key = value.get(end) == Some(&b':');
                if !is_key && !visit(&value[at..end]) {
                    return;
                }
                at = end;
            }
            b'-' | b'0'..=b'9' => {
                let end = scalar_end(value, at);
                if !visit(&value[at..end]) {
                    return;
                }
                at = end;
            }
            _ => at += 1,
        }
    }
}

/// A minified text as a tree. Lone surrogates, which JSON can write and Unicode text cannot hold,
/// become U+FFFD.
pub fn to_value(json: &[u8]) -> serde_json::Value {
    let parse = |text: &[u8]| {
        let mut deserializer = serde_json::Deserializer::from_slice(text);
        serde::Deserialize::deserialize(&mut deserializer)
    };
    parse(json).or_else(|_: serde_json::Error| parse(&without_lone_surrogates(json))).unwrap_or_default()
}

fn without_lone_surrogates(json: &[u8]) -> Cow<'_, [u8]> {
    let mut out = Vec::with_capacity(json.len());
    let mut at = 0;
    while at < json.len() {
        if json[at] != b'"' {
            out.push(json[at]);
            at += 1;
            continue;
        }
        let end = string_end(json, at);
        super::write_string(&super::text(&json[at..end]), &mut out);
        at = end;
    }
    Cow::Owned(out)
}

/// The byte behind the string that opens at `at`.
fn string_end(json: &[u8], mut at: usize) -> usize {
    at += 1;
    loop {
        at += plain_prefix(&json[at.min(json.len())..]);
        match json.get(at) {
            None => return json.len(),
            Some(b'"') => return at + 1,
            // A backslash and what it escapes.
            Some(_) => at += 2,
        }
    }
}

fn scalar_end(json: &[u8], at: usize) -> usize {
    let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']');
    json[at..].iter().position(ends).map_or(json.len(), |length| at + length)
}

/// The byte behind the value that starts at `at`.
fn value_end(json: &[u8], at: usize) -> usize {
    match json.get(at) {
        Some(b'"') => string_end(json, at),
        Some(b'{' | b'[') => nested_end(json, at),
        Some(_) => scalar_end(json, at),
        None => json.len(),
    }
}

fn nested_end(json: &[u8], mut at: usize) -> usize {
    let mut level = 0usize;
    while at < json.len() {
        match json[at] {
            b'"' => {
                at = string_end(json, at);
                continue;
            }
            b'{' | b'[' => level += 1,
            b'}' | b']' => {
                level -= 1;
                if level == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
    json.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn walks_members_and_elements() {
        let json = br#"{"a":{"b":[1,"}"]},"c\"":"x\\","d":null,"e":-1.5}"#;
        let seen: Vec<_> = members(json)
            .map(|(key, value)| {
                format!("{}={}", String::from_utf8_lossy(key), String::from_utf8_lossy(value))
            })
            .collect();
        assert_eq!(seen, [r#"a={"b":[1,"}"]}"#, r#"c\"="x\\""#, "d=null", "e=-1.5"]);
        let inner: Vec<_> = elements(br#"[1,[2,3],{"x":4},"5"]"#).collect();
        assert_eq!(inner, [&b"1"[..], b"[2,3]", br#"{"x":4}"#, b"\"5\""]);
        assert_eq!(members(b"{}").count() + elements(b"[]").count() + members(b"7").count(), 0);
    }

    #[test]
    fn visits_values_but_no_keys() {
        let mut seen = Vec::new();
        strings(br#"{"k":"v","n":[12,{"deep":"w"}],"t":true}"#, &mut |text| {
            seen.push(String::from_utf8_lossy(text).into_owned());
            true
        });
        assert_eq!(seen, ["\"v\"", "12", "\"w\""]);
    }

    #[test]
    fn a_lone_surrogate_does_not_hide_the_rest() {
        let value = to_value(br#"{"a":"x\ud83d","b":[1.50]}"#);
        assert_eq!(value["a"], "x\u{fffd}");
        assert_eq!(value["b"][0], 1.5);
    }
}
