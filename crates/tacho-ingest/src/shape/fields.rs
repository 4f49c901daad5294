//! The members of one incoming object, and how the shapes read them.

use crate::{Refusal, shape::Shaped};
use std::borrow::Cow;
use tacho_event::json::{self, Kind};
use tacho_event::{Code, Draft, Timestamp};

/// Most members of one object that is an event; more than its attributes can be.
const MAX_MEMBERS: usize = 256;

/// Names and minified values, in order; no name twice.
pub(crate) struct Fields<'a> {
    members: Vec<(Cow<'a, str>, &'a [u8])>,
}

impl<'a> Fields<'a> {
    pub(crate) fn read(object: &'a [u8]) -> Result<Self, Refusal> {
        if json::kind(object) != Kind::Object {
            return Err(Refusal::event("an event is a JSON object: this is none"));
        }
        let mut members: Vec<(Cow<'a, str>, &'a [u8])> = Vec::with_capacity(16);
        // One bit for each name's length and ends: two equal names always meet there.
        let mut seen = 0u64;
        for (written, value) in json::members(object) {
            let key = key_text(written);
            let bytes = key.as_bytes();
            let ends = bytes.first().zip(bytes.last()).map_or(0, |(first, last)| first ^ last.rotate_left(3));
            let bit = 1u64 << ((usize::from(ends) + bytes.len() * 7) & 63);
            if seen & bit != 0 && members.iter().any(|(known, _)| *known == key) {
                return Err(Refusal::event(format!("`{key}` stands twice in the event: send it once")));
            }
            if members.len() == MAX_MEMBERS {
                return Err(Refusal::event(format!(
                    "more than {MAX_MEMBERS} members: put the rest into `data`"
                )));
            }
            seen |= bit;
            members.push((key, value));
        }
        Ok(Self { members })
    }

    /// Without the members of these names.
    pub(crate) fn without(mut self, names: &[&str]) -> Self {
        self.members.retain(|(key, _)| !names.contains(&key.as_ref()));
        self
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Cow<'a, str>, &'a [u8])> {
        self.members.iter().map(|(key, value)| (key, *value))
    }

    /// The value, unless it is null.
    pub(crate) fn get(&self, key: &str) -> Option<&'a [u8]> {
        let found = self.members.iter().find(|(known, _)| known == key);
        found.map(|(_, value)| *value).filter(|value| *value != b"null")
    }

    /// The value's text, when it is a string.
    pub(crate) fn text(&self, key: &str) -> Option<Cow<'a, str>> {
        self.get(key).filter(|value| json::kind(value) == Kind::String).map(json::text)
    }
}

/// The text of a key as it is written between its quotes.
pub(crate) fn key_text(written: &[u8]) -> Cow<'_, str> {
    if memchr::memchr(b'\\', written).is_none() {
        return std::str::from_utf8(written).map_or_else(|_| String::from_utf8_lossy(written), Cow::Borrowed);
    }
    let mut quoted = Vec::with_capacity(written.len() + 2);
    quoted.push(b'"');
    quoted.extend_from_slice(written);
    quoted.push(b'"');
    Cow::Owned(json::text(&quoted).into_owned())
}

impl<'a> Shaped<'a> {
    pub(crate) fn new() -> Self {
        Self { draft: Draft::default(), id: None, source: None, stream: None }
    }

    /// A context attribute of CloudEvents, or an extension. Null is the same as absent (CloudEvents JSON
    /// format, section 2.2).
    #[inline]
    pub(crate) fn attribute(&mut self, key: Cow<'a, str>, value: &'a [u8]) -> Result<(), Refusal> {
        if value == b"null" {
            return Ok(());
        }
        match key.as_ref() {
            "id" => self.id = Some(identifier(value)?),
            "source" => self.source = Some(string("source", value)?),
            "type" => self.draft.kind = string("type", value)?,
            "subject" => self.draft.subject = Some(string("subject", value)?),
            _ => self.draft.accept(key, value)?,
        }
        Ok(())
    }

    /// As [`Self::attribute`], by the names that the shapes before CloudEvents use.
    pub(crate) fn foreign(&mut self, key: Cow<'a, str>, value: &'a [u8]) -> Result<(), Refusal> {
        match key.as_ref() {
            "timestamp" if value != b"null" => Ok(self.draft.accept("time", moment(value)?)?),
            "session_id" => self.named("sessionid", value),
            _ => self.attribute(key, value),
        }
    }

    /// A value under the name that CloudEvents gives it.
    pub(crate) fn named(&mut self, name: &'static str, value: &'a [u8]) -> Result<(), Refusal> {
        self.attribute(Cow::Borrowed(name), value)
    }
}

pub(crate) fn identifier<'a>(value: &'a [u8]) -> Result<Cow<'a, str>, Refusal> {
    string("id", value).map_err(|refusal| Refusal { code: Code::InvalidId, ..refusal })
}

pub(crate) fn string<'a>(name: &str, value: &'a [u8]) -> Result<Cow<'a, str>, Refusal> {
    if json::kind(value) == Kind::String {
        return Ok(json::text(value));
    }
    let shown: String = String::from_utf8_lossy(value).chars().take(80).collect();
    Err(Refusal::new(Code::InvalidAttribute, format!("`{name}` is {shown}, but must be a string")))
}

/// A moment of an older shape as a JSON string: RFC 3339, the same without an offset (then it is UTC), or
/// seconds since 1970.
pub(crate) fn moment(value: &[u8]) -> Result<Cow<'_, [u8]>, Refusal> {
    let text = json::text(value);
    let found = match json::kind(value) {
        Kind::String if Timestamp::from_rfc3339(&text).is_some() => return Ok(Cow::Borrowed(value)),
        Kind::String => {
            let text = format!("{text}Z");
            Timestamp::from_rfc3339(&text).map(|_| text)
        }
        Kind::Number => text.parse().ok().and_then(Timestamp::from_seconds).map(Timestamp::to_rfc3339),
        _ => None,
    };
    let found = found.ok_or_else(|| {
        let shown: String = text.chars().take(80).collect();
        Refusal::new(
            Code::InvalidAttribute,
            format!("`timestamp` is {shown:?}, but must be a moment of RFC 3339 or seconds since 1970"),
        )
    })?;
    Ok(Cow::Owned(format!("\"{found}\"").into_bytes()))
}
