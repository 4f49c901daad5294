//! The key figures of a window, each defined here and nowhere else. A figure without data is `None`, never 0.

use super::money::NanoUsd;
use super::observation::{Outcome, What};
use super::observations::{self, Observed};
use super::{requests, work};
use crate::error::ViewError;
use rusqlite::Connection;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;
use tacho_event::Timestamp;

const DAY_NS: i64 = 86_400 * 1_000_000_000;
/// How long before the window a turn may have begun that still reaches into it.
const REACH_NS: i64 = DAY_NS;
/// A recorded decision and the completion that tells the same are no further apart.
const SAME_DECISION_NS: i64 = 60 * 1_000_000_000;

/// A window of time: behind `from`, up to and with `to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetricsQuery {
    pub from: Timestamp,
    pub to: Timestamp,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metrics {
    /// Per agent, Σ duration of its completions and turns, each cut to the window, ÷ window. Above 1 where an agent did
    /// several things at once.
    pub agent_utilization: BTreeMap<String, f64>,
    /// Per agent, the share of the window in which it did anything.
    pub agent_busy: BTreeMap<String, f64>,
    /// In dollars: what completions and validations of a feature's tasks cost, averaged over the features that were
    /// completed in the window. A feature is complete when all tasks queued for it are.
    pub cost_per_feature: Option<f64>,
    /// Failed and rejected completions before a task was complete, averaged over the tasks completed in the window.
    pub average_retry_count: Option<f64>,
    /// Rejected ÷ decided. A recorded decision and its completion are one.
    pub critic_rejection_rate: Option<f64>,
    /// Passed ÷ validated.
    pub validation_pass_rate: Option<f64>,
    /// From queued to complete, averaged over the tasks completed in the window; where there are none, from a prompt to
    /// its stop.
    pub time_to_completion_seconds: Option<f64>,
    /// Failed ÷ all calls of tools; where there are none, of completions.
    pub failure_rate: Option<f64>,
    pub models: BTreeMap<String, ModelUse>,
    /// Of requests, and of completions and validations of agents whose requests are not known.
    pub cost: Option<NanoUsd>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ModelUse {
    /// Requests, or completions where the requests are not known.
    pub count: u64,
    pub duration_ms: f64,
    pub cost: Option<NanoUsd>,
}

/// The figures of one window.
pub(crate) fn metrics(database: &Connection, query: MetricsQuery) -> Result<Metrics, ViewError> {
    let rows = observations::within(database, query.from.0, query.to.0, REACH_NS)?;
    let inside: Vec<&Observed> = rows.iter().filter(|row| row.time > query.from.0).collect();
    let mut metrics = Metrics {
        critic_rejection_rate: rejection_rate(&inside),
        validation_pass_rate: rate(&inside, What::Validated),
        failure_rate: rate(&inside, What::ToolCalled).or_else(|| rate(&inside, What::Completed)),
        ..Metrics::default()
    };
    utilization(database, &rows, query, &mut metrics)?;
    tasks(database, &inside, query, &mut metrics)?;
    if metrics.time_to_completion_seconds.is_none() {
        let turns = work::turns(&rows);
        let ended = turns.iter().filter(|turn| turn.is_prompt && turn.to > query.from.0);
        metrics.time_to_completion_seconds = mean(ended.map(|turn| seconds(turn.to - turn.from)));
    }
    spending(database, &inside, query, &mut metrics)?;
    Ok(metrics)
}

/// Successes are counted against failures; where a type says passed, failed is the rest.
fn rate(rows: &[&Observed], what: What) -> Option<f64> {
    let of = |outcome| rows.iter().filter(|row| row.what == what && row.outcome == outcome).count() as f64;
    let (good, bad) = (of(Outcome::Success), of(Outcome::Failed));
    let part = if what == What::Validated { good } else { bad };
    (good + bad > 0.0).then(|| part / (good + bad))
}

fn utilization(
    database: &Connection,
    rows: &[Observed],
    query: MetricsQuery,
    metrics: &mut Metrics,
) -> Result<(), ViewError> {
    let mut of_ids: BTreeMap<&str, Vec<(i64, i64)>> = BTreeMap::new();
    for span in work::spans(rows, query.to.0) {
        let cut = (span.from.max(query.from.0), span.to.min(query.to.0));
        if cut.0 < cut.1 {
            of_ids.entry(span.agent).or_default().push(cut);
        }
    }
    let mut spans: BTreeMap<String, Vec<(i64, i64)>> = BTreeMap::new();
    for (id, cuts) in of_ids {
        spans.entry(observations::agent_name(database, id)?).or_default().extend(cuts);
    }
    let window = (query.to.0 - query.from.0).max(1) as f64;
    for (agent, mut spans) in spans {
        let sum: i64 = spans.iter().map(|(from, to)| to - from).sum();
        metrics.agent_busy.insert(agent.clone(), work::union(&mut spans) as f64 / window);
        metrics.agent_utilization.insert(agent, sum as f64 / window);
    }
    Ok(())
}

/// Matches each recorded decision with at most one completion: the nearest of the same producer and the same
/// outcome that is not of another task.
fn rejection_rate(rows: &[&Observed]) -> Option<f64> {
    let is_decided = |row: &&&Observed| matches!(row.outcome, Outcome::Approved | Outcome::Rejected);
    let mut completions: Vec<&Observed> =
        rows.iter().filter(|row| row.what == What::Completed).filter(is_decided).copied().collect();
    let recorded = rows.iter().filter(|row| row.what == What::Decided);
    let (mut rejected, mut decided) = (0u64, 0u64);
    for decision in recorded {
        let fits = |row: &Observed| {
            let tasks_agree = decision.task.is_none() || row.task.is_none() || decision.task == row.task;
            let is_near = (row.time - decision.time).abs() <= SAME_DECISION_NS;
            row.outcome == decision.outcome && row.source == decision.source && tasks_agree && is_near
        };
        let nearest = completions
            .iter()
            .enumerate()
            .filter(|(_, row)| fits(row))
            .min_by_key(|(_, row)| (row.time - decision.time).abs());
        if let Some((index, _)) = nearest {
            completions.swap_remove(index);
        }
        decided += 1;
        rejected += u64::from(decision.outcome == Outcome::Rejected);
    }
    decided += completions.len() as u64;
    rejected += completions.iter().filter(|row| row.outcome == Outcome::Rejected).count() as u64;
    (decided > 0).then(|| rejected as f64 / decided as f64)
}

/// A task's history in figures.
struct Task {
    completed: i64,
    retries: usize,
    /// From queued to complete, in nanoseconds.
    took: Option<i64>,
    feature: Option<Rc<str>>,
    cost: NanoUsd,
}

impl Task {
    /// `None` while it is not complete: it is at its first passed validation, else at its last success.
    fn of(rows: &[Observed]) -> Option<Self> {
        let is_success = |row: &&Observed, what| row.what == what && row.outcome == Outcome::Success;
        let passed = rows.iter().find(|row| is_success(row, What::Validated));
        let end = passed.or_else(|| rows.iter().rfind(|row| is_success(row, What::Completed)))?;
        let queued = rows.iter().find(|row| row.what == What::Queued);
        let is_retry = |row: &&Observed| {
            row.what == What::Completed
                && matches!(row.outcome, Outcome::Failed | Outcome::Rejected)
                && (row.time, row.position) < (end.time, end.position)
        };
        let costly = rows.iter().filter(|row| matches!(row.what, What::Completed | What::Validated));
        Some(Self {
            completed: end.time,
            retries: rows.iter().filter(is_retry).count(),
            took: queued.map(|queued| (end.time - queued.time).max(0)),
            feature: queued.and_then(|queued| queued.feature.clone()),
            cost: costly.filter_map(|row| row.cost).sum(),
        })
    }
}

fn tasks(
    database: &Connection,
    inside: &[&Observed],
    query: MetricsQuery,
    metrics: &mut Metrics,
) -> Result<(), ViewError> {
    let candidates: BTreeSet<&str> = inside
        .iter()
        .filter(|row| matches!(row.what, What::Completed | What::Validated))
        .filter_map(|row| row.task.as_deref())
        .collect();
    // Each is read once, though its feature asks for it again.
    let mut tasks: BTreeMap<String, Option<Task>> = BTreeMap::new();
    for name in candidates {
        tasks.insert(name.to_owned(), Task::of(&observations::of_task(database, name)?));
    }
    let is_inside = |time: i64| time > query.from.0 && time <= query.to.0;
    let completed: Vec<&Task> = tasks.values().flatten().filter(|task| is_inside(task.completed)).collect();
    metrics.average_retry_count = mean(completed.iter().map(|task| task.retries as f64));
    metrics.time_to_completion_seconds = mean(completed.iter().filter_map(|task| task.took).map(seconds));
    let features: BTreeSet<Rc<str>> = completed.iter().filter_map(|task| task.feature.clone()).collect();
    let mut costs = Vec::new();
    for feature in features {
        let names = observations::tasks_of_feature(database, &feature)?;
        for name in &names {
            if !tasks.contains_key(name) {
                tasks.insert(name.clone(), Task::of(&observations::of_task(database, name)?));
            }
        }
        let of_feature: Option<Vec<&Task>> = names.iter().map(|name| tasks[name].as_ref()).collect();
        // One that is open leaves the feature open.
        let Some(of_feature) = of_feature else { continue };
        if of_feature.iter().map(|task| task.completed).max().is_some_and(is_inside) {
            costs.push(of_feature.iter().map(|task| task.cost).sum::<NanoUsd>().usd());
        }
    }
    metrics.cost_per_feature = mean(costs.into_iter());
    Ok(())
}

fn spending(
    database: &Connection,
    inside: &[&Observed],
    query: MetricsQuery,
    metrics: &mut Metrics,
) -> Result<(), ViewError> {
    let mut total: Option<NanoUsd> = None;
    for (model, uses) in requests::models(database, query.from.0, query.to.0)? {
        if let Some(cost) = uses.cost {
            *total.get_or_insert_default() += cost;
        }
        metrics.models.extend(model.map(|model| (model, uses)));
    }
    metrics.cost = total;
    // The model of a completion stands in the start before it.
    let mut started: HashMap<(Option<&str>, Option<&str>), &str> = HashMap::new();
    for row in inside {
        let who = (row.agent.as_deref(), row.task.as_deref());
        match (row.what, &row.model) {
            (What::Started, Some(model)) => drop(started.insert(who, model)),
            (What::Completed | What::Validated, model) if row.session.is_none() => {
                let Some(model) = model.as_deref().or_else(|| started.get(&who).copied()) else { continue };
                let uses = metrics.models.entry(model.to_owned()).or_default();
                uses.count += 1;
                uses.duration_ms += row.duration as f64 / 1e6;
                if let Some(cost) = row.cost {
                    *uses.cost.get_or_insert_default() += cost;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn mean(numbers: impl Iterator<Item = f64>) -> Option<f64> {
    let (count, sum) = numbers.fold((0u64, 0.0), |(count, sum), number| (count + 1, sum + number));
    (count > 0).then(|| sum / count as f64)
}

fn seconds(nanoseconds: i64) -> f64 {
    nanoseconds as f64 / 1e9
}
