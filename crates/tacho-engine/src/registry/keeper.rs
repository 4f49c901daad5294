//! The registry's thread: holds what is there against what the log says, and has the log say it.

use super::entry::{EntryOrigin, EntryState, RegistryEntry, configuration_changed, reason};
use super::member::{Member, Offer, Registration, Sources};
use super::orders::{Offered, RegistryError};
use super::present::{Present, broken, entry_of, removed};
use super::stored;
use crate::Moment;
use crate::delivery::{Failure, guarded};
use crate::engine::{Engine, Shared};
use crate::handler::{Asker, Vitals};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tacho_journal::AppendError;

/// How often it looks at all.
const LOOK: Duration = Duration::from_secs(1);
/// The same, until the read side knows what the log says.
const FIRST_LOOK: Duration = Duration::from_millis(20);
/// How often a server is asked what it can do, and one that did not answer.
const CHECK: Duration = Duration::from_secs(300);
const CHECK_AGAIN: Duration = Duration::from_secs(10);
/// Events that are appended together.
const BATCH: usize = 500;
/// What a pause says that is a drain.
const DRAINS: &str = "drained: ";

pub(super) enum Message {
    Do(Box<dyn FnOnce(&mut Keeper) + Send>),
    /// A server answered what it can do.
    Listed {
        id: String,
        digest: String,
        list: Result<Vec<String>, Failure>,
    },
    Stop,
}

pub(super) struct Keeper {
    engine: Weak<Shared>,
    sources: Sources,
    messages: Sender<Message>,
    members: BTreeMap<String, Present>,
    /// As the log says.
    entries: BTreeMap<String, RegistryEntry>,
    /// Whether the log was asked.
    is_read: bool,
    looked: Option<Duration>,
    /// Why the last news are not on the log.
    fault: Option<String>,
}

impl Keeper {
    pub(super) fn new(
        engine: &Engine,
        members: Vec<Member>,
        sources: Sources,
        messages: Sender<Message>,
    ) -> Self {
        let members = members.into_iter().map(|member| (member.id.clone(), Present::new(member)));
        Self {
            engine: Arc::downgrade(&engine.shared),
            sources,
            messages,
            members: members.collect(),
            entries: BTreeMap::new(),
            is_read: false,
            looked: None,
            fault: None,
        }
    }

