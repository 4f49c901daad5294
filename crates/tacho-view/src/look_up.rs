//! Which events of a run match.

use crate::bits::{Bits, low};
use crate::error::ViewError;
use crate::page::{Visit, each_entry, page_id};
use crate::plan::{Plan, Selector};
use crate::postings;
use crate::run::Run;
use rusqlite::{Connection, OptionalExtension};

pub(crate) struct LookUp<'a> {
    database: &'a Connection,
    /// What matches so far.
    pub found: Bits,
    clause: Bits,
}

impl<'a> LookUp<'a> {
    pub(crate) fn new(database: &'a Connection) -> Self {
        Self { database, found: Bits::new(), clause: Bits::new() }
    }

    /// Sets `found` to the events of `run` that match.
    pub(crate) fn evaluate(&mut self, plan: &Plan<'_>, run: &Run) -> Result<(), ViewError> {
        self.found.clear();
        let too_early = run.highest < plan.since;
        let too_late = plan.until.is_some_and(|until| run.lowest >= until);
        if too_early || too_late {
            return Ok(());
        }
        self.found.set_range(low(run.first), low(run.last));
        for clause in &plan.clauses {
            self.clause.clear();
            for selector in &clause.any {
                match selector {
                    Selector::Term(term) => self.add_term(run, term)?,
                    Selector::Range(prefix, keep) => {
                        self.add_range(run, prefix, &|term| keep.passes(term))?
                    }
                }
            }
            self.found.and(&self.clause);
            if self.found.is_empty() {
                return Ok(());
            }
        }
        if let Some(prefix) = &plan.without {
            self.clause.clear();
            self.add_range(run, prefix, &|_| true)?;
            self.found.and_not(&self.clause);
        }
        self.keep_times(plan, run)
    }

    fn keep_times(&mut self, plan: &Plan<'_>, run: &Run) -> Result<(), ViewError> {
        let (since, until) = (plan.since, plan.until);
        let all_before = until.is_none_or(|until| run.highest < until);
        if (run.lowest >= since && all_before) || self.found.is_empty() {
            return Ok(());
        }
        let found = &mut self.found;
        run.each_time(self.database, |position, time| {
            if time < since || until.is_some_and(|until| time >= until) {
                found.unset(low(position));
            }
        })
    }

    fn add_term(&mut self, run: &Run, wanted: &[u8]) -> Result<(), ViewError> {
        let Some(page) = self.page_of(run, wanted)? else { return Ok(()) };
        let bits = &mut self.clause;
        each_page(self.database, run, page..=page, &mut |term, data| {
            if term == wanted {
                postings::add_to(data, bits)?;
            }
            Ok(term < wanted)
        })
    }

    fn add_range(
        &mut self,
        run: &Run,
        prefix: &[u8],
        passes: &dyn Fn(&[u8]) -> bool,
    ) -> Result<(), ViewError> {
        let Some(page) = self.page_of(run, prefix)? else { return Ok(()) };
        let bits = &mut self.clause;
        each_page(self.database, run, page..=i64::MAX, &mut |term, data| {
            if term < prefix {
                return Ok(true);
            }
            let within = term.starts_with(prefix);
            if within && passes(term) {
                postings::add_to(data, bits)?;
            }
            Ok(within)
        })
    }

    /// The number of the one page of `run` that can hold the term.
    fn page_of(&self, run: &Run, term: &[u8]) -> Result<Option<i64>, ViewError> {
        let mut statement = self.database.prepare_cached(
            "SELECT page FROM fences WHERE run = ?1 AND term <= ?2 ORDER BY term DESC LIMIT 1",
        )?;
        Ok(statement.query_row((run.id, term), |row| row.get(0)).optional()?)
    }
}

/// Calls `visit` with the terms of some pages of a run and their positions, until it answers false.
fn each_page(
    database: &Connection,
    run: &Run,
    numbers: std::ops::RangeInclusive<i64>,
    visit: &mut Visit<'_>,
) -> Result<(), ViewError> {
    let mut statement =
        database.prepare_cached("SELECT entries FROM pages WHERE id >= ?1 AND id <= ?2 ORDER BY id")?;
    let first = page_id(run.id, 0);
    let last = page_id(run.id + 1, 0) - 1;
    let to = first.saturating_add(*numbers.end()).min(last);
    let mut rows = statement.query((first + numbers.start(), to))?;
    while let Some(row) = rows.next()? {
        let page = row.get_ref(0)?.as_blob().map_err(|_| ViewError::Damaged("a page is no bytes"))?;
        if !each_entry(page, visit)? {
            break;
        }
    }
    Ok(())
}
