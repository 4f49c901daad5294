//! How far a handler is, as it stands on the log: one event holds all of it.

use super::BreakerState;
use super::seen::Mark;
use crate::delivery::PROGRESS;
use crate::log::Log;
use serde_json::{Value, json};
use tacho_event::{Draft, Event, EventError, Position, Sameness, Timestamp, head};
use tacho_journal::JournalError;

/// Longest part of an error that is kept here, in bytes; the event of the failure holds more.
const ERROR_BYTES_MAX: usize = 80;

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Progress {
    /// Numbers what was saved.
    pub(crate) save: u64,
    /// Everything up to here is settled.
    pub(crate) position: Position,
    /// Everything up to here was looked at; what is open of it is named.
    pub(crate) read_to: Position,
    pub(crate) done: u64,
    pub(crate) dead: u64,
    pub(crate) skipped: u64,
    pub(crate) open: Vec<OpenRun>,
    pub(crate) retries: Vec<RetryMark>,
    /// Where it is not closed, and until when it is open.
    pub(crate) breaker: Option<(BreakerState, Option<Timestamp>)>,
    pub(crate) paused: Option<Paused>,
    /// What was seen since the save at `seen_before`.
    pub(crate) seen: Vec<Mark>,
    pub(crate) seen_before: Option<Position>,
}

/// Every event between the two that is meant is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OpenRun {
    pub(crate) first: Position,
    pub(crate) last: Position,
}

/// An event that was tried and is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RetryMark {
    pub(crate) position: Position,
    pub(crate) attempts: u32,
    pub(crate) alone: bool,
    pub(crate) next: Option<Timestamp>,
    pub(crate) error: Option<(String, String)>,
}

/// Who had a handler pause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paused {
    pub by: String,
    pub reason: String,
    pub at: Timestamp,
}

impl Progress {
    /// The event that holds it. Its id follows from its number.
    pub(crate) fn to_event(&self, handler: &str, now: Timestamp) -> Result<Event, EventError> {
        let id = format!("{handler}:save:{}", self.save);
        let mut draft = Draft::new(PROGRESS, "/tacho/delivery", id);
        draft.subject = Some(stream(handler).into());
        draft.put_text("time", &now.to_rfc3339());
        draft.set_data(self.to_json().to_string().into_bytes());
        draft.finish(Sameness::FirstWins)
    }

    fn to_json(&self) -> Value {
        let mut data = json!({
            "position": self.position.0, "done": self.done, "dead": self.dead, "skipped": self.skipped,
            "save": self.save, "read_to": self.read_to.0,
        });
        if !self.open.is_empty() {
            data["open"] = self.open.iter().map(|run| json!([run.first.0, run.last.0])).collect();
        }
        if !self.retries.is_empty() {
            data["retries"] = self.retries.iter().map(RetryMark::to_json).collect();
        }
        if let Some((state, until)) = self.breaker {
            data["breaker"] = json!({"state": state.as_str(), "until": until.map(|until| until.0)});
        }
        if let Some(Paused { by, reason, at }) = &self.paused {
            data["paused"] = json!({"by": by, "reason": reason, "at": at.0});
        }
        if !self.seen.is_empty() {
            data["seen"] =
                self.seen.iter().map(|mark| json!([format!("{:016x}", mark.hash), mark.at.0])).collect();
        }
        if let Some(before) = self.seen_before {
            data["seen_before"] = before.0.into();
        }
        data
    }

    pub(crate) fn from_data(data: &[u8]) -> Option<Self> {
        let data = serde_json::from_slice::<Value>(data).ok()?;
        let number = |name: &str| data[name].as_u64();
        let position = Position(number("position")?);
        let list = |name: &str| data[name].as_array().map(Vec::as_slice).unwrap_or_default();
        let run = |run: &Value| {
            Some(OpenRun { first: Position(run[0].as_u64()?), last: Position(run[1].as_u64()?) })
        };
        let mark = |mark: &Value| {
            let hash = u64::from_str_radix(mark[0].as_str()?, 16).ok()?;
            Some(Mark { hash, at: Timestamp(mark[1].as_i64()?) })
        };
        Some(Self {
            save: number("save").unwrap_or(0),
            position,
            read_to: number("read_to").map_or(position, Position),
            done: number("done")?,
            dead: number("dead")?,
            skipped: number("skipped")?,
            open: list("open").iter().map(run).collect::<Option<_>>()?,
            retries: list("retries").iter().map(RetryMark::from_json).collect::<Option<_>>()?,
            breaker: breaker(&data["breaker"]),
            paused: Paused::from_json(&data["paused"]),
            seen: list("seen").iter().map(mark).collect::<Option<_>>()?,
            seen_before: number("seen_before").map(Position),
        })
    }

