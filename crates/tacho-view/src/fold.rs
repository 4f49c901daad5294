//! What a fold does: it turns events into runs, and keeps the runs few.

use crate::bits::{low, segment};
use crate::error::ViewError;
use crate::facts::Facts;
use crate::gather::Gather;
use crate::heals;
use crate::kpi;
use crate::letters;
use crate::merge::Merge;
use crate::page::PageWriter;
use crate::policy;
use crate::run::{self, Run};
use crate::streams::StreamFold;
use crate::term;
use crate::traffic::TrafficFold;
use crate::types::TypeFold;
use rusqlite::Connection;
use tacho_event::{Position, Recorded};

/// Most events of a run as it is first written.
const RUN_EVENTS: usize = 8192;
/// Pages that `tidy` merges in one go: some 10 ms.
const TIDY_PAGES: u32 = 256;

pub(crate) struct FoldState {
    position: u64,
    /// All of them, in ascending order.
    runs: Vec<Run>,
    next_run: i64,
    /// The merge of runs of a complete segment that is under way.
    merge: Option<Merge>,
    streams: StreamFold,
    types: TypeFold,
    traffic: TrafficFold,
    gather: Gather,
    times: Vec<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Idle {
    /// There is more to merge.
    More,
    Done,
}

impl FoldState {
    pub(crate) fn load(database: &Connection) -> Result<Self, ViewError> {
        let (position, unfinished): (i64, Option<i64>) =
            database.query_row("SELECT position, unfinished FROM head", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        if let Some(run) = unfinished {
            let transaction = database.unchecked_transaction()?;
            run::remove_pages(&transaction, run)?;
            set_unfinished(&transaction, None)?;
            transaction.commit()?;
        }
        let runs = run::between(database, 1, u64::MAX)?;
        let follows = |last: u64, run: &Run| (run.first == last + 1).then_some(run.last);
        let position = position as u64;
        if runs.iter().try_fold(0, follows) != Some(position) {
            return Err(ViewError::Damaged("the runs do not follow each other"));
        }
        let last_run = runs.iter().map(|run| run.id).chain(unfinished).max().unwrap_or(0);
        Ok(Self {
            position,
            runs,
            next_run: last_run + 1,
            merge: None,
            streams: StreamFold::load(database)?,
            types: TypeFold::default(),
            traffic: TrafficFold::default(),
            gather: Gather::default(),
            times: Vec::new(),
        })
    }

    pub(crate) fn position(&self) -> Position {
        Position(self.position)
    }

    pub(crate) fn fold(&mut self, database: &Connection, events: &[Recorded]) -> Result<(), ViewError> {
        let mut pages = 0;
        for event in events {
            let ends_here = self.times.len() >= RUN_EVENTS
                || self.gather.is_full()
                || (segment(event.position.0) != segment(self.position) && !self.times.is_empty());
            if ends_here {
                pages += self.write_run(database)?;
            }
            self.add(database, event)?;
        }
        pages += self.write_run(database)?;
        self.types.flush(database)?;
        self.traffic.flush(database)?;
        database.prepare_cached("UPDATE head SET position = ?1")?.execute([self.position as i64])?;
        self.merge_small(database)?;
        // Twice what came in, so that a segment is one run long before the next is complete.
        self.merge_segment(database, 2 * pages + 2).map(drop)
    }

    /// Does a part of what is left to merge.
    pub(crate) fn tidy(&mut self, database: &Connection) -> Result<Idle, ViewError> {
        self.merge_segment(database, TIDY_PAGES)
    }

    /// Gives memory back that only bulk work needs.
    pub(crate) fn release(&mut self) {
        self.gather.release();
        self.streams.release();
    }

    fn add(&mut self, database: &Connection, event: &Recorded) -> Result<(), ViewError> {
        let facts = Facts::read(event);
        let phase = self.streams.advance(database, event, &facts)?;
        self.types.add(event.kind(), event.position, facts.time);
        self.traffic.add(event);
        kpi::observe(database, event, &facts)?;
        if event.kind().starts_with("tacho.dead_letter") {
            letters::observe(database, event)?;
            heals::observe(database, event)?;
        } else if event.kind().starts_with("tacho.heal") {
            heals::observe(database, event)?;
        }
        let (gather, place) = (&mut self.gather, low(event.position.0));
        term::visit(event, &facts, phase.as_deref(), &mut |kind, text| gather.add(kind, text, place));
        self.times.push(facts.time.0);
        self.position = event.position.0;
        Ok(())
    }

    /// Writes the run of the events since the last one. Answers how many pages it has.
    fn write_run(&mut self, database: &Connection) -> Result<u32, ViewError> {
        let mut pages = PageWriter::new(self.next_run);
        self.next_run += 1;
        self.gather.drain(|term, lows| pages.push(database, term, lows))?;
        pages.finish(database)?;
        let run = Run {
            id: pages.run(),
            first: self.position + 1 - self.times.len() as u64,
            last: self.position,
            lowest: self.times.iter().copied().min().unwrap_or_default(),
            highest: self.times.iter().copied().max().unwrap_or_default(),
            pages: pages.written(),
        };
        run.insert(database, &self.times)?;
        self.runs.push(run);
        self.times.clear();
        self.streams.flush(database)?;
        Ok(pages.written())
    }

    /// Merges the last runs where they are many and small.
    fn merge_small(&mut self, database: &Connection) -> Result<(), ViewError> {
        while let Some(range) = policy::small(&self.runs, self.position) {
            let from = self.runs.split_off(range.start);
            let mut merge = Merge::start(database, from, self.next_run)?;
            self.next_run += 1;
            self.runs.extend(merge.step(database, u32::MAX)?);
        }
        Ok(())
    }

    /// Merges what is to be one run of a complete segment, some `pages` at a time.
    fn merge_segment(&mut self, database: &Connection, pages: u32) -> Result<Idle, ViewError> {
        let mut merge = match self.merge.take() {
            Some(merge) => merge,
            None => {
                let Some(range) = policy::complete(&self.runs, self.position) else {
                    return Ok(Idle::Done);
                };
                let from = self.runs[range].to_vec();
                let run = self.next_run;
                self.next_run += 1;
                set_unfinished(database, Some(run))?;
                Merge::start(database, from, run)?
            }
        };
        match merge.step(database, pages)? {
            None => self.merge = Some(merge),
            Some(run) => {
                let start = self.runs.partition_point(|known| known.first < run.first);
                self.runs.splice(start..start + merge.from.len(), [run]);
                set_unfinished(database, None)?;
            }
        }
        Ok(Idle::More)
    }
}

impl std::fmt::Debug for FoldState {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("FoldState").field("position", &self.position).finish_non_exhaustive()
    }
}

/// Notes the run whose pages are being written over several transactions: who opens the view next removes them.
fn set_unfinished(database: &Connection, run: Option<i64>) -> Result<(), ViewError> {
    database.prepare_cached("UPDATE head SET unfinished = ?1")?.execute([run])?;
    Ok(())
}
