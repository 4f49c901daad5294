//! Budgets: a warning at 80 %, a word at 100 %, each once.

use super::Look;
use crate::error::WatchError;
use tacho_event::{Event, derived_id, json};
use tacho_view::{Dimension, NanoUsd};

/// The share of a budget at which it is warned, in percent.
const WARNING_PERCENT: i64 = 80;

/// What may be spent; `None` for no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Budgets {
    pub session: Option<NanoUsd>,
    pub feature: Option<NanoUsd>,
    /// A day of UTC.
    pub day: Option<NanoUsd>,
}

impl Budgets {
    fn limits(&self) -> impl Iterator<Item = (Dimension, NanoUsd)> {
        let all = [
            (Dimension::Session, self.session),
            (Dimension::Feature, self.feature),
            (Dimension::Day, self.day),
        ];
        all.into_iter().filter_map(|(of, limit)| Some((of, limit?)))
    }
}

impl Look<'_> {
    pub(super) async fn budgets(&self) -> Result<(), WatchError> {
        let mut events = Vec::new();
        for (of, limit) in self.engine.config().watch.budgets.limits() {
            let warned = NanoUsd(limit.0 / 100 * WARNING_PERCENT);
            for (name, spent) in self.engine.spent_by(of, warned).await? {
                events.push(self.budget_event("budget_warning", of, &name, limit, spent)?);
                if spent >= limit {
                    events.push(self.budget_event("budget_exceeded", of, &name, limit, spent)?);
                }
            }
        }
        let untold = self.engine.untold(events).await?;
        self.say(untold).await
    }

    /// Its id is what it tells of, so that it is told once.
    fn budget_event(
        &self,
        kind: &'static str,
        of: Dimension,
        name: &str,
        limit: NanoUsd,
        spent: NanoUsd,
    ) -> Result<Event, WatchError> {
        let of = of.name();
        let mut quoted = Vec::new();
        json::write_string(name, &mut quoted);
        let data = format!(
            "{{\"budget\":\"{of}\",\"{of}\":{},\"limit_usd\":{},\"spent_usd\":{},\"used\":{:.4}}}",
            String::from_utf8_lossy(&quoted),
            limit.usd(),
            spent.usd(),
            spent.0 as f64 / limit.0.max(1) as f64
        );
        let stream = match of {
            "session" => tacho_event::stream::of_session(name),
            of => format!("budget/{of}-{name}"),
        };
        let id = derived_id("budget", &[kind, of, &limit.0.to_string(), name]);
        Ok(self.event(kind, stream, "/tacho/budgets", id, data)?)
    }
}
