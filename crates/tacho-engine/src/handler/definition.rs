//! A handler as it is configured.

use super::Policy;
use crate::delivery::Workers;
use std::sync::Arc;
use tacho_event::Filter;

/// A handler that is to be started.
#[derive(Clone)]
pub struct Definition {
    /// As [`crate::delivery::check_name`] wants it; names its cursor on the log, so it must not change.
    pub name: String,
    pub kind: &'static str,
    /// Which events it gets. `phase` means the one that the payload names.
    pub filter: Filter,
    pub policy: Policy,
    pub workers: Arc<dyn Workers>,
    /// What it can do, in its users' words: who needs one of these may be sent to it.
    pub capabilities: Vec<String>,
    /// Semantic version, where it has one.
    pub version: Option<String>,
    /// A digest of its configuration: where that changed, it is started anew.
    pub digest: String,
}
