//! Somebody who is there, as the registry's thread knows them.

use super::entry::{EntryHealth, EntryKind, EntryOrigin, EntryState, RegistryEntry, reason};
use super::member::{Member, Registration};
use crate::engine::Engine;
use crate::handler::Vitals;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

/// Somebody who is there, and what is known of them.
pub(super) struct Present {
    pub(super) member: Member,
    /// Why it does not run.
    pub(super) trouble: Option<String>,
    pub(super) load: Arc<AtomicU64>,
    /// What it answered last, and how often it failed in a row.
    pub(super) listed: Option<Result<Vec<String>, String>>,
    pub(super) failures: u64,
    pub(super) next_check: Option<Duration>,
}

impl Present {
    pub(super) fn new(member: Member) -> Self {
        let next_check = member.offer.as_ref().and_then(|offer| offer.list.as_ref()).map(|_| Duration::ZERO);
        let trouble = member.trouble.clone();
        Self { member, trouble, load: Arc::default(), listed: None, failures: 0, next_check }
    }

    /// Whether it tells itself what it can do.
    pub(super) fn is_asked(&self) -> bool {
        self.member.offer.as_ref().is_some_and(|offer| offer.list.is_some())
    }
}

/// Somebody who registered themselves and can be opened no longer.
pub(super) fn broken(registration: &Registration, trouble: String) -> Member {
    Member {
        id: registration.id.clone(),
        origin: EntryOrigin::Http,
        run: registration.kind.as_str().to_owned(),
        capabilities: registration.capabilities.clone(),
        version: registration.version.clone(),
        digest: String::new(),
        definition: None,
        offer: None,
        trouble: Some(trouble),
        registration: Some(registration.clone()),
    }
}

/// Somebody who is there no longer.
pub(super) fn removed(engine: &Engine, known: &RegistryEntry) -> RegistryEntry {
    let now = engine.now();
    let health = EntryHealth { ok: false, reason: None, checked: now };
    RegistryEntry { state: EntryState::Removed, updated: now, locked_by: None, health, ..known.clone() }
}

/// Somebody as they are now. `None` while it is not known whether they are otherwise than the log says.
pub(super) fn entry_of(
    engine: &Engine,
    present: &Present,
    known: Option<&RegistryEntry>,
    vitals: Option<&Vitals>,
) -> Option<RegistryEntry> {
    let (member, now) = (&present.member, engine.now());
    let known = known.filter(|known| known.is_there());
    let mut entry = RegistryEntry {
        id: member.id.clone(),
        kind: if member.offer.is_some() && present.is_asked() {
            EntryKind::Server
        } else {
            EntryKind::Handler
        },
        state: EntryState::Running,
        locked_by: None,
        attempts: present.failures,
        context_id: None,
        updated: now,
        capabilities: member.capabilities.clone(),
        version: member.version.clone(),
        health: EntryHealth { ok: true, reason: None, checked: now },
        origin: member.origin,
        run: member.run.clone(),
        registration: member.registration.clone(),
    };
    let mut trouble = present.trouble.clone();
    match &present.listed {
        Some(Ok(tools)) => entry.capabilities.clone_from(tools),
        Some(Err(failed)) => trouble = trouble.or(Some(failed.clone())),
        None if present.is_asked() && trouble.is_none() => {
            if known.is_some_and(|known| known.registration == member.registration) {
                return None;
            }
            entry.health.ok = false;
            entry.health.reason = Some("it was not asked for its tools yet".to_owned());
        }
        None => {}
    }
    if let Some(vitals) = vitals {
        entry.attempts = entry.attempts.max(vitals.failures);
        entry.health.ok &= vitals.is_well;
        entry.health.reason = entry.health.reason.or(vitals.trouble.as_deref().map(reason));
        if let Some(by) = &vitals.paused_by {
            (entry.state, entry.locked_by) = (EntryState::Paused, Some(by.clone()));
        }
    }
    if let Some(trouble) = trouble {
        entry.state = EntryState::Failed;
        entry.health = EntryHealth { ok: false, reason: Some(reason(&trouble)), checked: now };
    }
    if let Some(known) = known.filter(|known| known.state == EntryState::Draining) {
        (entry.state, entry.locked_by) = (EntryState::Draining, known.locked_by.clone());
    }
    Some(entry)
}
