//! How far a handler is: its cursor and its counts, as they stand on the log.

use super::PROGRESS;
use tacho_event::{Draft, Event, EventError, Position, Sameness, Timestamp, json};
use tacho_journal::{Journal, JournalError};

/// Everything up to `position` is settled: delivered, dead, skipped, or not meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Progress {
    pub(crate) position: Position,
    /// Events since the handler's start.
    pub(crate) done: u64,
    pub(crate) dead: u64,
    pub(crate) skipped: u64,
}

impl Progress {
    /// Events that were meant and are settled.
    pub(crate) fn settled(&self) -> u64 {
        self.done + self.dead + self.skipped
    }

    /// The event that holds it. Its id follows from its content, so that the same progress is one event.
    pub(crate) fn to_event(self, handler: &str, now: Timestamp) -> Result<Event, EventError> {
        let Self { position, done, dead, skipped } = self;
        let id = format!("{handler}:{position}:{done}:{dead}:{skipped}");
        let mut draft = Draft::new(PROGRESS, "/tacho/delivery", id);
        draft.subject = Some(stream(handler).into());
        draft.put_text("time", &now.to_rfc3339());
        let data =
            format!("{{\"position\":{position},\"done\":{done},\"dead\":{dead},\"skipped\":{skipped}}}");
        draft.set_data(data.into_bytes());
        draft.finish(Sameness::FirstWins)
    }

    fn from_data(data: &[u8]) -> Option<Self> {
        let number = |name| json::text(json::member(data, name)?).parse::<u64>().ok();
        Some(Self {
            position: Position(number("position")?),
            done: number("done")?,
            dead: number("dead")?,
            skipped: number("skipped")?,
        })
    }

    /// The last one on the log; `None` for a handler that was never there. Every event of the stream holds
    /// the whole progress, so the last one is enough.
    pub(crate) fn load(journal: &Journal, handler: &str) -> Result<Option<Self>, JournalError> {
        let stream = stream(handler);
        let Some(head) = journal.stream_head(&stream)? else { return Ok(None) };
        let last = journal.get(head.position)?.filter(|event| event.stream() == stream);
        Ok(last.as_ref().and_then(|event| event.data()).and_then(Self::from_data))
    }
}

/// The stream of a handler's bookkeeping.
fn stream(handler: &str) -> String {
    format!("handler/{handler}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let progress = Progress { position: Position(42), done: 7, dead: 1, skipped: 2 };
        let event = progress.to_event("jsonl", Timestamp(0)).unwrap();
        assert_eq!((event.stream(), event.id()), ("handler/jsonl", "jsonl:42:7:1:2"));
        let data = json::member(event.body(), "data").unwrap();
        assert_eq!(Progress::from_data(data), Some(progress));
        assert_eq!(Progress::from_data(b"{\"position\":1}"), None);
    }
}
