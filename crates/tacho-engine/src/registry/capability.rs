//! Events that ask for a capability, given to whoever has it when they come.

use super::choice::{Candidate, Split, choose};
use super::orders::Offered;
use crate::delivery::{
    Deliver, Delivered, Delivery, Failure, HandlerState, HandlerStatus, Role, Verdict, Workers,
};
use crate::engine::{Engine, Shared};
use crate::handler::BreakerState;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Weak};

/// Workers that hand each event to somebody with a capability: a handler, or a server's tool of that name.
pub fn by_capability(engine: &Engine, capability: String, split: Split) -> Arc<dyn Workers> {
    Arc::new(Router { engine: Arc::downgrade(&engine.shared), capability, split })
}

struct Router {
    engine: Weak<Shared>,
    capability: String,
    split: Split,
}

impl Workers for Router {
    fn start(&self) -> Result<Box<dyn Deliver>, Failure> {
        Ok(Box::new(Routed {
            engine: self.engine.clone(),
            capability: self.capability.clone(),
            split: self.split.clone(),
            hands: HashMap::new(),
        }))
    }
}

struct Routed {
    engine: Weak<Shared>,
    capability: String,
    split: Split,
    /// Workers of those who were found, by name, with the digest of their configuration.
    hands: HashMap<String, (String, Box<dyn Deliver>)>,
}

impl Deliver for Routed {
    fn deliver(&mut self, delivery: &Delivery<'_>) -> Result<Delivered, Failure> {
        let Some(shared) = self.engine.upgrade() else {
            return Err(Failure::retry("stopping", "the engine is stopping"));
        };
        let engine = Engine { shared };
        let registry = engine.shared.registry.clone();
        let (offers, draining) = (registry.offers(), registry.draining());
        let has = |known: &[String]| known.contains(&self.capability);
        let handlers = engine.handlers();
        let candidates = |is_free: &dyn Fn(&str) -> bool| -> Vec<Candidate> {
            let of_handlers =
                handlers.iter().filter(|one| one.role == Role::Handler && has(&one.capabilities));
            let of_offers = offers.iter().filter(|one| has(&one.capabilities));
            let of_handlers = of_handlers.map(|one| of_handler(one, is_free(&one.name)));
            of_handlers.chain(of_offers.map(|one| of_offer(one, is_free(&one.id)))).collect()
        };
        let may = |name: &str| !draining.contains(name);
        let is_well = |name: &str| may(name) && registry.wellness.is_well(name, engine.elapsed());
        let (well, all) = (candidates(&is_well), candidates(&may));
        // Who failed of late is better than nobody.
        let chosen =
            choose(&well, &self.split, delivery.key).or_else(|| choose(&all, &self.split, delivery.key));
        let Some(chosen) = chosen else {
            let reason = format!("nobody who is healthy has the capability {:?}", self.capability);
            return Err(Failure::retry("no_capability", reason));
        };
        self.hands.retain(|name, _| all.iter().any(|one| one.name == *name));
        let name = chosen.name.as_str();
        let offered = offers.iter().find(|one| one.id == name && has(&one.capabilities));
        let answer = self.give(&engine, name, offered, delivery);
        let is_refusal = answer.as_ref().is_err_and(|failure| failure.verdict == Verdict::Reject);
        registry.wellness.note(name, answer.is_ok() || is_refusal, engine.elapsed());
        answer.map_err(|failure| Failure { message: format!("{name}: {}", failure.message), ..failure })
    }
}

impl Routed {
    fn give(
        &mut self,
        engine: &Engine,
        name: &str,
        offered: Option<&Offered>,
        delivery: &Delivery<'_>,
    ) -> Result<Delivered, Failure> {
        let _load = offered.map(|offered| Load::of(&offered.load, delivery));
        let (digest, definition) = match offered {
            Some(offered) => (offered.digest.clone(), None),
            None => {
                let definition = engine.definition_of(name);
                let definition =
                    definition.map_err(|error| Failure::retry("no_capability", error.to_string()))?;
                (definition.digest.clone(), Some(definition))
            }
        };
        if let Some((_, hands)) = self.hands.get_mut(name).filter(|(known, _)| *known == digest) {
            return hands.deliver(delivery);
        }
        let workers = match (offered, definition) {
            (Some(offered), _) => (offered.open)(&self.capability)?,
            (None, Some(definition)) => definition.workers,
            (None, None) => return Err(Failure::retry("no_capability", "it is there no longer")),
        };
        let mut hands = workers.start()?;
        let answer = hands.deliver(delivery);
        self.hands.insert(name.to_owned(), (digest, hands));
        answer
    }
}

/// Events that somebody is asked about, as long as this lives.
struct Load<'l> {
    load: &'l AtomicU64,
    events: u64,
}

impl<'l> Load<'l> {
    fn of(load: &'l AtomicU64, delivery: &Delivery<'_>) -> Self {
        let events = delivery.events.len() as u64;
        load.fetch_add(events, Relaxed);
        Self { load, events }
    }
}

impl Drop for Load<'_> {
    fn drop(&mut self) {
        self.load.fetch_sub(self.events, Relaxed);
    }
}

/// The handler that is healthy and drains not, of those who will do: by version, then by load.
pub(crate) fn healthiest(engine: &Engine, will_do: impl Fn(&HandlerStatus) -> bool) -> Option<String> {
    let draining = engine.shared.registry.draining();
    let handlers = engine.handlers();
    let able = handlers.iter().filter(|one| one.role == Role::Handler && will_do(one));
    let able: Vec<Candidate> = able.map(|one| of_handler(one, !draining.contains(&one.name))).collect();
    choose(&able, &Split::default(), "").map(|one| one.name.clone())
}

fn of_handler(status: &HandlerStatus, is_free: bool) -> Candidate {
    let is_well = status.state == HandlerState::Running && status.breaker != BreakerState::Open;
    Candidate {
        name: status.name.clone(),
        version: status.version.clone(),
        is_healthy: is_well && is_free,
        load: status.in_flight + status.pending,
    }
}

fn of_offer(offered: &Offered, is_free: bool) -> Candidate {
    Candidate {
        name: offered.id.clone(),
        version: offered.version.clone(),
        is_healthy: offered.is_healthy && is_free,
        load: offered.load.load(Relaxed),
    }
}
