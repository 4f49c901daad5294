//! A handler as the log says that it is.

use super::Definition;
use super::chooser::Chooser;
use super::core::{Core, Item, Moment};
use super::progress::Progress;
use super::seen::{MAX_SEEN, Mark, Seen};
use crate::delivery::Start;
use crate::log::Log;
use tacho_event::{Position, Recorded};
use tacho_journal::{JournalError, ReadLimit};

/// What is read at once.
const CHUNK: ReadLimit = ReadLimit { events: 1_024, bytes: 1 << 20 };

/// Whether the handler was never there.
pub(super) fn is_new(log: &Log, name: &str) -> Result<bool, JournalError> {
    Ok(Progress::load(log, name)?.is_none())
}

/// A handler as the log says, with what it had not settled.
pub(super) fn restore(
    log: &Log,
    definition: &Definition,
    chooser: &Chooser,
    moment: Moment,
) -> Result<Core, JournalError> {
    let (name, policy) = (definition.name.as_str(), definition.policy.clone());
    let head = log.head();
    let loaded = Progress::load(log, name)?;
    let (at, progress) = match loaded {
        Some((at, progress)) => (Some(at), progress),
        None => {
            let position = match policy.start {
                Start::Now => head,
                Start::Beginning => Position::ZERO,
                Start::After(position) => position.min(head),
            };
            (None, Progress { position, read_to: position, ..Progress::default() })
        }
    };
    let marks = marks(log, definition, &progress, moment)?;
    let mut core = Core::new(name, policy, progress.clone(), &marks, moment);
    if let Some(at) = at.filter(|_| !progress.seen.is_empty()) {
        core.outbox.set_seen_before(Some(at));
    }
    for run in &progress.open {
        let items = open_between(log, chooser, run.first, run.last)?;
        core.reopen(items, &progress.retries, moment);
    }
    Ok(core)
}

/// What was seen before the last save and still counts, the oldest first.
fn marks(
    log: &Log,
    definition: &Definition,
    progress: &Progress,
    moment: Moment,
) -> Result<Vec<Mark>, JournalError> {
    let Some(dedupe) = &definition.policy.dedupe else { return Ok(Vec::new()) };
    let horizon = Seen::new(dedupe.window_ms).horizon(moment.now);
    let (mut marks, mut before) = (Vec::new(), progress.seen_before);
    while let Some(position) = before
        && let Some(save) = Progress::at(log, &definition.name, position)?
    {
        let is_over = save.seen.first().is_none_or(|mark| mark.at < horizon) || marks.len() >= MAX_SEEN;
        marks.extend(save.seen.into_iter().rev());
        before = save.seen_before.filter(|_| !is_over);
    }
    marks.reverse();
    Ok(marks)
}

/// What is meant between two positions.
fn open_between(
    log: &Log,
    chooser: &Chooser,
    first: Position,
    last: Position,
) -> Result<Vec<Item>, JournalError> {
    let (mut items, mut from) = (Vec::new(), first);
    while from <= last {
        let events = log.read(from, CHUNK)?;
        let Some(end) = events.last().map(|event| event.position) else { break };
        let wanted = events.into_iter().filter(|event| event.position <= last && chooser.may_want(event));
        // What cannot be decided now is decided when it is delivered.
        let wanted: Vec<Recorded> = wanted.collect();
        match chooser.choose(wanted.clone()) {
            Ok(chosen) => items.extend(chosen),
            Err(_) => items.extend(wanted.into_iter().map(Item::new)),
        }
        from = end.next();
    }
    Ok(items)
}
