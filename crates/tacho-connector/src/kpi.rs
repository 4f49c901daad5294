//! The numbers of one stretch of time: counters, and the KPIs of an agent factory, folded from its events.

use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashMap};
use tacho_event::{Recorded, Timestamp, json as text};

/// Types that are counted by name; further ones are `other`.
const MAX_TYPES: usize = 256;
/// Agents and models that are told apart; further ones are `other`.
const MAX_NAMES: usize = 256;
/// Tasks that are followed; further ones are counted, but have no part in the KPIs.
const MAX_TASKS: usize = 100_000;
const OTHER: &str = "other";

/// Counters and KPIs of `[from, from + seconds)`.
#[derive(Debug, Default)]
pub(crate) struct Kpis {
    from: Timestamp,
    seconds: u32,
    events: u64,
    types: BTreeMap<String, u64>,
    cost_usd: f64,
    active_seconds: BTreeMap<String, f64>,
    models: BTreeMap<String, Model>,
    tasks: HashMap<String, Task>,
    decided: Share,
    validated: Share,
}

#[derive(Debug, Default)]
struct Model {
    count: u64,
    seconds: f64,
    cost_usd: f64,
}

#[derive(Debug, Default)]
struct Task {
    feature: Option<String>,
    queued: Option<Timestamp>,
    model: Option<String>,
    /// Completions that failed or were rejected before one succeeded.
    retries: u64,
    cost_usd: f64,
    succeeded: Option<Timestamp>,
    passed: Option<Timestamp>,
}

/// So many of so many.
#[derive(Debug, Default, Clone, Copy)]
struct Share {
    part: u64,
    whole: u64,
}

impl Kpis {
    pub(crate) fn new(from: Timestamp, seconds: u32) -> Self {
        Self { from, seconds, ..Self::default() }
    }

    pub(crate) fn fold(&mut self, event: &Recorded) {
        self.events += 1;
        *entry(&mut self.types, event.kind(), MAX_TYPES) += 1;
        let Some(data) = event.data() else { return };
        let time = event.time();
        match event.kind() {
            "task_queued" => {
                if let Some(task) = self.task(data) {
                    task.feature = string(data, "feature");
                    task.queued.get_or_insert(time);
                }
            }
            "agent_started" => {
                if let Some(task) = self.task(data) {
                    task.model = string(data, "model").or(task.model.take());
                }
            }
            "agent_completed" => self.completed(data, time),
            "validation_complete" => self.validated(data, time),
            _ => {}
        }
    }

    fn completed(&mut self, data: &[u8], time: Timestamp) {
        let cost = number(data, "cost_usd");
        let status = string(data, "status").unwrap_or_default();
        let since_start = (time.0.saturating_sub(self.from.0) as f64 / 1e9).max(0.0);
        let seconds = (number(data, "duration_ms") / 1e3).clamp(0.0, since_start);
        self.cost_usd += cost;
        if let Some(agent) = string(data, "agent") {
            *entry(&mut self.active_seconds, &agent, MAX_NAMES) += seconds;
        }
        let is_rejected = status == "rejected";
        if is_rejected || status == "approved" {
            self.decided.count(is_rejected);
        }
        let mut model = string(data, "model");
        if let Some(task) = self.task(data) {
            task.cost_usd += cost;
            match status.as_str() {
                "failed" | "rejected" if task.succeeded.is_none() => task.retries += 1,
                "success" | "approved" => task.succeeded = Some(time),
                _ => {}
            }
            model = model.or(task.model.clone());
        }
        if let Some(model) = model {
            let model = entry(&mut self.models, &model, MAX_NAMES);
            model.count += 1;
            model.seconds += seconds;
            model.cost_usd += cost;
        }
    }

    fn validated(&mut self, data: &[u8], time: Timestamp) {
        let cost = number(data, "cost");
        let passed = text::member(data, "result").is_some_and(passed);
        self.cost_usd += cost;
        self.validated.count(passed);
        if let Some(task) = self.task(data) {
            task.cost_usd += cost;
            if passed {
                task.passed.get_or_insert(time);
            }
        }
    }

    fn task(&mut self, data: &[u8]) -> Option<&mut Task> {
        let id = string(data, "task_id")?;
        if self.tasks.len() >= MAX_TASKS && !self.tasks.contains_key(&id) {
            return None;
        }
        Some(self.tasks.entry(id).or_default())
    }

    /// A rate without data is null, never 0.
    pub(crate) fn to_json(&self) -> Map<String, Value> {
        let completed: Vec<&Task> = self.tasks.values().filter(|task| task.completed().is_some()).collect();
        let retries =
            completed.iter().filter(|task| task.succeeded.is_some()).map(|task| task.retries as f64);
        let durations = completed.iter().filter_map(|task| {
            Some((task.completed()?.0.saturating_sub(task.queued?.0) as f64 / 1e9).max(0.0))
        });
        let window = f64::from(self.seconds.max(1));
        let utilization = self.active_seconds.iter().map(|(agent, seconds)| (agent, seconds / window));
        let models = self.models.iter().map(|(name, model)| {
            let Model { count, seconds, cost_usd } = model;
            (name, json!({"count": count, "seconds": seconds, "cost_usd": cost_usd}))
        });
        let object = json!({
            "from": self.from.to_rfc3339(),
            "window_seconds": self.seconds,
            "events": self.events,
            "events_by_type": self.types,
            "tasks_completed": completed.len(),
            "cost_usd": self.cost_usd,
            "agent_utilization": utilization.collect::<BTreeMap<_, _>>(),
            "cost_per_feature": mean(self.feature_costs().into_iter()),
            "average_retry_count": mean(retries),
            "critic_rejection_rate": self.decided.rate(),
            "validation_pass_rate": self.validated.rate(),
            "time_to_completion_seconds": mean(durations),
            "models": models.collect::<BTreeMap<_, _>>(),
        });
        match object {
            Value::Object(members) => members,
            _ => Map::new(),
        }
    }