    /// The last one on the log, and where it stands; `None` for a handler that was never there.
    pub(crate) fn load(log: &Log, handler: &str) -> Result<Option<(Position, Self)>, JournalError> {
        let Some(head) = log.journal().stream_head(&stream(handler))? else { return Ok(None) };
        Ok(Self::at(log, handler, head.position)?.map(|progress| (head.position, progress)))
    }

    /// Whether an event that is meant is settled: done, dead or skipped.
    pub(crate) fn has_settled(&self, position: Position) -> bool {
        let is_open = |run: &OpenRun| run.first <= position && position <= run.last;
        position <= self.read_to && !self.open.iter().any(is_open)
    }

    /// The one at a position.
    pub(crate) fn at(log: &Log, handler: &str, position: Position) -> Result<Option<Self>, JournalError> {
        let event = log.journal().get(position)?;
        let event = event.filter(|event| event.kind() == PROGRESS && event.stream() == stream(handler));
        Ok(event.as_ref().and_then(|event| event.data()).and_then(Self::from_data))
    }
}

impl RetryMark {
    fn to_json(&self) -> Value {
        let error = self.error.as_ref();
        let error =
            error.map(|(code, message)| json!([head(code, ERROR_BYTES_MAX), head(message, ERROR_BYTES_MAX)]));
        json!([self.position.0, self.attempts, self.alone, self.next.map(|next| next.0), error])
    }

    fn from_json(mark: &Value) -> Option<Self> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        Some(Self {
            position: Position(mark[0].as_u64()?),
            attempts: u32::try_from(mark[1].as_u64()?).ok()?,
            alone: mark[2].as_bool()?,
            next: mark[3].as_i64().map(Timestamp),
            error: text(&mark[4][0]).zip(text(&mark[4][1])),
        })
    }
}

impl Paused {
    fn from_json(value: &Value) -> Option<Self> {
        let text = |name: &str| value[name].as_str().map(str::to_owned);
        Some(Self { by: text("by")?, reason: text("reason")?, at: Timestamp(value["at"].as_i64()?) })
    }
}

fn breaker(value: &Value) -> Option<(BreakerState, Option<Timestamp>)> {
    let state = match value["state"].as_str()? {
        "open" => BreakerState::Open,
        "half_open" => BreakerState::HalfOpen,
        _ => BreakerState::Closed,
    };
    Some((state, value["until"].as_i64().map(Timestamp)))
}

/// The stream of a handler's bookkeeping.
pub(crate) fn stream(handler: &str) -> String {
    format!("handler/{handler}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use tacho_event::json;

    #[test]
    fn what_is_written_is_read() {
        let progress = Progress {
            save: 3,
            position: Position(42),
            read_to: Position(99),
            done: 7,
            dead: 1,
            skipped: 2,
            open: vec![OpenRun { first: Position(43), last: Position(50) }],
            retries: vec![RetryMark {
                position: Position(43),
                attempts: 2,
                alone: true,
                next: Some(Timestamp(5)),
                error: Some(("timeout".into(), "too slow".into())),
            }],
            breaker: Some((BreakerState::Open, Some(Timestamp(9)))),
            paused: Some(Paused { by: "user:ann".into(), reason: "deploy".into(), at: Timestamp(8) }),
            seen: vec![Mark { hash: u64::MAX, at: Timestamp(7) }],
            seen_before: Some(Position(12)),
        };
        let event = progress.to_event("review", Timestamp(0)).unwrap();
        assert_eq!((event.stream(), event.id()), ("handler/review", "review:save:3"));
        assert_eq!(Progress::from_data(json::member(event.body(), "data").unwrap()), Some(progress));
    }

    #[test]
    fn what_a_sink_wrote_is_read() {
        let read = Progress::from_data(br#"{"position":42,"done":7,"dead":1,"skipped":2}"#).unwrap();
        assert_eq!((read.read_to, read.save, read.open.len()), (Position(42), 0, 0));
    }
}
