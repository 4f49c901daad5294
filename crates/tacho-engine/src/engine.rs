//! The handle through which every door reads and writes.

use crate::clock::Clock;
use crate::condition::Conditions;
use crate::config::Config;
use crate::delivery::Deliveries;
use crate::error::{OpenError, SubscribeError};
use crate::fold::Fold;
use crate::handler::Reactions;
use crate::heal::Healing;
use crate::health::{Readiness, Statistics};
use crate::hook::Counters;
use crate::id::{self, Ids};
use crate::live::{From, Hub, Lookup, Phases, Subscription};
use crate::log::Log;
use crate::registry::Registry;
use crate::schema::{self, Schemas};
use crate::watch::Told;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tacho_event::{Event, Filter, Position, Timestamp};
use tacho_journal::{AppendError, Appended, Batch, Health, Journal, LogId, Options, Precondition};
use tacho_view::Snapshots;
use tokio::sync::{Semaphore, oneshot};

/// What is done with the answer of the log.
type Reply = Box<dyn FnOnce(Result<Appended, AppendError>) + Send>;

/// Reads of the log's history for subscribers that run at once.
const HISTORY_READS: usize = 4;

/// A handle of a running engine; clones share it.
#[derive(Clone)]
pub struct Engine {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) journal: Journal,
    /// The same, with old payloads in the form of new ones.
    pub(crate) log: Log,
    pub(crate) fold: Fold,
    /// `None` where their file cannot be written: states take longer then.
    pub(crate) snapshots: Option<Snapshots>,
    pub(crate) hub: Hub,
    pub(crate) queries: Arc<Semaphore>,
    pub(crate) hooks: Counters,
    pub(crate) schemas: Schemas,
    /// What the watch has said.
    pub(crate) told: Told,
    pub(crate) conditions: Conditions,
    pub(crate) deliveries: Arc<Deliveries>,
    pub(crate) reactions: Arc<Reactions>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) healing: Healing,
    pub(crate) clock: Arc<dyn Clock>,
    history: Arc<Semaphore>,
    ids: Ids,
    pub(crate) head_at_start: Position,
    recovery: tacho_journal::Recovery,
    appended: AtomicU64,
}

