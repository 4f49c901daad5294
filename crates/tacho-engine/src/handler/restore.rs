//! A handler as the log says that it is.

use super::Definition;
use super::chooser::Chooser;
use super::core::{Core, Moment};
use super::progress::Progress;
use super::seen::{MAX_SEEN, Mark, Seen};
use crate::delivery::{HandlerError, Start};
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
) -> Result<Core, HandlerError> {
    let fault = |source| HandlerError::Journal { name: definition.name.clone(), source };
    let (name, policy) = (definition.name.as_str(), definition.policy.clone());
    let head = log.head();
    let loaded = Progress::load(log, name).map_err(fault)?;
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
    let marks = marks(log, definition, &progress, moment).map_err(fault)?;
    let mut core = Core::new(name, policy, progress.clone(), &marks, moment);
    if let Some(at) = at.filter(|_| !progress.seen.is_empty()) {
        core.outbox.set_seen_before(Some(at));
    }
    for run in &progress.open {
        let wanted = wanted_between(log, chooser, run.first, run.last).map_err(fault)?;
        let items = chooser.choose(wanted);
        let items = items.map_err(|failure| HandlerError::Choice { name: name.to_owned(), failure })?;
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

/// What may be meant between two positions.
fn wanted_between(
    log: &Log,
    chooser: &Chooser,
    first: Position,
    last: Position,
) -> Result<Vec<Recorded>, JournalError> {
    let (mut wanted, mut from) = (Vec::new(), first);
    while from <= last {
        let events = log.read(from, CHUNK)?;
        let Some(end) = events.last().map(|event| event.position) else { break };
        wanted.extend(events.into_iter().filter(|event| event.position <= last && chooser.may_want(event)));
        from = end.next();
    }
    Ok(wanted)
}