    /// The cost of each feature whose tasks are all complete.
    fn feature_costs(&self) -> Vec<f64> {
        let mut features: BTreeMap<&str, (bool, f64)> = BTreeMap::new();
        for task in self.tasks.values() {
            let Some(feature) = task.feature.as_deref() else { continue };
            let (is_complete, cost) = features.entry(feature).or_insert((true, 0.0));
            *is_complete &= task.completed().is_some();
            *cost += task.cost_usd;
        }
        features.into_values().filter(|(is_complete, _)| *is_complete).map(|(_, cost)| cost).collect()
    }
}

impl Task {
    /// At its first passed validation, else its last success.
    fn completed(&self) -> Option<Timestamp> {
        self.passed.or(self.succeeded)
    }
}

impl Share {
    fn count(&mut self, is_part: bool) {
        self.whole += 1;
        self.part += u64::from(is_part);
    }

    fn rate(self) -> Option<f64> {
        (self.whole > 0).then(|| self.part as f64 / self.whole as f64)
    }
}

fn entry<'a, T: Default>(map: &'a mut BTreeMap<String, T>, name: &str, most: usize) -> &'a mut T {
    let name = if map.len() < most || map.contains_key(name) { name } else { OTHER };
    map.entry(name.to_owned()).or_default()
}

fn mean(numbers: impl Iterator<Item = f64>) -> Option<f64> {
    let (count, sum) = numbers.fold((0.0, 0.0), |(count, sum), number| (count + 1.0, sum + number));
    (count > 0.0).then(|| sum / count)
}

fn string(data: &[u8], name: &str) -> Option<String> {
    let value = text::member(data, name)?;
    (text::kind(value) == text::Kind::String).then(|| text::text(value).into_owned())
}

fn number(data: &[u8], name: &str) -> f64 {
    let number = text::member(data, name).and_then(|value| text::text(value).parse::<f64>().ok());
    number.filter(|number| number.is_finite() && *number >= 0.0).unwrap_or(0.0)
}

/// Whether a validation's result says that it passed: `passed`, `test_passed`, `success` or `status`.
fn passed(result: &[u8]) -> bool {
    let flag = ["passed", "test_passed", "success"].iter().find_map(|name| text::member(result, name));
    match (flag, text::member(result, "status")) {
        (Some(flag), _) => flag == b"true",
        (None, Some(status)) => matches!(&*text::text(status), "passed" | "success" | "approved" | "ok"),
        (None, None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tacho_event::{Draft, Position, Sameness, Sequence};

    fn event(kind: &str, second: i64, data: &str) -> Recorded {
        let mut draft = Draft::new(kind, "/t", "1");
        draft.subject = Some("task/x".into());
        draft.set_data(data.as_bytes());
        let event = draft.finish(Sameness::FirstWins).unwrap();
        let recorded = Timestamp(second * 1_000_000_000);
        Recorded::new(Position(1), Sequence(1), recorded, event.bytes().to_vec().into()).unwrap()
    }

    #[test]
    fn an_hour_of_a_factory() {
        let mut kpis = Kpis::new(Timestamp(0), 3_600);
        let nothing = kpis.to_json();
        assert!(nothing["cost_per_feature"].is_null() && nothing["critic_rejection_rate"].is_null());
        for (kind, second, data) in [
            ("task_queued", 10, r#"{"task_id":"t","feature":"f"}"#),
            ("agent_started", 20, r#"{"agent":"scribe","task_id":"t","model":"sonnet"}"#),
            (
                "agent_completed",
                380,
                r#"{"agent":"scribe","task_id":"t","status":"failed","duration_ms":360000,"cost_usd":0.25}"#,
            ),
            (
                "agent_completed",
                500,
                r#"{"agent":"critic","task_id":"t","status":"rejected","duration_ms":9000000,"cost_usd":0}"#,
            ),
            (
                "agent_completed",
                740,
                r#"{"agent":"scribe","task_id":"t","status":"success","duration_ms":360000,"cost_usd":0.25}"#,
            ),
            ("validation_complete", 910, r#"{"task_id":"t","result":{"test_passed":true},"cost":0.5}"#),
            ("validation_complete", 920, r#"{"task_id":"u","result":{"status":"broken"},"cost":0}"#),
        ] {
            kpis.fold(&event(kind, second, data));
        }
        let told = Value::Object(kpis.to_json());
        assert_eq!(told["agent_utilization"]["scribe"], 0.2);
        assert_eq!(told["agent_utilization"]["critic"], 500.0 / 3600.0);
        assert_eq!((&told["average_retry_count"], &told["cost_per_feature"]), (&json!(2.0), &json!(1.0)));
        assert_eq!(
            (&told["critic_rejection_rate"], &told["validation_pass_rate"]),
            (&json!(1.0), &json!(0.5))
        );
        assert_eq!(told["time_to_completion_seconds"], 900.0);
        assert_eq!(told["models"]["sonnet"]["count"], 3);
        assert_eq!((&told["events"], &told["events_by_type"]["agent_completed"]), (&json!(7), &json!(3)));
    }
}
