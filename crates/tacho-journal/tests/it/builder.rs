//! Events and batches in few words.

use std::path::Path;
use tacho_event::{Draft, Event, Position, Recorded, Sameness, Sequence, Timestamp};
use tacho_journal::{Batch, Journal, Options, Precondition, ReadLimit};

pub fn event(stream: &str, id: &str, data: &str) -> Event {
    let mut draft = Draft::new("demo.a", "/t", id);
    draft.subject = Some(stream.into());
    draft.set_data(data.as_bytes());
    draft.finish(draft.content()).unwrap()
}

pub fn derived(stream: &str, id: &str, data: &str) -> Event {
    let mut draft = Draft::new("demo.a", "/t", id);
    draft.subject = Some(stream.into());
    draft.set_data(data.as_bytes());
    draft.finish(Sameness::FirstWins).unwrap()
}

pub fn batch(events: Vec<Event>) -> Batch {
    at(1, events)
}

pub fn at(now_ns: i64, events: Vec<Event>) -> Batch {
    Batch::new(events, Timestamp(now_ns), |salt| salt.fill(7))
}

pub fn expecting(stream: &str, sequence: u64) -> Precondition {
    Precondition { stream: stream.to_owned(), expected: Sequence(sequence) }
}

/// Small limits, so that a test reaches them.
pub fn small() -> Options {
    Options {
        new_log_id: *b"a log for tests!",
        segment_bytes: 16 << 10,
        preallocate_bytes: 4 << 10,
        block_bytes: 1 << 10,
        index_entries: 16,
        ..Options::default()
    }
}

pub fn open(folder: &Path) -> Journal {
    Journal::open(folder, small()).unwrap().0
}

pub fn all(journal: &Journal) -> Vec<Recorded> {
    let mut events = Vec::new();
    loop {
        let next = Position(events.len() as u64 + 1);
        let page = journal.read(next, ReadLimit { events: 7, bytes: 700 }).unwrap();
        if page.is_empty() {
            return events;
        }
        events.extend(page);
    }
}
