//! The share of events whose payloads fit the schemas of their types, counted as they come in, whether they must
//! fit or not.

use crate::api::schemas;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use tacho_event::schema::Registry;
use tacho_event::{Event, json};

/// Most events of one batch that are looked at: a batch is one sync, which takes longer than that.
const MAX_LOOKED_AT: usize = 32;
/// Largest payload that is looked at, in bytes.
const MAX_PAYLOAD_BYTES: usize = 64 * 1024;

/// Counts since the start of the process.
pub(crate) struct Validity {
    /// What was in force when somebody last asked for it; the catalogue until then.
    registry: Mutex<Arc<Registry>>,
    valid: AtomicU64,
    invalid: AtomicU64,
    /// No schema is registered for their types.
    unknown: AtomicU64,
    /// Beyond what is looked at.
    unchecked: AtomicU64,
}

impl Default for Validity {
    fn default() -> Self {
        Self {
            registry: Mutex::new(Arc::new(Registry::with_catalogue())),
            valid: AtomicU64::new(0),
            invalid: AtomicU64::new(0),
            unknown: AtomicU64::new(0),
            unchecked: AtomicU64::new(0),
        }
    }
}

impl Validity {
    /// Takes note of the schemas in force.
    pub(crate) fn learn(&self, registry: &Arc<Registry>) {
        *self.registry.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(registry);
    }

    pub(crate) fn count(&self, events: &[Event]) {
        let registry = Arc::clone(&self.registry.lock().unwrap_or_else(PoisonError::into_inner));
        for event in events.iter().take(MAX_LOOKED_AT) {
            let data = json::member(event.body(), "data");
            let counter = if data.is_some_and(|data| data.len() > MAX_PAYLOAD_BYTES) {
                &self.unchecked
            } else {
                match registry.fits(event.kind(), schemas::version(event).as_ref(), data) {
                    Some(true) => &self.valid,
                    Some(false) => &self.invalid,
                    None => &self.unknown,
                }
            };
            counter.fetch_add(1, Relaxed);
        }
        self.unchecked.fetch_add(events.len().saturating_sub(MAX_LOOKED_AT) as u64, Relaxed);
    }

    pub(crate) fn write_metrics(&self, text: &mut String) {
        let name = "tacho_schema_events_total";
        let help =
            "Events that came in since the start, by whether their payloads fit the schemas of their types.";
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} counter");
        for (result, count) in self.counts() {
            let _ = writeln!(text, "{name}{{result=\"{result}\"}} {count}");
        }
    }

    /// `{"valid":…,"invalid":…,"unknown":…,"unchecked":…,"share":…}`; the share of the valid among those that have a
    /// schema and were looked at, null where there is none.
    pub(crate) fn write_json(&self, out: &mut String) {
        out.push('{');
        for (result, count) in self.counts() {
            let _ = write!(out, "\"{result}\":{count},");
        }
        let (valid, invalid) = (self.valid.load(Relaxed), self.invalid.load(Relaxed));
        let _ = match valid + invalid {
            0 => write!(out, "\"share\":null}}"),
            known => write!(out, "\"share\":{}}}", valid as f64 / known as f64),
        };
    }

    fn counts(&self) -> [(&'static str, u64); 4] {
        let counters = [&self.valid, &self.invalid, &self.unknown, &self.unchecked];
        let mut counts = ["valid", "invalid", "unknown", "unchecked"].map(|result| (result, 0));
        for (count, counter) in counts.iter_mut().zip(counters) {
            count.1 = counter.load(Relaxed);
        }
        counts
    }
}
