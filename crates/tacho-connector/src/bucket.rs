//! The numbers of one stretch of time: what was delivered of it, and the key figures of the log.

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use tacho_engine::{Metrics, ModelUse};
use tacho_event::{Recorded, Timestamp};

/// Types that are counted by name; further ones are `other`.
const MAX_TYPES: usize = 256;
const OTHER: &str = "other";

/// Counters of `[from, from + seconds)`.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub from: Timestamp,
    pub seconds: u32,
    events: u64,
    types: BTreeMap<String, u64>,
}

impl Counters {
    pub(crate) fn new(from: Timestamp, seconds: u32) -> Self {
        Self { from, seconds, ..Self::default() }
    }

    pub(crate) fn add(&mut self, event: &Recorded) {
        self.events += 1;
        let is_named = self.types.len() < MAX_TYPES || self.types.contains_key(event.kind());
        *self.types.entry(if is_named { event.kind() } else { OTHER }.to_owned()).or_default() += 1;
    }

    /// A figure without data is null, never 0.
    pub(crate) fn to_json(&self, metrics: &Metrics) -> Map<String, Value> {
        let model = |uses: &ModelUse| {
            let cost = uses.cost.map(|cost| cost.usd());
            json!({"count": uses.count, "duration_ms": uses.duration_ms, "cost_usd": cost})
        };
        let models: BTreeMap<_, _> = metrics.models.iter().map(|(name, uses)| (name, model(uses))).collect();
        let mut members = Map::new();
        members.insert("from".into(), self.from.to_rfc3339().into());
        members.insert("window_seconds".into(), self.seconds.into());
        members.insert("events".into(), self.events.into());
        members.insert("events_by_type".into(), json!(self.types));
        members.extend(metrics.agent_figures().map(|(name, shares)| (name.to_owned(), json!(shares))));
        members.extend(metrics.figures().map(|(name, figure)| (name.to_owned(), json!(figure))));
        members.insert("models".into(), json!(models));
        members
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tacho_engine::NanoUsd;

    #[test]
    fn what_nobody_knows_is_null() {
        let uses = ModelUse { count: 2, duration_ms: 5.0, cost: None };
        let metrics = Metrics {
            cost: Some(NanoUsd(250_000_000)),
            models: BTreeMap::from([("sonnet".to_owned(), uses)]),
            ..Metrics::default()
        };
        let told = Value::Object(Counters::new(Timestamp(0), 3_600).to_json(&metrics));
        assert_eq!(told["cost_usd"], 0.25);
        assert!(told["failure_rate"].is_null() && told["models"]["sonnet"]["cost_usd"].is_null());
        assert_eq!((&told["events"], &told["window_seconds"]), (&json!(0), &json!(3600)));
    }
}
