//! Which events are meant: one filter for queries, live subscriptions and handlers.

use crate::time::Timestamp;
use crate::{Jq, Pattern, Recorded, words};
use jiff::tz::TimeZone;
use thiserror::Error;

/// A choice of events; every condition that is set must hold.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Any of these type patterns; empty means every type.
    pub types: Vec<Pattern>,
    pub stream: Option<Pattern>,
    pub source: Option<Pattern>,
    pub session: Option<String>,
    /// The actor's id, whatever the actor's type.
    pub agent: Option<String>,
    /// `TYPE`, `TYPE:ID` or an id.
    pub actor: Option<String>,
    /// The payload's phase, else the stream's current one.
    pub phase: Option<String>,
    pub correlation: Option<String>,
    /// The id of the event that caused it, as the event names it.
    pub causation: Option<String>,
    /// A trace id, 32 hex digits.
    pub trace: Option<String>,
    pub id: Option<String>,
    /// By `time`, inclusive.
    pub since: Option<Timestamp>,
    /// By `time`, exclusive.
    pub until: Option<Timestamp>,
    /// Words that must all occur in type, actor or payload; a word may end in `*`.
    pub search: Vec<String>,
    pub where_jq: Option<Jq>,
    /// Whether bookkeeping (`tacho.sys.*`) is meant too.
    pub system: bool,
}

#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[error("filter `{key}`: {reason}")]
pub struct FilterError {
    pub key: String,
    pub reason: String,
}

/// The names of the conditions, as in query parameters and on the command line.
pub const KEYS: [&str; 16] = [
    "type",
    "stream",
    "source",
    "session",
    "agent",
    "actor",
    "phase",
    "correlation",
    "causation",
    "trace",
    "id",
    "since",
    "until",
    "search",
    "where",
    "system",
];

