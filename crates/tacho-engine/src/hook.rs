//! Hooks: frames from the socket and from the spool, through one path, in their order.

use crate::engine::Engine;
use crate::latency::LatencyCounters;
use crate::transcript::Transcripts;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tacho_event::{Draft, Event, Sameness};
use tacho_journal::spool::{HookFrame, Spool};
use tacho_journal::{AppendError, Appended};
use thiserror::Error;

/// How foreign bytes become events; given by the doors, which know foreign formats.
pub struct Parsers {
    /// The events of a frame: the hook's own, then what it carried. Empty when a rule drops it.
    pub frame: ParseFrame,
    /// The transcript to read when this event is on the log, if any.
    pub transcript_path: TranscriptPath,
    /// The markers in that transcript.
    pub transcript: ParseTranscript,
    /// What the answers in a transcript used.
    pub usages: ParseTranscript,
    /// A payload without its secrets: what may be spooled.
    pub redact: Redact,
}

pub type ParseFrame = Box<dyn Fn(HookFrame) -> Vec<Event> + Send + Sync>;
pub type TranscriptPath = Box<dyn Fn(&Event) -> Option<PathBuf> + Send + Sync>;
pub type Redact = Box<dyn Fn(&[u8]) -> Vec<u8> + Send + Sync>;
pub type ParseTranscript = Box<dyn Fn(&Event, &[u8]) -> Vec<Event> + Send + Sync>;

/// Numbers that [`Engine::statistics`] tells.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) spool_bytes: AtomicU64,
    pub(crate) dropped: AtomicU64,
    pub(crate) refused: AtomicU64,
    /// From a hook's arrival to its durable acknowledgement.
    pub(crate) latency: LatencyCounters,
}

