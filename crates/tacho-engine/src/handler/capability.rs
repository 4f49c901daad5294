//! Handlers that are found by what they can do: by version, health and load, when an event comes.

use super::BreakerState;
use crate::delivery::{Deliver, Delivered, Delivery, Failure, HandlerState, HandlerStatus, Role, Workers};
use crate::engine::{Engine, Shared};
use std::collections::HashMap;
use std::sync::{Arc, Weak};

/// Workers that hand each event to a handler with a capability.
pub fn by_capability(engine: &Engine, capability: String) -> Arc<dyn Workers> {
    Arc::new(Router { engine: Arc::downgrade(&engine.shared), capability })
}

struct Router {
    engine: Weak<Shared>,
    capability: String,
}

impl Workers for Router {
    fn start(&self) -> Result<Box<dyn Deliver>, Failure> {
        Ok(Box::new(Routed {
            engine: self.engine.clone(),
            capability: self.capability.clone(),
            hands: HashMap::new(),
        }))
    }
}

struct Routed {
    engine: Weak<Shared>,
    capability: String,
    /// Workers of those who were found, by name, with the digest of their configuration.
    hands: HashMap<String, (String, Box<dyn Deliver>)>,
}

impl Deliver for Routed {
    fn deliver(&mut self, delivery: &Delivery<'_>) -> Result<Delivered, Failure> {
        let Some(shared) = self.engine.upgrade() else {
            return Err(Failure::retry("stopping", "the engine is stopping"));
        };
        let engine = Engine { shared };
        let name = choose(engine.handlers(), &self.capability).ok_or_else(|| {
            let reason = format!("no healthy handler has the capability {:?}", self.capability);
            Failure::retry("no_capability", reason)
        })?;
        let definition = engine.definition_of(&name);
        let definition = definition.map_err(|error| Failure::retry("no_capability", error.to_string()))?;
        let known = self.hands.get_mut(&name).filter(|(digest, _)| *digest == definition.digest);
        let answer = match known {
            Some((_, hands)) => hands.deliver(delivery),
            None => {
                let mut hands = definition.workers.start()?;
                let answer = hands.deliver(delivery);
                self.hands.insert(name.clone(), (definition.digest, hands));
                answer
            }
        };
        answer.map_err(|failure| Failure { message: format!("{name}: {}", failure.message), ..failure })
    }
}

/// The healthiest, then the highest version, then the one with least to do.
fn choose(handlers: Vec<HandlerStatus>, capability: &str) -> Option<String> {
    healthiest(handlers, |one| one.capabilities.iter().any(|known| known == capability))
}

/// As [`choose`], of those who will do.
pub(crate) fn healthiest(
    handlers: Vec<HandlerStatus>,
    will_do: impl Fn(&HandlerStatus) -> bool,
) -> Option<String> {
    let may = |one: &HandlerStatus| {
        let is_healthy = one.state == HandlerState::Running && one.breaker != BreakerState::Open;
        one.role == Role::Handler && is_healthy && will_do(one)
    };
    let rank = |one: &HandlerStatus| {
        (version(one.version.as_deref()), std::cmp::Reverse(one.in_flight + one.pending))
    };
    handlers.into_iter().filter(may).max_by_key(rank).map(|one| one.name)
}

/// As numbers; without a version it is the lowest.
fn version(text: Option<&str>) -> [u64; 3] {
    let mut numbers = [0; 3];
    let parts = text.unwrap_or_default().split(['.', '-', '+']);
    for (number, part) in numbers.iter_mut().zip(parts) {
        *number = part.parse().unwrap_or(0);
    }
    numbers
}
