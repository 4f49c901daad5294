//! Pages: the sorted terms of a run, cut into pieces that each fit one page of the database.
//!
//! A page is a row of entries, `shared ‖ length ‖ the term's other bytes ‖ length ‖ positions`, where
//! `shared` says how many bytes the term begins with that the one before it in this page begins with too.
//! Beside each page stands a fence: a short text that is greater than the last term of the page before it, and
//! not greater than the page's first.

use crate::error::ViewError;
use crate::postings::{encode, read_number, write_number};
use rusqlite::{Connection, OptionalExtension};
use std::ops::Range;

/// Bytes after which a page is closed: with SQLite's own, one of its pages of 4,096.
const PAGE_BYTES: usize = 4040;
/// Bits of a page's key that number it within its run.
const PAGE_BITS: u32 = 24;

/// The key of a page.
pub(crate) fn page_id(run: i64, number: u32) -> i64 {
    run << PAGE_BITS | i64::from(number)
}

/// The pages of a run that is being written, term after term.
pub(crate) struct PageWriter {
    run: i64,
    written: u32,
    page: Vec<u8>,
    last: Vec<u8>,
    fence: Vec<u8>,
    postings: Vec<u8>,
}

impl PageWriter {
    pub(crate) fn new(run: i64) -> Self {
        Self { run, written: 0, page: Vec::new(), last: Vec::new(), fence: Vec::new(), postings: Vec::new() }
    }

    pub(crate) fn run(&self) -> i64 {
        self.run
    }

    /// Pages that are in the database.
    pub(crate) fn written(&self) -> u32 {
        self.written
    }

    /// Terms come in ascending order, each once.
    pub(crate) fn push(&mut self, database: &Connection, term: &[u8], lows: &[u16]) -> Result<(), ViewError> {
        self.postings.clear();
        encode(lows, &mut self.postings);
        let alike = self.last.iter().zip(term).take_while(|(last, new)| last == new).count();
        let size = term.len() - alike + self.postings.len() + 6;
        if !self.page.is_empty() && self.page.len() + size > PAGE_BYTES {
            self.flush(database)?;
            self.fence.extend_from_slice(&term[..alike + 1]);
        }
        let shared = if self.page.is_empty() { 0 } else { alike };
        write_number(shared as u32, &mut self.page);
        write_number((term.len() - shared) as u32, &mut self.page);
        self.page.extend_from_slice(&term[shared..]);
        write_number(self.postings.len() as u32, &mut self.page);
        self.page.extend_from_slice(&self.postings);
        self.last.truncate(alike);
        self.last.extend_from_slice(&term[alike..]);
        Ok(())
    }

    /// Writes the last page.
    pub(crate) fn finish(&mut self, database: &Connection) -> Result<(), ViewError> {
        if self.page.is_empty() { Ok(()) } else { self.flush(database) }
    }

    fn flush(&mut self, database: &Connection) -> Result<(), ViewError> {
        database
            .prepare_cached("INSERT INTO pages (id, entries) VALUES (?1, ?2)")?
            .execute((page_id(self.run, self.written), &self.page))?;
        database.prepare_cached("INSERT INTO fences (run, term, page) VALUES (?1, ?2, ?3)")?.execute((
            self.run,
            &self.fence,
            self.written,
        ))?;
        self.written += 1;
        self.page.clear();
        self.fence.clear();
        Ok(())
    }
}

/// Where one entry's positions stand in its page, and how the term continues.
struct Entry {
    shared: usize,
    rest: Range<usize>,
    postings: Range<usize>,
}

fn read_entry(page: &[u8], at: usize) -> Result<Entry, ViewError> {
    let mut data = page.get(at..).ok_or_else(damaged)?;
    let shared = read_number(&mut data)? as usize;
    let length = read_number(&mut data)? as usize;
    let start = page.len() - data.len();
    let rest = start..start + length;
    let mut data = page.get(rest.end..).ok_or_else(damaged)?;
    let length = read_number(&mut data)? as usize;
    let start = page.len() - data.len();
    let postings = start..start + length;
    if postings.end > page.len() { Err(damaged()) } else { Ok(Entry { shared, rest, postings }) }
}

/// What to do with a term and its encoded positions; false ends the walk.
pub(crate) type Visit<'a> = dyn FnMut(&[u8], &[u8]) -> Result<bool, ViewError> + 'a;

/// Calls `visit` with the terms of a page; answers whether it went through.
pub(crate) fn each_entry(page: &[u8], visit: &mut Visit<'_>) -> Result<bool, ViewError> {
    let mut term = Vec::with_capacity(64);
    let mut at = 0;
    while at < page.len() {
        let entry = read_entry(page, at)?;
        term.truncate(entry.shared);
        term.extend_from_slice(&page[entry.rest]);
        at = entry.postings.end;
        if !visit(&term, &page[entry.postings])? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The terms of a run, one at a time, over any number of transactions.
pub(crate) struct PageReader {
    run: i64,
    next_page: u32,
    page: Vec<u8>,
    at: usize,
    pub(crate) term: Vec<u8>,
    postings: Range<usize>,
}

impl PageReader {
    pub(crate) fn new(run: i64) -> Self {
        Self { run, next_page: 0, page: Vec::new(), at: 0, term: Vec::new(), postings: 0..0 }
    }

    pub(crate) fn postings(&self) -> &[u8] {
        &self.page[self.postings.clone()]
    }

    /// Goes to the next term; false behind the last.
    pub(crate) fn advance(&mut self, database: &Connection) -> Result<bool, ViewError> {
        if self.at >= self.page.len() && !self.load(database)? {
            return Ok(false);
        }
        let entry = read_entry(&self.page, self.at)?;
        self.term.truncate(entry.shared);
        self.term.extend_from_slice(&self.page[entry.rest]);
        self.at = entry.postings.end;
        self.postings = entry.postings;
        Ok(true)
    }

    fn load(&mut self, database: &Connection) -> Result<bool, ViewError> {
        let mut statement = database.prepare_cached("SELECT entries FROM pages WHERE id = ?1")?;
        self.page.clear();
        self.at = 0;
        let found = statement
            .query_row([page_id(self.run, self.next_page)], |row| {
                self.page.extend_from_slice(row.get_ref(0)?.as_blob()?);
                Ok(())
            })
            .optional()?;
        self.next_page += 1;
        Ok(found.is_some() && !self.page.is_empty())
    }
}

#[cold]
fn damaged() -> ViewError {
    ViewError::Damaged("a page of the index does not decode")
}