/// Takes hooks in. Clones share it.
#[derive(Clone)]
pub struct HookService {
    shared: Arc<Shared>,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

struct Shared {
    engine: Engine,
    parsers: Arc<Parsers>,
    spool: Spool,
    /// Held while frames of the spool are appended, so that they come before later ones.
    draining: Mutex<()>,
    transcripts: Transcripts,
    stop: AtomicBool,
}

/// Why the spool was not drained to its end. What is left stays there.
#[derive(Debug, Error)]
pub enum DrainError {
    #[error("the spool: {0}")]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Append(#[from] AppendError),
}

impl Engine {
    /// Opens the spool and starts the thread that watches it. Call [`HookService::drain`] before the hook
    /// socket is bound.
    pub fn serve_hooks(&self, parsers: Parsers) -> std::io::Result<HookService> {
        let parsers = Arc::new(parsers);
        let shared = Arc::new(Shared {
            engine: self.clone(),
            spool: Spool::open(&self.config().data)?,
            draining: Mutex::new(()),
            transcripts: Transcripts::start(self.clone(), parsers.clone())?,
            parsers,
            stop: AtomicBool::new(false),
        });
        let watcher = shared.clone();
        let thread = std::thread::Builder::new().name("tacho-spool".into()).spawn(move || watcher.watch())?;
        Ok(HookService { shared, thread: Arc::new(Mutex::new(Some(thread))) })
    }
}

impl HookService {
    /// Appends what a frame holds, behind everything that waits in the spool. `Ok(None)` when its content was
    /// refused for good; an error when it should be sent again.
    pub async fn accept(&self, frame: HookFrame) -> Result<Option<Appended>, AppendError> {
        let begun = Instant::now();
        if !self.shared.spool.is_empty() {
            // Where the spool cannot be drained, a later frame that can be kept is still worth more than none.
            let _ = self.drain().await;
        }
        let events = (self.shared.parsers.frame)(frame);
        if events.is_empty() {
            return Ok(Some(Appended::default()));
        }
        let ends = self.shared.ends(&events);
        let singly = if events.len() > 1 { events.clone() } else { Vec::new() };
        let result = match self.shared.engine.append(events, Vec::new()).await {
            Err(error) if is_final(&error) && !singly.is_empty() => self.accept_singly(singly).await,
            result => result,
        };
        match result {
            Ok(appended) => {
                self.shared.engine.shared.hooks.latency.add(begun.elapsed());
                self.shared.transcripts.read_later(ends);
                Ok(Some(appended))
            }
            Err(error) if is_final(&error) => {
                self.shared.engine.shared.hooks.refused.fetch_add(1, Relaxed);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// One bad event does not take the others of its frame with it.
    async fn accept_singly(&self, events: Vec<Event>) -> Result<Appended, AppendError> {
        let mut all = Appended::default();
        let mut refusal = None;
        for event in events {
            match self.shared.engine.append(vec![event], Vec::new()).await {
                Ok(appended) => all.events.extend(appended.events),
                Err(error) if is_final(&error) => refusal = Some(error),
                Err(error) => return Err(error),
            }
        }
        match refusal {
            Some(error) if all.events.is_empty() => Err(error),
            _ => Ok(all),
        }
    }

    /// As [`Self::accept`], for a sender who cannot keep the frame: what cannot be appended now is spooled.
    pub async fn accept_or_spool(&self, frame: HookFrame) {
        let mut kept = frame.clone();
        if self.accept(frame).await.is_ok() {
            return;
        }
        kept.payload = (self.shared.parsers.redact)(&kept.payload);
        let (shared, limit) = (self.shared.clone(), self.shared.engine.config().hook.spool_bytes);
        let spool = move || tacho_journal::spool::append(&shared.engine.config().data, &kept.encode(), limit);
        let spooled = tokio::task::spawn_blocking(spool).await;
        if !matches!(spooled, Ok(Ok(_))) {
            self.shared.engine.shared.hooks.refused.fetch_add(1, Relaxed);
        }
    }

    /// Counts a hook that a door could not read.
    pub fn count_refused(&self) {
        self.shared.engine.shared.hooks.refused.fetch_add(1, Relaxed);
    }

    /// Appends everything that waits in the spool.
    pub async fn drain(&self) -> Result<(), DrainError> {
        let shared = self.shared.clone();
        let drained = tokio::task::spawn_blocking(move || shared.drain()).await;
        drained.unwrap_or_else(|error| Err(std::io::Error::other(error).into()))
    }

    /// Stops watching the spool and reading transcripts. Blocks for a moment.
    pub fn stop(&self) {
        self.shared.stop.store(true, SeqCst);
        if let Some(thread) = lock(&self.thread).take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
        self.shared.transcripts.stop();
    }
}

impl Shared {
    fn watch(&self) {
        let pause = Duration::from_millis(self.engine.config().hook.spool_poll_ms);
        while !self.stop.load(SeqCst) {
            let waits = !self.spool.is_empty();
            self.engine.shared.hooks.spool_bytes.store(self.spool.bytes(), Relaxed);
            if waits {
                // A failure is tried again after the pause; readiness tells of the log's state.
                let _ = self.drain();
            }
            std::thread::park_timeout(pause);
        }
    }

    fn drain(&self) -> Result<(), DrainError> {
        let _in_order = lock(&self.draining);
        let drained = self.spool.drain(|frame| self.append_spooled(frame))?;
        let counters = &self.engine.shared.hooks;
        counters.spool_bytes.store(self.spool.bytes(), Relaxed);
        if drained.dropped > 0
            && let Some(event) = self.overflow_event(drained.dropped)
        {
            // The count stays until an event tells of it: a crash between may tell it twice, never not at all.
            self.engine.append_and_wait(vec![event])?;
            self.spool.forget_dropped(drained.dropped)?;
            counters.dropped.fetch_add(drained.dropped, Relaxed);
        }
        Ok(())
    }

    fn append_spooled(&self, frame: HookFrame) -> Result<(), DrainError> {
        let events = (self.parsers.frame)(frame);
        if events.is_empty() {
            return Ok(());
        }
        let ends = self.ends(&events);
        let singly = if events.len() > 1 { events.clone() } else { Vec::new() };
        let mut result = self.engine.append_and_wait(events).map(drop);
        if result.as_ref().is_err_and(is_final) {
            for event in singly {
                result = self.engine.append_and_wait(vec![event]).map(drop);
                if result.as_ref().is_err_and(|error| !is_final(error)) {
                    break;
                }
            }
        }
        match result {
            Err(error) if !is_final(&error) => return Err(error.into()),
            // Kept in the spool, it would hold up everything behind it for ever.
            Err(_) => drop(self.engine.shared.hooks.refused.fetch_add(1, Relaxed)),
            Ok(()) => {}
        }
        self.transcripts.read_later(ends);
        Ok(())
    }

    /// The events behind which a transcript is to be read.
    fn ends(&self, events: &[Event]) -> Vec<(Event, PathBuf)> {
        let end = |event: &Event| Some((event.clone(), (self.parsers.transcript_path)(event)?));
        events.iter().filter_map(end).collect()
    }

    fn overflow_event(&self, dropped: u64) -> Option<Event> {
        let mut draft = Draft::new("tacho.spool_overflow", "/tacho/spool", self.engine.new_id());
        draft.subject = Some("system/spool".into());
        draft.put_text("time", &self.engine.now().to_rfc3339());
        draft.put_text("severity", "error");
        draft.set_data(format!("{{\"dropped\":{dropped}}}").into_bytes());
        draft.finish(Sameness::FirstWins).ok()
    }
}

/// Whether sending the same again cannot help.
fn is_final(error: &AppendError) -> bool {
    matches!(
        error,
        AppendError::IdConflict { .. } | AppendError::SequenceConflict { .. } | AppendError::TooLarge { .. }
    )
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}
