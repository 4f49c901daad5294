//! One line that says what an event was about.

use tacho_event::{Recorded, summary_line};
use tacho_ingest::otlp;

/// What telemetry tells, else what the payload of any event tells.
pub fn summary(event: &Recorded) -> String {
    let told = event.data().and_then(|data| otlp::summary(event.kind(), data));
    told.map_or_else(|| tacho_event::summary(event), |told| summary_line(&told))
}
