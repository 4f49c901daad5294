//! What was done: deliveries that ended.

use std::collections::VecDeque;
use std::time::Duration;
use tacho_event::{Position, Timestamp};

/// One event of a delivery that ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Deed {
    pub position: Position,
    pub event_id: String,
    pub event_type: String,
    pub stream: String,
    /// The `traceparent` of the event, and of the delivery below it.
    pub parent: String,
    pub span: String,
    pub attempt: u32,
    pub outcome: Outcome,
    pub started: Timestamp,
    pub duration_ns: u64,
    /// How many events were returned, by all events of the delivery together.
    pub returned: usize,
    /// Code and message.
    pub error: Option<(String, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Done,
    /// There is another attempt.
    Failed,
    Dead,
}

impl Outcome {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Dead => "dead",
        }
    }
}

/// The last deliveries, for people.
const RECENT: usize = 200;
/// Deliveries whose time and outcome make the figures.
const MEASURED: usize = 512;

#[derive(Debug, Default)]
pub(crate) struct Deeds {
    recent: VecDeque<Deed>,
    /// Duration and whether it went well.
    measured: VecDeque<(u64, bool)>,
}

impl Deeds {
    pub(crate) fn add(&mut self, deed: Deed) {
        if self.recent.len() >= RECENT {
            self.recent.pop_back();
        }
        self.recent.push_front(deed);
    }

    pub(crate) fn measure(&mut self, duration: Duration, went_well: bool) {
        if self.measured.len() >= MEASURED {
            self.measured.pop_front();
        }
        self.measured.push_back((u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX), went_well));
    }

    /// The newest first.
    pub(crate) fn recent(&self) -> impl Iterator<Item = &Deed> {
        self.recent.iter()
    }

    /// The median and the 99th percentile of the time of a delivery, in milliseconds.
    pub(crate) fn latency_ms(&self) -> Option<(f64, f64)> {
        let mut times: Vec<u64> = self.measured.iter().map(|(time, _)| *time).collect();
        if times.is_empty() {
            return None;
        }
        times.sort_unstable();
        let at = |part: f64| times[((times.len() - 1) as f64 * part).round() as usize] as f64 / 1e6;
        Some((at(0.5), at(0.99)))
    }

    pub(crate) fn success_rate(&self) -> Option<f64> {
        let well = self.measured.iter().filter(|(_, went_well)| *went_well).count();
        (!self.measured.is_empty()).then(|| well as f64 / self.measured.len() as f64)
    }
}