impl Engine {
    /// Opens the log and the read side below the data folder and starts the threads that follow the log.
    /// Blocks while the log is recovered.
    pub fn open(config: Config, clock: impl Clock) -> Result<Self, OpenError> {
        let ids = Ids::new();
        let new_log_id = ids.next(clock.now());
        let options = Options { new_log_id, ..config.journal.clone() };
        let (journal, recovery) = Journal::open(&config.data.join("journal"), options)?;
        let log = Log::new(journal.clone());
        let followers = start_followers(&config, &log);
        if followers.is_err() {
            // Its threads would hold the folder's lock for a while after this error was told.
            let _ = journal.close();
        }
        let (fold, hub) = followers?;
        let (deliveries, reactions) = (Arc::new(Deliveries::default()), Arc::new(Reactions::default()));
        let (folds, fans_out, delivers) = (fold.on_commit(), hub.on_commit(), deliveries.on_commit());
        let reacts = reactions.on_commit();
        journal.on_commit(move |head| {
            reacts(head);
            fans_out(head);
            folds(head);
            delivers(head);
        });
        let snapshots = Snapshots::open(&config.data.join("view"), journal.log_id().0).ok();
        let shared = Shared {
            snapshots,
            queries: Arc::new(Semaphore::new(config.query.concurrent)),
            hooks: Counters::default(),
            schemas: Schemas::default(),
            told: Told::default(),
            conditions: Conditions::new(config.condition_worker.clone(), config.condition.clone()),
            history: Arc::new(Semaphore::new(HISTORY_READS)),
            clock: Arc::new(clock),
            deliveries,
            reactions,
            registry: Arc::default(),
            healing: Healing::default(),
            ids,
            head_at_start: journal.head(),
            recovery,
            appended: AtomicU64::new(0),
            config,
            journal,
            log,
            fold,
            hub,
        };
        crate::rewind::collect(&shared);
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Appends events together or not at all, if every precondition holds; returns when they are on the disk.
    /// Every door comes through here.
    pub async fn append(
        &self,
        events: Vec<Event>,
        preconditions: Vec<Precondition>,
    ) -> Result<Appended, AppendError> {
        let (sender, receiver) = oneshot::channel();
        self.send(events, preconditions, move |result| drop(sender.send(result)))?;
        receiver.await.unwrap_or(Err(AppendError::Closed))
    }

    /// As [`Self::append`], for a thread that may block.
    pub fn append_and_wait(&self, events: Vec<Event>) -> Result<Appended, AppendError> {
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        self.send(events, Vec::new(), move |result| drop(sender.send(result)))?;
        receiver.recv().unwrap_or(Err(AppendError::Closed))
    }

    /// Queues events. `reply` runs on the journal's thread; so does what the engine notes of them, for a caller
    /// who goes away while they wait does not take them back.
    fn send(
        &self,
        events: Vec<Event>,
        preconditions: Vec<Precondition>,
        reply: impl FnOnce(Result<Appended, AppendError>) + Send + 'static,
    ) -> Result<(), AppendError> {
        let (batch, reply) = self.sealed(events, preconditions, reply)?;
        self.shared.journal.append(batch, reply)
    }

    /// As [`Self::append`], for a thread that waits for nobody: `reply` runs on another one.
    pub(crate) fn send_behind(
        &self,
        events: Vec<Event>,
        reply: impl FnOnce(Result<Appended, AppendError>) + Send + 'static,
    ) -> Result<(), AppendError> {
        let (batch, reply) = self.sealed(events, Vec::new(), reply)?;
        self.shared.journal.append_behind(batch, reply)
    }

    /// A batch, and what happens when it is answered.
    fn sealed(
        &self,
        events: Vec<Event>,
        preconditions: Vec<Precondition>,
        reply: impl FnOnce(Result<Appended, AppendError>) + Send + 'static,
    ) -> Result<(Batch, Reply), AppendError> {
        let is_registration = schema::is_registration(&events);
        let batch = self.batch(events)?.with_preconditions(preconditions);
        let shared = Arc::clone(&self.shared);
        let reply = move |result: Result<Appended, AppendError>| {
            if let Ok(appended) = &result {
                shared.schemas.observe(is_registration, appended);
                if is_registration
                    && let Some(last) = appended.events.iter().map(|event| event.position).max()
                {
                    shared.log.changed(last);
                }
                shared.count(appended);
            }
            // The caller may end the engine once it is answered.
            drop(shared);
            reply(result);
        };
        Ok((batch, Box::new(reply)))
    }

    /// The time of day.
    pub fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    /// A new event id: UUIDv7, increasing within this process.
    pub fn new_id(&self) -> String {
        id::uuid_text(&self.shared.ids.next(self.now()))
    }

    /// How much time went by since some moment of this process; for pauses and limits.
    pub fn elapsed(&self) -> Duration {
        self.shared.clock.elapsed()
    }

    pub fn log_id(&self) -> LogId {
        self.shared.journal.log_id()
    }

    /// The log's id as text.
    pub fn log_name(&self) -> String {
        id::uuid_text(&self.log_id().0)
    }

    /// The last durable position.
    pub fn head(&self) -> Position {
        self.shared.journal.head()
    }

    /// What opening the log found and did.
    pub fn recovery(&self) -> tacho_journal::Recovery {
        self.shared.recovery
    }

    pub fn config(&self) -> &Config {
        &self.shared.config
    }

    /// The log itself, for what only reads it.
    pub fn journal(&self) -> &Journal {
        &self.shared.journal
    }

    /// A stream of events; its start is fixed when this returns.
    pub fn subscribe(&self, filter: Filter, from: From) -> Result<Subscription, SubscribeError> {
        let phases = filter.phase.is_some().then(|| Phases::new(self.phase_lookup()));
        let (history, conditions) = (self.shared.history.clone(), &self.shared.conditions);
        Subscription::new(&self.shared.hub, history, conditions, filter, from, phases)
    }

    /// Throws the read side away and folds the log anew. Queries wait meanwhile, within their limit.
    pub fn rebuild(&self) {
        if let Some(snapshots) = &self.shared.snapshots {
            // What cannot be dropped is of the same log, and as good as it was.
            let _ = snapshots.clear();
        }
        self.shared.fold.rebuild();
    }

    pub fn readiness(&self) -> Readiness {
        let shared = &self.shared;
        let (log, head, view) = (shared.journal.health(), shared.journal.head(), shared.fold.position());
        let trouble = shared.fold.trouble().filter(|_| view < head);
        let reason = match &log {
            Health::DiskFull => Some("the disk is full: appends are refused until there is space".to_owned()),
            Health::Poisoned(why) => Some(format!("the log refuses appends since a write failed: {why}")),
            Health::Good => match trouble {
                Some(trouble) => Some(format!("the read side cannot follow the log: {trouble}")),
                None if view < shared.head_at_start => {
                    Some(format!("the read side is at position {view} of {}", shared.head_at_start))
                }
                None => None,
            },
        };
        Readiness { ready: reason.is_none(), reason, log, head, view }
    }

    pub fn statistics(&self) -> Statistics {
        let shared = &self.shared;
        let size = shared.journal.size();
        Statistics {
            head: shared.journal.head(),
            view: shared.fold.position(),
            appended: shared.appended.load(Relaxed),
            spool_bytes: shared.hooks.spool_bytes.load(Relaxed),
            spool_dropped: shared.hooks.dropped.load(Relaxed),
            hook_refused: shared.hooks.refused.load(Relaxed),
            subscribers: shared.hub.subscribers(),
            gaps: shared.hub.gaps(),
            segments: size.segments,
            sealed_segments: size.sealed_segments,
            log_bytes: size.bytes,
            view_bytes: shared.fold.reader().file_bytes(),
        }
    }

    /// Stops the healer, handlers and followers, ends subscriptions and closes the log. Blocks for a moment; for handlers
    /// at work, within their limit.
    pub fn close(&self) -> Result<(), tacho_journal::JournalError> {
        self.shared.registry.stop();
        self.shared.healing.stop();
        self.shared.reactions.stop(Duration::from_millis(self.shared.config.delivery.stop_ms));
        self.shared.deliveries.stop(Duration::from_millis(self.shared.config.delivery.stop_ms));
        self.shared.hub.stop();
        self.shared.conditions.close();
        self.shared.fold.stop();
        self.shared.journal.close()
    }

    /// Ends every subscription, so that their connections can close.
    pub fn end_subscriptions(&self) {
        self.shared.hub.stop();
        self.shared.conditions.end_turns();
    }

    fn batch(&self, events: Vec<Event>) -> Result<Batch, AppendError> {
        let mut salts = vec![0; events.len() * 16];
        getrandom::fill(&mut salts)
            .map_err(|error| AppendError::Poisoned(format!("the random source fails: {error}").into()))?;
        let mut salts = salts.chunks_exact(16);
        Ok(Batch::new(events, self.now(), |salt| {
            if let Some(random) = salts.next() {
                salt.copy_from_slice(random);
            }
        }))
    }

    fn phase_lookup(&self) -> Lookup {
        let shared = Arc::downgrade(&self.shared);
        Box::new(move |stream| {
            let reader = shared.upgrade()?.fold.reader();
            reader.stream(stream).ok().flatten()?.phase
        })
    }
}

impl Shared {
    fn count(&self, appended: &Appended) {
        let new = appended.events.iter().filter(|receipt| !receipt.duplicate).count();
        self.appended.fetch_add(new as u64, Relaxed);
    }
}

fn start_followers(config: &Config, log: &Log) -> Result<(Fold, Hub), OpenError> {
    let may_rebuild = !config.journal.read_only;
    let fold =
        Fold::start(log.journal().clone(), &config.data.join("view"), config.fold.clone(), may_rebuild)?;
    log.follow(fold.reader());
    let hub = Hub::start(log.clone(), config.live.clone());
    if hub.is_err() {
        fold.stop();
    }
    Ok((fold, hub?))
}
