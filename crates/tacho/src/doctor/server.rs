//! The server: who holds the log, who answers, whether time goes forward.

use super::{Finding, fail, ok, warn};
use crate::data_folder;
use crate::identity;
use crate::place::{self, Place};
use tacho_event::Timestamp;

/// A log whose last event is this far ahead of the clock was written under another one.
const AHEAD_NANOS: i64 = 5_000_000_000;

pub fn holder(place: &Place) -> Vec<Finding> {
    const ABOUT: &str = "holder";
    match data_folder::holder(&place.data) {
        Some(holder) => ok(ABOUT, format!("the log is held by {holder}")),
        None => ok(ABOUT, "nobody holds the log"),
    }
}

pub fn answer(place: &Place) -> Vec<Finding> {
    const ABOUT: &str = "server";
    let server = place.client.server();
    if place.answers() {
        return match place::running(&place.data) {
            Some(running) if running.version != env!("CARGO_PKG_VERSION") => warn(
                ABOUT,
                format!("{server} answers, but is version {}", running.version),
                format!("restart it: this is version {}", env!("CARGO_PKG_VERSION")),
            ),
            _ => ok(ABOUT, format!("{server} answers")),
        };
    }
    match data_folder::holder(&place.data) {
        Some(holder) => fail(
            ABOUT,
            format!("{server} does not answer, though {holder} holds the log"),
            "look at its output, or stop it",
        ),
        None => warn(
            ABOUT,
            format!("{}; hooks spool", place.silence()),
            "start it with `tacho up`, for good with `tacho service install`",
        ),
    }
}

pub fn clock(place: &Place) -> Vec<Finding> {
    const ABOUT: &str = "clock";
    let now = identity::now();
    match last_recorded(place) {
        Some(last) if last.0 > now.0 + AHEAD_NANOS => warn(
            ABOUT,
            format!("it shows {now}, but the last event was recorded at {last}"),
            "set the clock: recorded times stand still until it has caught up",
        ),
        _ => ok(ABOUT, now.to_rfc3339_millis()),
    }
}

fn last_recorded(place: &Place) -> Option<Timestamp> {
    let options = tacho_journal::Options { read_only: true, ..Default::default() };
    let (journal, _) = tacho_journal::Journal::open(&place.data.join("journal"), options).ok()?;
    let last = journal.get(journal.head()).ok().flatten();
    // A reader changes nothing, so there is nothing that closing could lose.
    let _ = journal.close();
    last.map(|event| event.recorded)
}
