//! A page of the events that a filter may mean.

use crate::bits::{SEGMENT_EVENTS, low, segment};
use crate::error::ViewError;
use crate::look_up::LookUp;
use crate::plan::Plan;
use crate::run;
use rusqlite::Connection;
use tacho_event::{Filter, Position};

/// Where to look, and how much to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scan {
    /// Where the scan starts, exclusive; `None` is the log's beginning, its head in reverse.
    pub after: Option<Position>,
    /// Where it ends, inclusive; `None` is the log's head, its beginning in reverse.
    pub until: Option<Position>,
    /// From the newest to the oldest.
    pub reverse: bool,
    /// Most positions of the answer.
    pub limit: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidates {
    /// In the order of the scan.
    pub positions: Vec<Position>,
    /// Everything from the start up to here was looked at: where the next page starts.
    pub scanned_to: Position,
    /// Whether that is all there is.
    pub end: bool,
}

/// The positions of a scan, as an ascending range with both ends included; empty where `first > last`.
struct Bounds {
    first: u64,
    last: u64,
}

impl Bounds {
    fn new(scan: &Scan, head: u64) -> Self {
        let (after, until) = (scan.after.map(|position| position.0), scan.until.map(|position| position.0));
        if scan.reverse {
            let last = after.map_or(head, |after| after.saturating_sub(1).min(head));
            Self { first: until.unwrap_or(1).max(1), last }
        } else {
            let first = after.map_or(1, |after| after.saturating_add(1));
            Self { first, last: until.map_or(head, |until| until.min(head)) }
        }
    }
}

/// `head` is the last position that is folded.
pub(crate) fn scan(
    database: &Connection,
    head: Position,
    filter: &Filter,
    scan: &Scan,
    keep_going: &mut dyn FnMut() -> bool,
) -> Result<Candidates, ViewError> {
    let bounds = Bounds::new(scan, head.0);
    let nothing_left = if scan.reverse {
        Position(bounds.first.min(bounds.last.saturating_add(1)))
    } else {
        Position(bounds.last.max(bounds.first.saturating_sub(1)))
    };
    let mut answer = Candidates { positions: Vec::new(), scanned_to: nothing_left, end: true };
    if bounds.first > bounds.last {
        return Ok(answer);
    }
    let mut runs = run::between(database, bounds.first, bounds.last)?;
    if scan.reverse {
        runs.reverse();
    }
    let plan = Plan::new(filter);
    let mut look_up = LookUp::new(database);
    for (index, run) in runs.iter().enumerate() {
        if index > 0 && !keep_going() {
            let seen = &runs[index - 1];
            answer.scanned_to = Position(if scan.reverse { seen.first } else { seen.last });
            answer.end = false;
            return Ok(answer);
        }
        look_up.evaluate(&plan, run)?;
        look_up.found.keep_range(low(bounds.first.max(run.first)), low(bounds.last.min(run.last)));
        let base = segment(run.first) * SEGMENT_EVENTS;
        look_up.found.each(scan.reverse, |low| {
            answer.positions.push(Position(base + u64::from(low)));
            answer.positions.len() < scan.limit
        });
        if answer.positions.len() >= scan.limit {
            return Ok(cut(answer, scan));
        }
    }
    Ok(answer)
}

/// An answer that is full.
fn cut(mut answer: Candidates, scan: &Scan) -> Candidates {
    answer.positions.truncate(scan.limit);
    let Some(last) = answer.positions.last().copied() else {
        // A limit of nothing: nothing was looked at either.
        let start = scan.after.unwrap_or(if scan.reverse { Position(u64::MAX) } else { Position::ZERO });
        return Candidates { positions: Vec::new(), scanned_to: start, end: false };
    };
    answer.end = last == answer.scanned_to;
    answer.scanned_to = last;
    answer
}
