//! One run made of several neighbours, a few pages at a time.

use crate::error::ViewError;
use crate::gather::sort_key;
use crate::page::{PageReader, PageWriter};
use crate::postings::append_to;
use crate::run::Run;
use rusqlite::Connection;

pub(crate) struct Merge {
    /// Neighbours, in ascending order.
    pub(crate) from: Vec<Run>,
    inputs: Vec<Input>,
    output: PageWriter,
    term: Vec<u8>,
    lows: Vec<u16>,
}

/// A run that is not yet read to its end.
struct Input {
    reader: PageReader,
    key: u64,
}

impl Merge {
    pub(crate) fn start(database: &Connection, from: Vec<Run>, run: i64) -> Result<Self, ViewError> {
        let mut inputs = Vec::with_capacity(from.len());
        for run in &from {
            let mut reader = PageReader::new(run.id);
            if reader.advance(database)? {
                inputs.push(Input { key: sort_key(&reader.term), reader });
            }
        }
        Ok(Self { from, inputs, output: PageWriter::new(run), term: Vec::new(), lows: Vec::new() })
    }

    /// Writes some `pages` more. Answers the new run when it stands in the place of the old ones.
    pub(crate) fn step(&mut self, database: &Connection, pages: u32) -> Result<Option<Run>, ViewError> {
        let enough = self.output.written().saturating_add(pages);
        while !self.inputs.is_empty() {
            if self.output.written() >= enough {
                return Ok(None);
            }
            self.merge_term(database)?;
        }
        self.output.finish(database)?;
        self.replace(database).map(Some)
    }

    fn merge_term(&mut self, database: &Connection) -> Result<(), ViewError> {
        let order = |input: &&Input, other: &&Input| {
            input.key.cmp(&other.key).then_with(|| input.reader.term.cmp(&other.reader.term))
        };
        let Some(least) = self.inputs.iter().min_by(order) else { return Ok(()) };
        let key = least.key;
        self.term.clone_from(&least.reader.term);
        self.lows.clear();
        let mut ended = false;
        for input in &mut self.inputs {
            if input.key != key || input.reader.term != self.term {
                continue;
            }
            let before = self.lows.len();
            append_to(input.reader.postings(), &mut self.lows)?;
            let follows = match self.lows.get(before) {
                Some(low) => before == 0 || self.lows[before - 1] < *low,
                None => false,
            };
            if !follows {
                return Err(ViewError::Damaged("the positions of neighbours do not ascend"));
            }
            if input.reader.advance(database)? {
                input.key = sort_key(&input.reader.term);
                if input.reader.term <= self.term {
                    return Err(ViewError::Damaged("the terms of a run do not ascend"));
                }
            } else {
                input.reader.term.clear();
                ended = true;
            }
        }
        if ended {
            self.inputs.retain(|input| !input.reader.term.is_empty());
        }
        self.output.push(database, &self.term, &self.lows)
    }

    fn replace(&self, database: &Connection) -> Result<Run, ViewError> {
        let (first, last) = (self.from[0], self.from[self.from.len() - 1]);
        let mut times = Vec::with_capacity((last.last + 1 - first.first) as usize);
        for run in &self.from {
            run.each_time(database, |_, time| times.push(time))?;
            run.remove(database)?;
        }
        let run = Run {
            id: self.output.run(),
            first: first.first,
            last: last.last,
            lowest: self.from.iter().map(|run| run.lowest).min().unwrap_or_default(),
            highest: self.from.iter().map(|run| run.highest).max().unwrap_or_default(),
            pages: self.output.written(),
        };
        run.insert(database, &times)?;
        Ok(run)
    }
}
