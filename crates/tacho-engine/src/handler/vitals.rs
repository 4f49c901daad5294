//! Whether handlers are well, in short.

use super::BreakerState;
use crate::engine::Engine;

/// What the registry tells of a handler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Vitals {
    pub(crate) name: String,
    /// Who had it pause.
    pub(crate) paused_by: Option<String>,
    pub(crate) is_well: bool,
    /// Attempts in a row that failed.
    pub(crate) failures: u64,
    /// The last failure, in words.
    pub(crate) trouble: Option<String>,
}

impl Engine {
    /// Of every handler that runs.
    pub(crate) fn vitals(&self) -> Vec<Vitals> {
        let all = self.ask(|dispatcher| {
            let moment = dispatcher.moment();
            let one = |slot: &super::slot::Slot| {
                let status = slot.core.status(moment);
                Vitals {
                    name: slot.definition.name.clone(),
                    paused_by: status.paused.map(|paused| paused.by),
                    is_well: !status.is_broken && status.breaker != BreakerState::Open,
                    failures: u64::from(status.failures),
                    trouble: slot.trouble.clone().or(status.last_error),
                }
            };
            dispatcher.slots.values().map(one).collect()
        });
        all.unwrap_or_default()
    }
}
