//! Which events a handler is meant to get, and what they are known by: its conditions and keys.

use super::core::Item;
use super::key::Key;
use super::policy::{DedupeBy, Order, Policy};
use super::record::{DELIVERED, FAILED};
use super::replayed::{self, REPLAYED};
use super::{again, progress, seen};
use crate::condition::Conditions;
use crate::delivery::{Failure, Selection};
use crate::log::Log;
use std::sync::Arc;
use tacho_event::{Filter, Jq, Recorded};

pub(crate) struct Chooser {
    handler: String,
    selection: Selection,
    order: Option<Key>,
    group: Option<Key>,
    dedupe: Option<super::Dedupe>,
    log: Log,
    /// Whether a program must be run for an event.
    pub(crate) has_programs: bool,
}

impl Chooser {
    pub(crate) fn new(
        handler: &str,
        filter: Filter,
        policy: &Policy,
        conditions: Conditions,
        log: Log,
    ) -> std::io::Result<Self> {
        let order = match (&policy.order, &policy.per_key) {
            (Order::Key(key), _) => Some(key.clone()),
            (Order::None, Some(per_key)) => Some(per_key.key.clone()),
            _ => None,
        };
        let dedupe = policy.dedupe.clone();
        let dedupe_key = dedupe.as_ref().and_then(|dedupe| match &dedupe.by {
            DedupeBy::Key(key) => key.program(),
            _ => None,
        });
        let group = policy.batch.by.clone();
        let keys = [order.as_ref(), group.as_ref()].into_iter().flatten();
        let has_keys = keys.filter_map(Key::program).next().is_some();
        let has_programs = filter.where_jq.is_some() || dedupe_key.is_some() || has_keys;
        let selection = Selection::with_programs(handler, filter, Some(conditions), has_programs)?;
        Ok(Self { handler: handler.to_owned(), selection, order, group, dedupe, log, has_programs })
    }

    /// Whether the event may be meant, as far as that is known without a program.
    pub(crate) fn may_want(&self, event: &Recorded) -> bool {
        if again::is_for(&self.handler, event) || event.kind() == REPLAYED {
            return true;
        }
        // What it tells of itself would never end.
        let is_own = matches!(event.kind(), DELIVERED | FAILED)
            || (event.stream().starts_with("handler/") && event.stream() == progress::stream(&self.handler));
        !is_own && self.selection.may_want(event)
    }

    /// Those of the events that are meant, in their order. The events may be wanted.
    pub(crate) fn choose(&self, events: Vec<Recorded>) -> Result<Vec<Item>, Failure> {
        let (markers, events): (Vec<_>, Vec<_>) =
            events.into_iter().partition(|event| event.kind() == REPLAYED);
        let (retries, events): (Vec<_>, Vec<_>) =
            events.into_iter().partition(|event| again::is_for(&self.handler, event));
        let chosen = self.selection.choose(events)?;
        let mut items: Vec<Item> =
            chosen.into_iter().map(|(event, refusal)| Item { refusal, ..Item::new(event) }).collect();
        for retry in retries {
            let item = again::item(&self.log, retry);
            let item = item.map_err(|error| Failure::retry("log_unreadable", error.to_string()))?;
            items.extend(item);
        }
        for marker in &markers {
            items.extend(self.replayed(marker)?);
        }
        items.sort_by_key(|item| item.position);
        self.name(&mut items)?;
        Ok(items)
    }

    /// The event that a marker stands for, where it is meant.
    fn replayed(&self, marker: &Recorded) -> Result<Option<Item>, Failure> {
        let item = replayed::item(&self.log, marker);
        let item = item.map_err(|error| Failure::retry("log_unreadable", error.to_string()))?;
        let Some(item) = item.filter(|item| self.may_want(&item.event)) else { return Ok(None) };
        let chosen = self.selection.choose(vec![item.event.clone()])?;
        Ok(chosen.into_iter().next().map(|(_, refusal)| Item { refusal, ..item }))
    }

    /// Finds what the events are known by.
    fn name(&self, items: &mut [Item]) -> Result<(), Failure> {
        if let Some(key) = &self.order {
            self.each(key, items, |item, name| item.lane = Some(name.into()))?;
        }
        if let Some(key) = &self.group {
            self.each(key, items, |item, name| item.group = Some(name.into()))?;
        }
        let Some(dedupe) = &self.dedupe else { return Ok(()) };
        match &dedupe.by {
            DedupeBy::Key(key) if key.program().is_some() => self.each(key, items, |item, name| {
                // Without a key it is like no other.
                item.seen = (name != "null").then(|| seen::hash(&[name.as_bytes()]));
            }),
            _ => {
                items.iter_mut().for_each(|item| item.seen = seen::plain_hash(dedupe, &item.event));
                Ok(())
            }
        }
    }

    fn each(&self, key: &Key, items: &mut [Item], set: impl Fn(&mut Item, &str)) -> Result<(), Failure> {
        let Some(program) = key.program() else {
            for item in items {
                let name = key.plain(&item.event).unwrap_or_default().into_owned();
                set(item, &name);
            }
            return Ok(());
        };
        let answers = self.answers(program, items)?;
        for (item, answer) in items.iter_mut().zip(answers) {
            match answer {
                Ok(name) => set(item, &name),
                Err(reason) => {
                    let failure = Failure::reject("key_failed", format!("{}: {reason}", program.as_str()));
                    item.refusal.get_or_insert(failure);
                }
            }
        }
        Ok(())
    }

    fn answers(&self, program: &Jq, items: &[Item]) -> Result<Vec<Result<String, String>>, Failure> {
        let texts: Vec<Vec<u8>> = items.iter().map(|item| item.event.to_cloudevent()).collect();
        self.selection.first(program, &texts)
    }
}

/// Shared with the threads that run programs.
pub(crate) type SharedChooser = Arc<Chooser>;
