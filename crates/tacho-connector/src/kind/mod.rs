//! The kinds of sinks: each a file, all in one list.

mod console;
mod files;
mod http;
mod jsonl;
mod mail;
mod otlp;
mod redis;

use crate::{Settings, SettingsError, Surroundings};
use tacho_engine::delivery::{BatchLimits, Deliver};

/// A kind of sink.
pub struct Kind {
    pub name: &'static str,
    /// What it does, for the reference page.
    pub about: &'static str,
    /// The keys of [`Settings`] that it takes, as the configuration names them.
    pub keys: &'static [&'static str],
    /// The types that it gets where none is configured.
    pub types: &'static [&'static str],
    /// What goes out together unless configured otherwise.
    pub batch: fn() -> BatchLimits,
    /// Whether the settings are whole and can be used. The secret is not read yet; it is told whether there is
    /// one.
    pub check: fn(&Settings, bool) -> Result<(), SettingsError>,
    /// Makes it ready from settings that were checked; connects to nothing yet.
    pub open: fn(&Settings, &Surroundings) -> Opened,
}

/// A sink that is ready, or why it cannot be.
pub type Opened = Result<Box<dyn Deliver>, SettingsError>;

/// Every kind.
pub const KINDS: &[Kind] =
    &[console::KIND, jsonl::KIND, files::KIND, http::KIND, redis::KIND, otlp::KIND, mail::KIND];

/// The kind of this name.
pub fn find(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name)
}
