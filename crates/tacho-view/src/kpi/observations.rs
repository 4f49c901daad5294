//! The rows of observations.

use super::money::NanoUsd;
use super::observation::{Observation, Outcome, What};
use crate::error::ViewError;
use rusqlite::{Connection, Params, Row};
use std::collections::HashSet;
use std::rc::Rc;
use tacho_event::{Position, Recorded, json};

/// An observation as it was kept.
#[derive(Debug, Clone)]
pub(crate) struct Observed {
    pub position: i64,
    pub what: What,
    /// In nanoseconds since 1970.
    pub time: i64,
    pub duration: i64,
    pub outcome: Outcome,
    pub cost: Option<NanoUsd>,
    pub session: Option<Rc<str>>,
    pub source: Option<Rc<str>>,
    pub task: Option<Rc<str>>,
    pub feature: Option<Rc<str>>,
    pub agent: Option<Rc<str>>,
    pub model: Option<Rc<str>>,
}

/// The texts of the rows that are read together, each held once: a window of many events names few agents and sessions.
#[derive(Default)]
struct Texts(HashSet<Rc<str>>);

impl Texts {
    fn read(&mut self, row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Rc<str>>> {
        let Some(text) = row.get_ref(column)?.as_str_or_null()? else { return Ok(None) };
        if let Some(known) = self.0.get(text) {
            return Ok(Some(known.clone()));
        }
        let new: Rc<str> = text.into();
        self.0.insert(new.clone());
        Ok(Some(new))
    }
}

pub(super) fn insert(
    database: &Connection,
    event: &Recorded,
    seen: &Observation<'_>,
) -> Result<(), ViewError> {
    let (Some(what), Some(outcome)) = (seen.what, seen.outcome) else { return Ok(()) };
    let session = event.text("sessionid");
    // Only a decision is matched by its source.
    let source = matches!(what, What::Decided | What::Completed).then(|| event.source());
    database
        .prepare_cached(
            "INSERT INTO observations VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        )?
        .execute((
            event.position.0 as i64,
            what as i64,
            event.time().0,
            seen.duration,
            outcome as i64,
            seen.cost.map(|cost| cost.0),
            session.as_deref(),
            source,
            seen.task.as_deref(),
            seen.feature.as_deref(),
            seen.agent.as_deref(),
            seen.model.as_deref(),
        ))?;
    name_subagent(database, event, what)
}

/// A subagent's events name it by its id; its start tells what it is.
fn name_subagent(database: &Connection, event: &Recorded, what: What) -> Result<(), ViewError> {
    let member = |name| event.data().and_then(|data| json::member(data, name)).map(json::text);
    if what != What::TurnStarted {
        return Ok(());
    }
    let (Some(id), Some(name)) = (member("agent_id"), member("agent_type")) else { return Ok(()) };
    if !name.is_empty() {
        database
            .prepare_cached("INSERT OR REPLACE INTO agents VALUES (?1, ?2)")?
            .execute((super::bounded(&id), super::bounded(&name)))?;
    }
    Ok(())
}

/// Those of a time span, by position. Turns and completions that reach into it from before are among them when they
/// are not older than `reach`.
pub(super) fn within(
    database: &Connection,
    from: i64,
    to: i64,
    reach: i64,
) -> Result<Vec<Observed>, ViewError> {
    let sql = "SELECT * FROM observations WHERE time > ?1 AND time <= ?2
               OR (what IN (6, 7) AND time > ?1 - ?3 AND time <= ?1) ORDER BY position";
    select(database, sql, (from, to, reach))
}

pub(super) fn of_task(database: &Connection, task: &str) -> Result<Vec<Observed>, ViewError> {
    select(database, "SELECT * FROM observations WHERE task = ?1 ORDER BY time, position", [task])
}

/// The tasks that were queued for a feature.
pub(super) fn tasks_of_feature(database: &Connection, feature: &str) -> Result<Vec<String>, ViewError> {
    let mut statement = database.prepare_cached(
        "SELECT DISTINCT task FROM observations WHERE feature = ?1 AND what = 1 AND task IS NOT NULL",
    )?;
    let tasks = statement.query_map([feature], |row| row.get(0))?;
    Ok(tasks.collect::<Result<_, _>>()?)
}

/// The feature for which a task was queued.
pub(super) fn feature_of_task(database: &Connection, task: &str) -> Result<Option<String>, ViewError> {
    let tasks = of_task(database, task)?;
    Ok(tasks
        .into_iter()
        .filter(|seen| seen.what == What::Queued)
        .find_map(|seen| seen.feature)
        .map(|feature| feature.to_string()))
}

/// Whether a validation of the task passed behind a position.
pub(crate) fn has_passed(database: &Connection, task: &str, behind: Position) -> Result<bool, ViewError> {
    let mut statement = database.prepare_cached(
        "SELECT 1 FROM observations WHERE task = ?1 AND what = ?2 AND outcome = ?3 AND position > ?4",
    )?;
    let what = (super::bounded(task), What::Validated as i64, Outcome::Success as i64, behind.0 as i64);
    Ok(statement.exists(what)?)
}

/// The model with which an agent took up a task last.
pub(super) fn model_of_start(
    database: &Connection,
    task: &str,
    agent: &str,
) -> Result<Option<String>, ViewError> {
    let mut statement = database.prepare_cached(
        "SELECT model FROM observations WHERE task = ?1 AND agent = ?2 AND what = ?3 AND model IS NOT NULL
         ORDER BY position DESC LIMIT 1",
    )?;
    let mut models = statement.query_map((task, agent, What::Started as i64), |row| row.get(0))?;
    Ok(models.next().transpose()?)
}

/// What an agent is, by its id; itself where nothing told.
pub(super) fn agent_name(database: &Connection, id: &str) -> Result<String, ViewError> {
    let mut statement = database.prepare_cached("SELECT name FROM agents WHERE id = ?1")?;
    let mut names = statement.query_map([id], |row| row.get(0))?;
    Ok(names.next().transpose()?.unwrap_or_else(|| id.to_owned()))
}

fn select(database: &Connection, sql: &str, parameters: impl Params) -> Result<Vec<Observed>, ViewError> {
    let mut statement = database.prepare_cached(sql)?;
    let mut texts = Texts::default();
    let rows = statement.query_map(parameters, |row| read(row, &mut texts))?;
    let rows: Vec<Option<Observed>> = rows.collect::<Result<_, _>>()?;
    Ok(rows.into_iter().flatten().collect())
}

fn read(row: &Row<'_>, texts: &mut Texts) -> rusqlite::Result<Option<Observed>> {
    let Some(what) = What::from_number(row.get(1)?) else { return Ok(None) };
    Ok(Some(Observed {
        position: row.get(0)?,
        what,
        time: row.get(2)?,
        duration: row.get(3)?,
        outcome: Outcome::from_number(row.get(4)?),
        cost: row.get::<_, Option<i64>>(5)?.map(NanoUsd),
        session: texts.read(row, 6)?,
        source: texts.read(row, 7)?,
        task: texts.read(row, 8)?,
        feature: texts.read(row, 9)?,
        agent: texts.read(row, 10)?,
        model: texts.read(row, 11)?,
    }))
}