impl Filter {
    /// Sets one condition from its text. Answers false for a key that is none of a filter's.
    /// `now` and `zone` give relative times their meaning.
    pub fn set(
        &mut self,
        key: &str,
        value: &str,
        now: Timestamp,
        zone: &TimeZone,
    ) -> Result<bool, FilterError> {
        let refuse = |reason: String| FilterError { key: key.to_owned(), reason };
        if value.is_empty() && key != "system" && KEYS.contains(&key) {
            return Err(refuse("has no value".into()));
        }
        let moment = || {
            Timestamp::from_words(value, now, zone).ok_or_else(|| {
                let ways = "RFC 3339, a date, 14:00, today, yesterday, last week or 2h";
                refuse(format!("{value:?} is no moment: write {ways}"))
            })
        };
        match key {
            "type" => self.types.extend(value.split(',').map(Pattern::new)),
            "stream" => self.stream = Some(Pattern::new(value)),
            "source" => self.source = Some(Pattern::new(value)),
            "session" => self.session = Some(value.to_owned()),
            "agent" => self.agent = Some(value.to_owned()),
            "actor" => self.actor = Some(value.to_owned()),
            "phase" => self.phase = Some(value.to_owned()),
            "correlation" => self.correlation = Some(value.to_owned()),
            "causation" => self.causation = Some(value.to_owned()),
            "trace" => {
                self.trace = Some(
                    trace_id(value)
                        .ok_or_else(|| refuse(format!("{value:?} is no trace id: write 32 hex digits")))?,
                )
            }
            "id" => self.id = Some(value.to_owned()),
            "since" => self.since = Some(moment()?),
            "until" => self.until = Some(moment()?),
            "search" => {
                self.search = search_words(value).ok_or_else(|| refuse(format!("{value:?} holds no word")))?
            }
            "where" => self.where_jq = Some(Jq::compile(value).map_err(|error| refuse(error.to_string()))?),
            "system" => {
                self.system = match value {
                    "" | "true" | "1" => true,
                    "false" | "0" => false,
                    _ => return Err(refuse(format!("{value:?} is neither true nor false"))),
                };
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Whether the event is meant. `phase` is the phase that its stream is in, for an event that names none.
    pub fn matches(&self, event: &Recorded, phase: Option<&str>) -> bool {
        self.matches_but_for_where(event, phase) && self.matches_where(event)
    }

    /// As [`Self::matches`], with `where_jq` left out: the one condition whose cost has no bound, for those
    /// who evaluate it where it can be ended.
    pub fn matches_but_for_where(&self, event: &Recorded, phase: Option<&str>) -> bool {
        self.matches_names(event)
            && self.matches_time(event)
            && self.matches_attributes(event, phase)
            && self.matches_words(event)
    }

    /// Whether a type is meant.
    pub fn matches_type(&self, kind: &str) -> bool {
        let bookkeeping = kind.starts_with("tacho.sys.");
        (self.system || !bookkeeping)
            && (self.types.is_empty() || self.types.iter().any(|pattern| pattern.matches_type(kind)))
    }

    fn matches_names(&self, event: &Recorded) -> bool {
        self.matches_type(event.kind())
            && self.stream.as_ref().is_none_or(|stream| stream.matches(event.stream()))
            && self.source.as_ref().is_none_or(|source| source.matches(event.source()))
            && self.id.as_ref().is_none_or(|id| id == event.id())
    }

    fn matches_time(&self, event: &Recorded) -> bool {
        if self.since.is_none() && self.until.is_none() {
            return true;
        }
        let time = event.time();
        self.since.is_none_or(|since| time >= since) && self.until.is_none_or(|until| time < until)
    }

    fn matches_attributes(&self, event: &Recorded, phase: Option<&str>) -> bool {
        let equals = |wanted: &Option<String>, name: &str| {
            wanted.as_ref().is_none_or(|wanted| event.text(name).is_some_and(|text| text == wanted.as_str()))
        };
        equals(&self.session, "sessionid")
            && equals(&self.agent, "actorid")
            && equals(&self.correlation, "correlationid")
            && equals(&self.causation, "causationid")
            && self.actor.as_ref().is_none_or(|actor| matches_actor(actor, event))
            && self.trace.as_ref().is_none_or(|trace| {
                event.text("traceparent").is_some_and(|parent| parent.get(3..35) == Some(trace.as_str()))
            })
            && self
                .phase
                .as_ref()
                .is_none_or(|wanted| payload_phase(event).as_deref().or(phase) == Some(wanted.as_str()))
    }

    fn matches_words(&self, event: &Recorded) -> bool {
        if self.search.is_empty() {
            return true;
        }
        let mut missing: Vec<&str> = self.search.iter().map(String::as_str).collect();
        words::event_words(event, &mut |word| {
            missing.retain(|wanted| match wanted.strip_suffix('*') {
                Some(prefix) => !word.starts_with(prefix),
                None => *wanted != word,
            });
        });
        missing.is_empty()
    }

    fn matches_where(&self, event: &Recorded) -> bool {
        self.where_jq.as_ref().is_none_or(|jq| jq.holds(event))
    }
}

/// The phase that an event names itself: `phase`, or `initial_phase` of a start, in its payload.
pub fn payload_phase(event: &Recorded) -> Option<String> {
    let data = event.data()?;
    let named = crate::json::member(data, "phase").or_else(|| crate::json::member(data, "initial_phase"))?;
    (crate::json::kind(named) == crate::json::Kind::String).then(|| crate::json::text(named).into_owned())
}

fn matches_actor(actor: &str, event: &Recorded) -> bool {
    let (kind, id) = (event.text("actortype"), event.text("actorid"));
    let (kind, id) = (kind.as_deref(), id.as_deref());
    match actor.split_once(':') {
        Some((wanted_kind, wanted_id)) => kind == Some(wanted_kind) && id == Some(wanted_id),
        None => kind == Some(actor) || id == Some(actor),
    }
}

fn trace_id(text: &str) -> Option<String> {
    let hex = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    hex.then(|| text.to_ascii_lowercase())
}

/// The words of a search, in lower case, a trailing `*` kept.
fn search_words(text: &str) -> Option<Vec<String>> {
    let mut found = Vec::new();
    for part in text.split_whitespace() {
        words::words(part, &mut |word| {
            found.push(word.to_owned());
            true
        });
        if part.ends_with('*')
            && let Some(last) = found.last_mut()
        {
            last.push('*');
        }
    }
    (!found.is_empty()).then_some(found)
}
