//! Key figures and money: what each event says of them is kept in a row; answers are computed from rows.
//!
//! The types of a test factory, orchestrations and the hooks of coding agents all become the same few
//! observations, so that each figure is defined once, in [`metrics`].

mod figure;
mod metrics;
mod money;
mod observation;
mod observations;
mod price;
mod requests;
mod spent;
mod usage;
mod work;

pub use figure::{AGENT_FIGURES, AgentFigure, FIGURES, Figure, Unit};
pub use metrics::{Metrics, MetricsQuery, ModelUse};
pub use money::NanoUsd;
pub use requests::ModelRequest;
pub use spent::{CostQuery, CostRow, Costs, Dimension, Tokens};

pub(crate) use metrics::metrics;
pub(crate) use observations::has_passed;
pub(crate) use price::version as prices_version;
pub(crate) use requests::of_session as requests_of_session;
pub(crate) use spent::{costs, spent_by};

use crate::error::ViewError;
use crate::facts::Facts;
use observation::Observation;
use rusqlite::Connection;
use tacho_event::{Recorded, head};
use usage::Usage;

pub(crate) const TABLES: &str = "
    CREATE TABLE observations (
        position INTEGER PRIMARY KEY, what INTEGER NOT NULL, time INTEGER NOT NULL, duration INTEGER NOT NULL,
        outcome INTEGER NOT NULL, cost INTEGER, session TEXT, source TEXT,
        task TEXT, feature TEXT, agent TEXT, model TEXT
    );
    CREATE INDEX observations_by_time ON observations (time);
    CREATE INDEX observations_by_task ON observations (task) WHERE task IS NOT NULL;
    CREATE INDEX observations_by_feature ON observations (feature) WHERE feature IS NOT NULL;
    CREATE TABLE agents (id TEXT PRIMARY KEY, name TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE usage (
        key TEXT PRIMARY KEY, rank INTEGER NOT NULL, time INTEGER NOT NULL, session TEXT, agent TEXT,
        model TEXT, feature TEXT, input INTEGER NOT NULL, output INTEGER NOT NULL, cache_read INTEGER NOT NULL,
        cache_write_5m INTEGER NOT NULL, cache_write_1h INTEGER NOT NULL, duration INTEGER NOT NULL,
        cost INTEGER, reported INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX usage_by_time ON usage (time);
    CREATE INDEX usage_by_session ON usage (session, time) WHERE session IS NOT NULL;
    CREATE TABLE spent (
        dimension INTEGER NOT NULL, name TEXT NOT NULL, cost INTEGER NOT NULL, requests INTEGER NOT NULL,
        unpriced INTEGER NOT NULL, input INTEGER NOT NULL, output INTEGER NOT NULL, cache_read INTEGER NOT NULL,
        cache_write INTEGER NOT NULL, PRIMARY KEY (dimension, name)
    ) WITHOUT ROWID;
    CREATE TABLE prices (
        pattern TEXT NOT NULL, effective INTEGER NOT NULL, above INTEGER NOT NULL, input INTEGER NOT NULL,
        output INTEGER NOT NULL, cache_read INTEGER NOT NULL, cache_write_5m INTEGER NOT NULL,
        cache_write_1h INTEGER NOT NULL, PRIMARY KEY (pattern, effective, above)
    ) WITHOUT ROWID;
    CREATE TABLE price_tables (version TEXT PRIMARY KEY) WITHOUT ROWID;";

/// Longest name that is kept, in bytes; longer ones are cut.
const MAX_NAME_BYTES: usize = 256;

/// Notes what an event says of key figures and money; most say nothing.
pub(crate) fn observe(database: &Connection, event: &Recorded, facts: &Facts<'_>) -> Result<(), ViewError> {
    let kind = event.kind();
    if kind == price::PRICES {
        return price::put_in_force(database, event);
    }
    if let Some(observation) = Observation::of(event, facts) {
        observations::insert(database, event, &observation)?;
    }
    if let Some(usage) = Usage::of(database, event, facts)? {
        requests::add(database, usage)?;
    }
    Ok(())
}

/// Cuts a name at a character's border.
fn bounded(name: &str) -> &str {
    head(name, MAX_NAME_BYTES)
}
