//! Alerts on key figures: a rule fires when its condition holds, at most once in ten minutes. An alert is an event.

use super::condition::Condition;
use super::{Look, write_text};
use crate::error::WatchError;
use crate::query::{Query, Wait};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt::Write;
use tacho_event::{Event, Filter, Pattern, Recorded, Timestamp, derived_id, json};
use tacho_view::Metrics;

pub(super) const TYPE: &str = "tacho.alert";
const HOUR_NS: i64 = 3_600 * 1_000_000_000;
/// Least time between two alerts of one condition.
pub(super) const REST_NS: i64 = 600 * 1_000_000_000;
/// Alerts of the past that are looked at for when each condition was told last.
const PAST_ALERTS: usize = 1_000;

/// What to do about an alert: who should know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Action {
    /// Something is wrong.
    #[default]
    NotifyAdmin,
    /// Something is unusual.
    WarnUser,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    pub condition: Condition,
    pub action: Action,
    pub message: String,
    pub window_ns: i64,
}

/// How a rule stands.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleState {
    pub rule: Rule,
    /// `None` without data.
    pub current: Option<f64>,
    pub holds: bool,
    /// When it was told last.
    pub told: Option<Timestamp>,
}

impl Action {
    pub const ALL: [(&'static str, Self); 2] =
        [("notify_admin", Self::NotifyAdmin), ("warn_user", Self::WarnUser)];

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(known, _)| *known == name).map(|(_, action)| action)
    }

    pub fn name(self) -> &'static str {
        Self::ALL.into_iter().find(|(_, action)| *action == self).map_or("", |(name, _)| name)
    }
}

impl Rule {
    pub fn new(condition: Condition, action: Action, message: impl Into<String>) -> Self {
        Self { condition, action, message: message.into(), window_ns: HOUR_NS }
    }

    /// What holds where nothing is configured.
    pub fn defaults() -> Vec<Self> {
        let defaults = [
            ("critic_rejection_rate > 0.5", Action::NotifyAdmin, "critics reject more than half"),
            ("validation_pass_rate < 0.7", Action::NotifyAdmin, "more than three in ten validations fail"),
            ("cost_per_feature > 1", Action::WarnUser, "a feature costs more than a dollar"),
            ("average_retry_count > 2", Action::WarnUser, "tasks need more than two retries"),
        ];
        let rule = |(text, action, message)| {
            Condition::parse(text).ok().map(|condition| Self::new(condition, action, message))
        };
        defaults.into_iter().filter_map(rule).collect()
    }

    /// How it stands, given when it was told last.
    fn state(&self, metrics: &Metrics, told: Option<Timestamp>) -> RuleState {
        let found = self.condition.check(metrics);
        RuleState {
            rule: self.clone(),
            current: found.map(|(current, _)| current),
            holds: found.is_some_and(|(_, holds)| holds),
            told,
        }
    }
}

impl RuleState {
    /// Whether it is to be told now.
    fn is_due(&self, now: Timestamp) -> bool {
        self.holds && self.told.is_none_or(|told| now.0 - told.0 >= REST_NS)
    }
}

impl Look<'_> {
    pub(super) async fn alerts(&self) -> Result<(), WatchError> {
        let due: Vec<RuleState> =
            self.rules().await?.into_iter().filter(|state| state.is_due(self.now)).collect();
        let events: Result<Vec<Event>, WatchError> =
            due.iter().map(|state| self.alert(state, "threshold")).collect();
        self.say(events?).await
    }

    /// How each rule stands.
    pub(super) async fn rules(&self) -> Result<Vec<RuleState>, WatchError> {
        let rules = &self.engine.config().watch.rules;
        let mut told = None;
        let mut states = Vec::with_capacity(rules.len());
        let mut figures: HashMap<i64, Metrics> = HashMap::new();
        for rule in rules {
            let metrics = match figures.entry(rule.window_ns) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(free) => {
                    free.insert(self.engine.figures(rule.window_ns, 0, Wait::No).await?.metrics)
                }
            };
            let mut state = rule.state(metrics, None);
            if state.holds {
                if told.is_none() {
                    told = Some(self.told().await?);
                }
                let known = told.as_ref().and_then(|told| told.get(&rule.condition.to_string()));
                state.told = known.copied();
            }
            states.push(state);
        }
        Ok(states)
    }

    /// The anomalies of the last hour, the newest first.
    pub(super) async fn anomalies(&self) -> Result<Vec<Recorded>, WatchError> {
        let since = Some(Timestamp(self.now.0 - HOUR_NS));
        let filter = Filter { types: vec![Pattern::new(TYPE)], since, ..Filter::default() };
        let query = Query { filter, reverse: true, limit: PAST_ALERTS, ..Query::default() };
        let told = self.engine.query(query).await?.events;
        let is_anomaly = |event: &Recorded| {
            let kind = event.data().and_then(|data| json::member(data, "kind"));
            kind.is_some_and(|kind| json::text(kind) == "anomaly")
        };
        Ok(told.into_iter().filter(is_anomaly).collect())
    }

    /// When each condition was told last, from the log: a restart changes nothing.
    pub(super) async fn told(&self) -> Result<HashMap<String, Timestamp>, WatchError> {
        let filter = Filter { types: vec![Pattern::new(TYPE)], ..Filter::default() };
        let query = Query { filter, reverse: true, limit: PAST_ALERTS, wait: Wait::Head, ..Query::default() };
        let mut told = HashMap::new();
        for event in self.engine.query(query).await?.events {
            let member = |name| event.data().and_then(|data| json::member(data, name)).map(json::text);
            if member("kind").as_deref() != Some("threshold") {
                continue;
            }
            if let Some(condition) = member("condition") {
                told.entry(condition.into_owned()).or_insert(event.time());
            }
        }
        Ok(told)
    }

    /// An alert as a rule would tell it, to see whether it arrives.
    pub(super) async fn test(&self, rule: &Rule) -> Result<(), WatchError> {
        let state =
            RuleState { current: Some(rule.condition.threshold), ..rule.state(&Metrics::default(), None) };
        let event = self.alert(&state, "test")?;
        self.say(vec![event]).await
    }

    fn alert(&self, state: &RuleState, kind: &str) -> Result<Event, WatchError> {
        let Rule { condition, action, message, window_ns } = &state.rule;
        let mut data = format!("{{\"kind\":\"{kind}\",\"metric\":");
        write_text(&condition.metric.to_string(), &mut data);
        let _ = write!(
            data,
            ",\"operator\":\"{}\",\"threshold\":{},\"current_value\":{},\"action\":\"{}\",\"message\":",
            condition.operator.as_str(),
            condition.threshold,
            state.current.unwrap_or_default(),
            action.name()
        );
        write_text(message, &mut data);
        data.push_str(",\"condition\":");
        write_text(&condition.to_string(), &mut data);
        let _ = write!(
            data,
            ",\"window_seconds\":{},\"timestamp\":{},\"timestamp_iso\":\"{}\"}}",
            window_ns / 1_000_000_000,
            self.now.seconds(),
            self.now.to_rfc3339_millis()
        );
        let id = derived_id("alert", &[TYPE, kind, &condition.to_string(), &self.now.0.to_string()]);
        Ok(self.event(TYPE, "system/alerts".to_owned(), "/tacho/alerts", id, data)?)
    }
}