    pub(super) fn run(&mut self, orders: &Receiver<Message>) {
        loop {
            let pause = match (self.is_read, self.members.is_empty() && self.sources.directory.is_none()) {
                (false, _) => Some(FIRST_LOOK),
                (true, false) => Some(LOOK),
                (true, true) => None,
            };
            let order = match pause {
                Some(pause) => orders.recv_timeout(pause),
                None => orders.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match order {
                Ok(Message::Do(work)) => work(self),
                Ok(Message::Listed { id, digest, list }) => self.listed(&id, &digest, list),
                Err(RecvTimeoutError::Timeout) => {}
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            }
            let Some(shared) = self.engine.upgrade() else { return };
            self.look(&Engine { shared });
        }
    }

    /// What is done about once a second.
    fn look(&mut self, engine: &Engine) {
        if !self.is_read && !self.read(engine) {
            return;
        }
        let now = engine.elapsed();
        if self.looked.is_some_and(|looked| now.saturating_sub(looked) < LOOK) {
            return;
        }
        self.looked = Some(now);
        if let Some(found) = self.sources.directory.as_mut().and_then(|look| look()) {
            let asker = by_itself("the folder of handlers changed");
            self.replace(engine, EntryOrigin::Directory, found, &asker);
        }
        self.check(now);
        self.tell_of(engine, None);
    }

    /// Notes what differs; that it cannot is told once.
    fn tell_of(&mut self, engine: &Engine, asker: Option<&Asker>) {
        let fault = self.note(engine, asker).err().map(|error| error.to_string());
        if let Some(error) = fault.as_ref().filter(|_| self.fault != fault) {
            (self.sources.tell)(&format!("the registry cannot be written: {error}"));
        }
        self.fault = fault;
    }

    /// Reads what the log says, once the read side knows all of it, and takes in who registered themselves.
    fn read(&mut self, engine: &Engine) -> bool {
        let shared = &engine.shared;
        if shared.fold.position() < shared.head_at_start {
            return false;
        }
        let Ok(entries) = stored::all(shared, Moment::Now) else { return false };
        self.entries = entries.into_iter().map(|entry| (entry.id.clone(), entry)).collect();
        self.is_read = true;
        let registered: Vec<Registration> = self
            .entries
            .values()
            .filter(|entry| entry.is_there())
            .filter_map(|entry| entry.registration.clone())
            .collect();
        for registration in registered {
            if self.members.contains_key(&registration.id) {
                (self.sources.tell)(&format!(
                    "{} registered itself, and is configured now: the configuration holds",
                    registration.id
                ));
                continue;
            }
            let member = self.open(&registration).unwrap_or_else(|trouble| broken(&registration, trouble));
            self.take_in(engine, member);
        }
        true
    }

    fn open(&self, registration: &Registration) -> Result<Member, String> {
        let member = (self.sources.registration)(registration)?;
        Ok(Member { registration: Some(registration.clone()), ..member })
    }

    /// Starts somebody.
    fn take_in(&mut self, engine: &Engine, member: Member) {
        let mut present = Present::new(member);
        if let Some(definition) = present.member.definition.clone()
            && let Err(error) = engine.start_reaction(definition)
        {
            present.trouble = Some(error.to_string());
        }
        self.members.insert(present.member.id.clone(), present);
    }

    /// Ends somebody when what they are doing is done.
    fn let_go(&mut self, engine: &Engine, id: &str) {
        let Some(present) = self.members.remove(id) else { return };
        engine.shared.registry.wellness.forget(id);
        if present.member.definition.is_some() {
            engine.end_reaction(id);
        }
    }

    /// Has those of an origin be those of the list. Answers the names of what changed.
    fn replace(
        &mut self,
        engine: &Engine,
        origin: EntryOrigin,
        members: Vec<Member>,
        asker: &Asker,
    ) -> Vec<String> {
        let is_kept = |present: &Present| {
            let of_list = members.iter().find(|member| member.id == present.member.id);
            present.member.origin != origin || of_list.is_some_and(|one| one.digest == present.member.digest)
        };
        let gone = self.members.iter().filter(|(_, present)| !is_kept(present));
        let mut changed: Vec<String> = gone.map(|(id, _)| id.clone()).collect();
        for id in &changed {
            self.let_go(engine, id);
        }
        for member in members {
            match self.members.get(&member.id).map(|present| present.member.origin) {
                Some(known) if known == origin => {}
                Some(known) => (self.sources.tell)(&format!(
                    "{} comes from the {} and the {}: the {} holds",
                    member.id,
                    known.as_str(),
                    origin.as_str(),
                    known.as_str()
                )),
                None => {
                    changed.push(member.id.clone());
                    self.take_in(engine, member);
                }
            }
        }
        changed.sort();
        changed.dedup();
        self.tell_of(engine, Some(asker));
        changed
    }

    /// Asks servers what they can do, each on a thread of its own.
    fn check(&mut self, now: Duration) {
        for (id, present) in &mut self.members {
            let offer = present.member.offer.as_ref().and_then(|offer| offer.list.clone());
            let Some(list) = offer.filter(|_| present.next_check.is_some_and(|due| due <= now)) else {
                continue;
            };
            present.next_check = None;
            let (id, digest) = (id.clone(), present.member.digest.clone());
            let messages = self.messages.clone();
            let work = move || {
                let list = guarded(|| list());
                drop(messages.send(Message::Listed { id, digest, list }));
            };
            if std::thread::Builder::new().name("tacho-tools".into()).spawn(work).is_err() {
                present.next_check = Some(now + CHECK_AGAIN);
            }
        }
    }

    fn listed(&mut self, id: &str, digest: &str, list: Result<Vec<String>, Failure>) {
        let Some(shared) = self.engine.upgrade() else { return };
        let Some(present) = self.members.get_mut(id).filter(|present| present.member.digest == digest) else {
            return;
        };
        present.failures = if list.is_ok() { 0 } else { present.failures + 1 };
        let pause = if list.is_ok() { CHECK } else { CHECK_AGAIN };
        present.next_check = Some(shared.clock.elapsed() + pause);
        present.listed = Some(list.map_err(|failure| reason(&failure.message)));
        self.looked = None;
    }

    /// Appends what differs, and tells who may be asked.
    fn note(&mut self, engine: &Engine, asker: Option<&Asker>) -> Result<(), AppendError> {
        if !self.is_read {
            return Ok(());
        }
        let vitals: BTreeMap<String, Vitals> =
            engine.vitals().into_iter().map(|vitals| (vitals.name.clone(), vitals)).collect();
        let mut news = Vec::new();
        for (id, present) in &self.members {
            let known = self.entries.get(id);
            if let Some(entry) = entry_of(engine, present, known, vitals.get(id))
                && !known.is_some_and(|known| known.is_like(&entry))
            {
                news.push(entry);
            }
        }
        for (id, known) in &self.entries {
            if known.is_there() && !self.members.contains_key(id) {
                news.push(removed(engine, known));
            }
        }
        for batch in news.chunks(BATCH) {
            let event = |entry: &RegistryEntry| {
                entry.to_event(engine.new_id(), self.entries.get(&entry.id), asker).ok()
            };
            engine.append_and_wait(batch.iter().filter_map(event).collect())?;
            self.entries.extend(batch.iter().map(|entry| (entry.id.clone(), entry.clone())));
        }
        self.publish(engine);
        Ok(())
    }

    fn publish(&self, engine: &Engine) {
        let offered = |(id, present): (&String, &Present)| {
            let (member, entry) = (&present.member, self.entries.get(id)?);
            let Offer { open, .. } = member.offer.as_ref()?;
            Some(Offered {
                id: id.clone(),
                digest: member.digest.clone(),
                capabilities: entry.capabilities.clone(),
                version: member.version.clone(),
                is_healthy: !present.is_asked() || matches!(present.listed, Some(Ok(_))),
                open: open.clone(),
                load: present.load.clone(),
            })
        };
        let draining = self.entries.values().filter(|entry| entry.state == EntryState::Draining);
        let draining: BTreeSet<String> = draining.map(|entry| entry.id.clone()).collect();
        engine.shared.registry.publish(self.members.iter().filter_map(offered).collect(), draining);
    }

    fn engine(&self) -> Result<Engine, RegistryError> {
        let shared = self.engine.upgrade().ok_or(RegistryError::Stopped)?;
        if self.is_read { Ok(Engine { shared }) } else { Err(RegistryError::NotReady) }
    }

    pub(super) fn reload(&mut self, asker: &Asker) -> Result<Vec<String>, RegistryError> {
        let engine = self.engine()?;
        let members = (self.sources.configuration)().map_err(RegistryError::Configuration)?;
        let is_taken =
            |member: &&Member| self.origin(&member.id).is_some_and(|it| it != EntryOrigin::Configuration);
        if let Some(member) = members.iter().find(is_taken) {
            let origin = self.origin(&member.id).unwrap_or(EntryOrigin::Directory);
            let taken = RegistryError::Taken { id: member.id.clone(), origin };
            return Err(RegistryError::Configuration(taken.to_string()));
        }
        let changed = self.replace(&engine, EntryOrigin::Configuration, members, asker);
        if !changed.is_empty() {
            let event = configuration_changed(&changed, asker, engine.new_id(), engine.now());
            engine.append_and_wait(event.into_iter().collect())?;
        }
        Ok(changed)
    }

    pub(super) fn register(
        &mut self,
        registration: Registration,
        asker: &Asker,
    ) -> Result<RegistryEntry, RegistryError> {
        let engine = self.engine()?;
        let id = registration.id.clone();
        let is_registered = self.members.get(&id).is_some_and(|it| it.member.registration.is_some());
        match self.origin(&id) {
            Some(origin) if !is_registered => return Err(RegistryError::Taken { id, origin }),
            None if engine.handler(&id).is_some() => {
                return Err(RegistryError::Refused(format!(
                    "{id:?} is the name of a sink: choose another one"
                )));
            }
            _ => {}
        }
        let member = self.open(&registration).map_err(RegistryError::Refused)?;
        let known = self.members.get(&id).map(|present| present.member.digest.clone());
        if known.as_ref() != Some(&member.digest) {
            self.let_go(&engine, &id);
            self.take_in(&engine, member);
        }
        self.note(&engine, Some(asker))?;
        self.looked = None;
        self.entry(&id)
    }

    pub(super) fn unregister(&mut self, id: &str, asker: &Asker) -> Result<RegistryEntry, RegistryError> {
        let engine = self.engine()?;
        let present = self.members.get(id).ok_or_else(|| RegistryError::Unknown(id.to_owned()))?;
        if present.member.registration.is_none() {
            let origin = present.member.origin;
            return Err(RegistryError::NotRegistered { id: id.to_owned(), origin });
        }
        self.let_go(&engine, id);
        self.note(&engine, Some(asker))?;
        self.entry(id)
    }

    pub(super) fn drain(&mut self, id: &str, asker: Asker) -> Result<RegistryEntry, RegistryError> {
        let engine = self.engine()?;
        let present = self.members.get(id).ok_or_else(|| RegistryError::Unknown(id.to_owned()))?;
        if present.member.definition.is_some() && present.trouble.is_none() {
            let reason = format!("{DRAINS}{}", asker.reason);
            let paused = engine.pause_handler(id, Asker { by: asker.by.clone(), reason });
            paused.map_err(|error| RegistryError::Refused(error.to_string()))?;
        }
        self.turn(&engine, id, EntryState::Draining, &asker)
    }

    pub(super) fn restore(&mut self, id: &str, asker: Asker) -> Result<RegistryEntry, RegistryError> {
        let engine = self.engine()?;
        let present = self.members.get(id).ok_or_else(|| RegistryError::Unknown(id.to_owned()))?;
        if present.member.definition.is_some()
            && let Some(status) = engine.handler(id)
            // Whoever paused it before the drain has it stay paused.
            && status.paused.is_some_and(|paused| paused.reason.starts_with(DRAINS))
        {
            let resumed = engine.resume_handler(id, asker.clone());
            resumed.map_err(|error| RegistryError::Refused(error.to_string()))?;
        }
        self.turn(&engine, id, EntryState::Running, &asker)
    }

    /// Has an entry drain, or no longer.
    fn turn(
        &mut self,
        engine: &Engine,
        id: &str,
        state: EntryState,
        asker: &Asker,
    ) -> Result<RegistryEntry, RegistryError> {
        let mut entry = self.entry(id)?;
        let drains = state == EntryState::Draining;
        if (entry.state == EntryState::Draining) != drains {
            let before = entry.clone();
            entry.state = state;
            entry.locked_by = drains.then(|| asker.by.clone());
            entry.updated = engine.now();
            let event = entry.to_event(engine.new_id(), Some(&before), Some(asker));
            engine.append_and_wait(event.into_iter().collect())?;
            self.entries.insert(id.to_owned(), entry);
        }
        // It may be something else than running, too.
        self.note(engine, Some(asker))?;
        self.entry(id)
    }

    fn entry(&self, id: &str) -> Result<RegistryEntry, RegistryError> {
        self.entries.get(id).cloned().ok_or_else(|| RegistryError::Unknown(id.to_owned()))
    }

    fn origin(&self, id: &str) -> Option<EntryOrigin> {
        self.members.get(id).map(|present| present.member.origin)
    }
}

fn by_itself(reason: &str) -> Asker {
    Asker { by: "system:tacho".to_owned(), reason: reason.to_owned() }
}
