//! What may be wrong with an installation, looked at one thing at a time.

mod agents;
mod disk;
mod server;

use crate::place::Place;
use serde::Serialize;

/// What one look found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub about: &'static str,
    pub verdict: Verdict,
    pub told: String,
    /// What to do about it; empty when nothing is to be done.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub remedy: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Ok,
    Warn,
    Fail,
}

/// Everything that is looked at, in the order in which it is told.
const LOOKS: &[fn(&Place) -> Vec<Finding>] = &[
    disk::data_folder,
    disk::log,
    disk::free_space,
    disk::spool,
    server::holder,
    server::answer,
    server::clock,
    agents::hooks,
    agents::claude_code,
];

pub fn examine(place: &Place) -> Vec<Finding> {
    LOOKS.iter().flat_map(|look| look(place)).collect()
}

fn ok(about: &'static str, told: impl Into<String>) -> Vec<Finding> {
    vec![Finding { about, verdict: Verdict::Ok, told: told.into(), remedy: String::new() }]
}

fn warn(about: &'static str, told: impl Into<String>, remedy: impl Into<String>) -> Vec<Finding> {
    vec![Finding { about, verdict: Verdict::Warn, told: told.into(), remedy: remedy.into() }]
}

fn fail(about: &'static str, told: impl Into<String>, remedy: impl Into<String>) -> Vec<Finding> {
    vec![Finding { about, verdict: Verdict::Fail, told: told.into(), remedy: remedy.into() }]
}
