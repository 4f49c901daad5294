//! What looks at the folded log from time to time, and says as events what it sees: prices that come into force,
//! budgets that are spent, alerts.

mod alert;
mod anomaly;
mod budget;
mod condition;
mod follow;
mod price;
mod told;

pub use alert::{Action, Rule, RuleState};
pub use budget::Budgets;
pub use condition::{Condition, ConditionSyntaxError};
pub use price::{Price, PriceError, Prices};
pub(crate) use told::Told;

use crate::engine::Engine;
use crate::error::WatchError;
use follow::Follower;
use std::time::{Duration, Instant};
use tacho_event::{Draft, Event, EventError, Recorded, Sameness, Timestamp, json};

/// How often silence is looked for.
const SILENCE_CHECK: Duration = Duration::from_secs(15);
/// How much longer than a look the rest behind it is at least.
const REST_PER_LOOK: u32 = 20;

/// What is watched.
#[derive(Debug, Clone)]
pub struct WatchLimits {
    pub prices: Prices,
    pub budgets: Budgets,
    /// Alerts on key figures.
    pub rules: Vec<Rule>,
    /// How often at most, in milliseconds.
    pub every_ms: u64,
}

impl Default for WatchLimits {
    fn default() -> Self {
        Self {
            prices: Prices::default(),
            budgets: Budgets::default(),
            rules: Rule::defaults(),
            every_ms: 500,
        }
    }
}

/// What one look found.
struct Look<'a> {
    engine: &'a Engine,
    now: Timestamp,
}

impl Engine {
    /// Watches for ever, at every growth of the read side. What cannot be looked at or said now is tried again with the next look.
    pub async fn watch(self) {
        let every = Duration::from_millis(self.config().watch.every_ms);
        let mut seen = None;
        let mut anomalies = Follower::new(self.head());
        loop {
            let growth = self.shared.fold.beyond(seen);
            // Silence is told when nothing happens.
            let growth = tokio::time::timeout(SILENCE_CHECK, growth).await;
            let begun = Instant::now();
            let _ = anomalies.look(&self).await;
            if let Ok(position) = growth
                && self.look().await.is_ok()
            {
                seen = Some(position);
            }
            // Looking takes no more than a small share of the time, however much there is to look at.
            tokio::time::sleep(every.max(begun.elapsed() * REST_PER_LOOK)).await;
        }
    }

    /// Looks once, at everything that is folded.
    pub async fn look(&self) -> Result<(), WatchError> {
        let look = Look { engine: self, now: self.now() };
        look.prices().await?;
        look.budgets().await?;
        look.alerts().await
    }

    /// Tells an alert of the first rule as a test; false where there is no rule.
    pub async fn test_alert(&self) -> Result<bool, WatchError> {
        let Some(rule) = self.config().watch.rules.first() else { return Ok(false) };
        Look { engine: self, now: self.now() }.test(rule).await?;
        Ok(true)
    }

    /// What was unusual within the last hour, the newest first.
    pub async fn anomalies(&self) -> Result<Vec<Recorded>, WatchError> {
        Look { engine: self, now: self.now() }.anomalies().await
    }

    /// How each alert's rule stands now, and when it was told last, though it holds no longer.
    pub async fn alert_rules(&self) -> Result<Vec<RuleState>, WatchError> {
        let look = Look { engine: self, now: self.now() };
        // What was told is asked for at the head, so the figures behind it are not older.
        let told = look.told().await?;
        let mut states = look.rules().await?;
        for state in &mut states {
            state.told = told.get(&state.rule.condition.to_string()).copied();
        }
        Ok(states)
    }
}

impl Look<'_> {
    /// Appends what was found. Ids are derived from what is told, so that it is told once.
    async fn say(&self, events: Vec<Event>) -> Result<(), WatchError> {
        if !events.is_empty() {
            self.engine.append(events, Vec::new()).await?;
        }
        Ok(())
    }

    fn event(
        &self,
        kind: &'static str,
        stream: String,
        source: &'static str,
        id: String,
        data: String,
    ) -> Result<Event, EventError> {
        let mut draft = Draft::new(kind, source, id);
        draft.subject = Some(stream.into());
        draft.put_text("time", &self.now.to_rfc3339());
        draft.set_data(data.into_bytes());
        draft.finish(Sameness::FirstWins)
    }
}

fn write_text(text: &str, out: &mut String) {
    let mut quoted = Vec::with_capacity(text.len() + 2);
    json::write_string(text, &mut quoted);
    out.push_str(&String::from_utf8_lossy(&quoted));
}
