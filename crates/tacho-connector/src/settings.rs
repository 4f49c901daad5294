//! What a sink is opened with.

use crate::{Rotation, Secret};
use std::path::PathBuf;
use std::sync::Arc;
use tacho_engine::Engine;
use tacho_event::{Filter, Recorded};
use thiserror::Error;

/// The keys of a sink, read. Each kind takes those that it names.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// A file or a folder.
    pub path: Option<PathBuf>,
    pub url: Option<String>,
    /// How events are put into requests.
    pub mode: Option<String>,
    /// The mail address that writes.
    pub from: Option<String>,
    /// The mail addresses that are written to, commas between them.
    pub to: Option<String>,
    /// Who we are to the receiver.
    pub user: Option<String>,
    /// Which of the things that a kind can send are sent.
    pub signals: Option<String>,
    /// What proves who we are; never told in an error.
    pub secret: Option<Secret>,
    pub rotation: Rotation,
    /// Which events the sink is meant to get; the kernel chooses them.
    pub filter: Filter,
    /// How long one attempt may take, in milliseconds.
    pub timeout_ms: Option<u64>,
    /// How long a session is quiet before what it began counts as unfinished, in milliseconds.
    pub quiet_ms: Option<u64>,
}

/// What a kind may use beside its settings.
#[derive(Clone)]
pub struct Surroundings {
    /// For what is folded from the log, and for the time.
    pub engine: Engine,
    /// An event as a person reads it on a console, without the newline behind it.
    pub console: Arc<dyn Fn(&Recorded) -> String + Send + Sync>,
}

/// Why a sink cannot be opened as it is configured.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum SettingsError {
    #[error("`{0}` is missing")]
    Missing(&'static str),
    #[error("`{key}`: {reason}")]
    Unusable { key: &'static str, reason: String },
}

impl SettingsError {
    pub(crate) fn unusable(key: &'static str, reason: impl Into<String>) -> Self {
        Self::Unusable { key, reason: reason.into() }
    }
}
