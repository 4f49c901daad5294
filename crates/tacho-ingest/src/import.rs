//! Backfill from files: lines of events in any shape, exports of Tachograph among them. Importing a file
//! twice changes nothing: what has no id gets one that is derived from its line.

use crate::Refusal;
use crate::door::{Door, Moment, complete};
use crate::hook;
use crate::shape::{self, Fields, Shape};
use std::collections::HashMap;
use tacho_event::attribute::ASSIGNED;
use tacho_event::derived_id;
use tacho_event::json;
use tacho_event::{Event, Timestamp};

/// What a file held.
#[derive(Debug, Default)]
pub struct Import {
    pub events: Vec<Event>,
    /// What was no event, or one that only Tachograph writes.
    pub skipped: Vec<Skipped>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Counted from 1; of an array, the element.
    pub line: usize,
    pub refusal: Refusal,
}

/// Reads JSON Lines, or one JSON array. What the log gives (`sequence`, `position`, `recordedtime`) is taken
/// off; `now` is the time of lines that have none. A bad line does not stop the others.
pub fn lines(file: &[u8], door: &Door<'_>, now: Timestamp) -> Import {
    let mut reader = Reader { door, now, seen: HashMap::new(), import: Import::default() };
    if file.trim_ascii_start().first() == Some(&b'[') {
        let mut minified = Vec::new();
        match json::minify(file, door.limits.depth, &mut minified) {
            Ok(()) => {
                for (index, object) in json::elements(&minified).enumerate() {
                    reader.line(index + 1, object);
                }
            }
            Err(error) => reader.import.skipped.push(Skipped { line: 1, refusal: error.into() }),
        }
        return reader.import;
    }
    for (index, line) in file.split(|byte| *byte == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let mut minified = Vec::new();
        match json::minify(line, door.limits.depth, &mut minified) {
            Ok(()) => reader.line(index + 1, &minified),
            Err(error) => reader.import.skipped.push(Skipped { line: index + 1, refusal: error.into() }),
        }
    }
    reader.import
}

struct Reader<'d> {
    door: &'d Door<'d>,
    now: Timestamp,
    /// How often a line was there, so that equal lines without ids are as many events.
    seen: HashMap<String, usize>,
    import: Import,
}

impl Reader<'_> {
    fn line(&mut self, line: usize, minified: &[u8]) {
        let redacted = self.door.redactor.redact_json(minified);
        match self.events(&redacted) {
            Ok(events) => self.import.events.extend(events),
            Err(refusal) => self.import.skipped.push(Skipped { line, refusal }),
        }
    }

    fn events(&mut self, object: &[u8]) -> Result<Vec<Event>, Refusal> {
        let fields = Fields::read(object)?.without(&ASSIGNED);
        let Self { door, now, seen, .. } = self;
        let mut new_id = || line_id(object, seen);
        match shape::recognise(&fields)? {
            Shape::Format(format) => {
                let shaped = shape::parse(&fields, format, door.redactor)?;
                let now = format!("\"{}\"", now.to_rfc3339());
                let mut moment =
                    Moment { now: now.as_bytes(), new_id: &mut new_id, first_wins: true, trace: None };
                Ok(vec![complete(shaped, &door.limits, &mut moment)?])
            }
            Shape::Hook => {
                let id = new_id();
                let input = hook::HookInput {
                    agent: hook::Agent::of_payload(object),
                    id: &id,
                    time: *now,
                    git_sha: None,
                    branch: None,
                    traceparent: None,
                    payload: object,
                };
                Ok(hook::parse(&input, door))
            }
        }
    }
}

/// Derived from the line's text, and from how many equal ones stand before it.
fn line_id(object: &[u8], seen: &mut HashMap<String, usize>) -> String {
    let line = derived_id("import-line", &[&String::from_utf8_lossy(object)]);
    let ordinal = seen.entry(line.clone()).or_default();
    *ordinal += 1;
    if *ordinal == 1 { line } else { derived_id("import-line", &[&line, &ordinal.to_string()]) }
}
