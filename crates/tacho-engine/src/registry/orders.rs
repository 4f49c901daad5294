//! What people have the registry do, and who may be asked for a capability.

use super::entry::{EntryOrigin, RegistryEntry};
use super::keeper::{Keeper, Message};
use super::member::{Member, Open, Registration, Sources};
use super::wellness::Wellness;
use crate::delivery::HandlerError;
use crate::engine::Engine;
use crate::handler::Asker;
use std::collections::BTreeSet;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use thiserror::Error;

/// How long an order may take beyond what handlers may take to end.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a stop waits for what is being done.
const STOP: Duration = Duration::from_secs(1);

/// What the registry is asked for, and who keeps it.
#[derive(Default)]
pub(crate) struct Registry {
    sender: OnceLock<Sender<Message>>,
    ended: Mutex<Option<Receiver<()>>>,
    /// Who may be asked beside the handlers.
    offers: Mutex<Arc<Vec<Offered>>>,
    /// Who gets nothing new.
    draining: Mutex<Arc<BTreeSet<String>>>,
    pub(super) wellness: Wellness,
}

/// Somebody who can be asked without a subscription.
pub(super) struct Offered {
    pub(super) id: String,
    /// Of its configuration.
    pub(super) digest: String,
    pub(super) capabilities: Vec<String>,
    pub(super) version: Option<String>,
    pub(super) is_healthy: bool,
    pub(super) open: Open,
    /// Events that it is asked about now.
    pub(super) load: Arc<AtomicU64>,
}

/// Why something that was asked of the registry is not done.
#[derive(Debug, Error)]
pub enum RegistryError {
    #[error("nobody is registered as {0:?}: see `tacho registry list`")]
    Unknown(String),
    #[error("{id:?} comes from the {}: remove it there, then reload", origin.as_str())]
    NotRegistered { id: String, origin: EntryOrigin },
    #[error("{id:?} is taken, by one that comes from the {}: choose another name", origin.as_str())]
    Taken { id: String, origin: EntryOrigin },
    #[error("{0}")]
    Refused(String),
    #[error("nothing of it is in force: {0}")]
    Configuration(String),
    #[error(transparent)]
    Handler(#[from] HandlerError),
    #[error("the log does not take it: {0}")]
    Append(#[from] tacho_journal::AppendError),
    #[error("this server keeps no registry")]
    Absent,
    #[error("the registry is not read yet: try again in a moment")]
    NotReady,
    #[error("the engine is stopping")]
    Stopped,
}

impl Engine {
    /// Starts the registry with what the configuration and its folder name. Where handlers begin is fixed when this
    /// returns; who registered themselves follows when the read side has reached the log's head.
    pub fn start_registry(&self, members: Vec<Member>, sources: Sources) -> Result<(), HandlerError> {
        let mut definitions = Vec::new();
        definitions.extend(members.iter().filter_map(|member| member.definition.clone()));
        self.start_reactions(definitions)?;
        let (messages, orders) = channel();
        let (ends, ended) = sync_channel::<()>(0);
        let mut keeper = Keeper::new(self, members, sources, messages.clone());
        let work = move || {
            keeper.run(&orders);
            drop(ends);
        };
        let fault = |source| HandlerError::Thread { name: "registry".to_owned(), source };
        std::thread::Builder::new().name("tacho-registry".into()).spawn(work).map_err(fault)?;
        let registry = &self.shared.registry;
        let _ = registry.sender.set(messages);
        *lock(&registry.ended) = Some(ended);
        Ok(())
    }

    /// Reads the configuration again: what it no longer names ends when what it is doing is done, what it names
    /// otherwise is started anew. Answers the names of what changed; after an error nothing did.
    pub fn reload_configuration(&self, asker: Asker) -> Result<Vec<String>, RegistryError> {
        self.order_registry(move |keeper| keeper.reload(&asker))
    }

    /// Takes somebody in, or anew. Returns when that is on the log.
    pub fn register(&self, registration: Registration, asker: Asker) -> Result<RegistryEntry, RegistryError> {
        self.order_registry(move |keeper| keeper.register(registration, &asker))
    }

    /// Lets somebody go who registered themselves. Their place on the log stays.
    pub fn unregister(&self, id: &str, asker: Asker) -> Result<RegistryEntry, RegistryError> {
        let id = id.to_owned();
        self.order_registry(move |keeper| keeper.unregister(&id, &asker))
    }

    /// Gives somebody nothing new; what they are doing ends.
    pub fn drain(&self, id: &str, asker: Asker) -> Result<RegistryEntry, RegistryError> {
        let id = id.to_owned();
        self.order_registry(move |keeper| keeper.drain(&id, asker))
    }

    /// Takes a drain back.
    pub fn restore(&self, id: &str, asker: Asker) -> Result<RegistryEntry, RegistryError> {
        let id = id.to_owned();
        self.order_registry(move |keeper| keeper.restore(&id, asker))
    }

    fn order_registry<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Keeper) -> Result<T, RegistryError> + Send + 'static,
    ) -> Result<T, RegistryError> {
        let sender = self.shared.registry.sender.get().ok_or(RegistryError::Absent)?;
        let (answer, answers) = sync_channel(1);
        let work = move |keeper: &mut Keeper| drop(answer.send(work(keeper)));
        sender.send(Message::Do(Box::new(work))).map_err(|_| RegistryError::Stopped)?;
        let patience = PATIENCE + Duration::from_millis(self.shared.config.delivery.stop_ms);
        answers.recv_timeout(patience).unwrap_or(Err(RegistryError::Stopped))
    }
}

impl Registry {
    pub(super) fn offers(&self) -> Arc<Vec<Offered>> {
        lock(&self.offers).clone()
    }

    pub(super) fn publish(&self, offers: Vec<Offered>, draining: BTreeSet<String>) {
        *lock(&self.offers) = Arc::new(offers);
        *lock(&self.draining) = Arc::new(draining);
    }

    pub(super) fn draining(&self) -> Arc<BTreeSet<String>> {
        lock(&self.draining).clone()
    }

    /// Ends the thread; what it is doing may go on for a moment.
    pub(crate) fn stop(&self) {
        let Some(sender) = self.sender.get() else { return };
        let _ = sender.send(Message::Stop);
        if let Some(ended) = lock(&self.ended).take() {
            let _ = ended.recv_timeout(STOP);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
