//! The follower that feeds the read side: one thread with its own cursor on the log.

use crate::config::FoldLimits;
use crate::{memory, priority};
use rustix::fs::{FlockOperation, flock};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::{JoinHandle, Thread};
use std::time::{Duration, Instant};
use tacho_event::Position;
use tacho_journal::{Journal, JournalError, ReadLimit};
use tacho_view::{Reader, ViewError, Writer};
use thiserror::Error;
use tokio::sync::watch;

/// How long the fold rests after a failure before it tries again.
const RETRY: Duration = Duration::from_secs(1);
/// How often in a row the read side must be found damaged before it is thrown away: the log has all of it. No
/// other failure ends it, for a full disk or a log that cannot be read would fail a new one as well.
const DAMAGE_BEFORE_REBUILD: u32 = 3;
/// After so many events the memory that they needed is worth giving back when the log rests.
const BURST_EVENTS: u64 = 4096;

/// A handle of the fold.
pub(crate) struct Fold {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    journal: Journal,
    folder: PathBuf,
    limits: FoldLimits,
    may_rebuild: bool,
    reader: Mutex<Reader>,
    /// The last position that answers include; 0 while the read side is made anew.
    progress: watch::Sender<Position>,
    /// The highest position that a query waits for.
    wanted: AtomicU64,
    /// Whether the thread has nothing to do: only then does a commit wake it.
    resting: AtomicBool,
    stop: AtomicBool,
    /// Set when another process took the log while this one only reads it: the read side is that one's now.
    given_up: AtomicBool,
    rebuild: AtomicBool,
    trouble: Mutex<Option<String>>,
    thread: OnceLock<Thread>,
}

impl Fold {
    /// `may_rebuild`: whether this process holds the log, so that a damaged read side may be thrown away. Without,
    /// the fold gives up for good when another one takes the log; it does not begin while one holds it.
    pub(crate) fn start(
        journal: Journal,
        folder: &Path,
        limits: FoldLimits,
        may_rebuild: bool,
    ) -> Result<Self, ViewError> {
        if !may_rebuild && is_held(folder) {
            let source = std::io::Error::other("another process holds the log and folds it: ask that one");
            return Err(ViewError::File { path: folder.to_owned(), source });
        }
        let (writer, reader) = tacho_view::open(folder, journal.log_id().0)?;
        let shared = Arc::new(Shared {
            journal,
            folder: folder.to_owned(),
            limits,
            may_rebuild,
            reader: Mutex::new(reader),
            progress: watch::Sender::new(writer.position()),
            wanted: AtomicU64::new(0),
            resting: AtomicBool::new(false),
            stop: AtomicBool::new(false),
            given_up: AtomicBool::new(false),
            rebuild: AtomicBool::new(false),
            trouble: Mutex::new(None),
            thread: OnceLock::new(),
        });
        let seen = (shared.journal.head(), Instant::now());
        let worker = Worker {
            shared: shared.clone(),
            writer: Some(writer),
            damage: 0,
            seen,
            unreleased: BURST_EVENTS,
        };
        let thread = std::thread::Builder::new()
            .name("tacho-fold".into())
            .spawn(move || worker.run())
            .map_err(|source| ViewError::File { path: folder.to_owned(), source })?;
        let _ = shared.thread.set(thread.thread().clone());
        Ok(Self { shared, thread: Mutex::new(Some(thread)) })
    }

    /// The last position that answers include.
    pub(crate) fn position(&self) -> Position {
        *self.shared.progress.borrow()
    }

    pub(crate) fn reader(&self) -> Reader {
        lock(&self.shared.reader).clone()
    }

    /// What the fold cannot do just now.
    pub(crate) fn trouble(&self) -> Option<String> {
        lock(&self.shared.trouble).clone()
    }

    /// Waits until answers include `wanted`; false when `timeout` ends first, or the fold gave up.
    pub(crate) async fn reach(&self, wanted: Position, timeout: Duration) -> bool {
        if self.position() >= wanted {
            return true;
        }
        // Only up to the head: what is not on the log yet would keep commits from gathering until it is.
        self.shared.wanted.fetch_max(wanted.min(self.shared.journal.head()).0, SeqCst);
        self.shared.wake();
        let mut progress = self.shared.progress.subscribe();
        let shared = &self.shared;
        let over = progress.wait_for(|position| *position >= wanted || shared.given_up.load(SeqCst));
        matches!(tokio::time::timeout(timeout, over).await, Ok(Ok(position)) if *position >= wanted)
    }

    /// Waits until answers include more than `seen`; answers what they include then.
    pub(crate) async fn beyond(&self, seen: Option<Position>) -> Position {
        let mut progress = self.shared.progress.subscribe();
        // The sender lives as long as this handle.
        let reached = progress.wait_for(|position| seen.is_none_or(|seen| *position > seen)).await;
        reached.map_or(Position::ZERO, |position| *position)
    }

    /// Something to call after each commit, on the journal's thread.
    pub(crate) fn on_commit(&self) -> impl Fn(Position) + Send + Sync + 'static {
        let shared = self.shared.clone();
        move |_| {
            if shared.resting.swap(false, SeqCst) {
                shared.wake();
            }
        }
    }

    /// Throws the read side away and folds the log anew; queries wait meanwhile.
    pub(crate) fn rebuild(&self) {
        // In one step for those who wait: no position of the old read side is told behind this.
        self.shared.progress.send_modify(|position| {
            self.shared.rebuild.store(true, SeqCst);
            *position = Position::ZERO;
        });
        self.shared.wake();
    }

    pub(crate) fn stop(&self) {
        self.shared.stop.store(true, SeqCst);
        self.shared.wake();
        if let Some(thread) = lock(&self.thread).take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn wake(&self) {
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }

    fn stopped(&self) -> bool {
        self.stop.load(SeqCst)
    }

    fn publish(&self, reached: Position) {
        self.progress.send_if_modified(|position| {
            let is_current = !self.rebuild.load(SeqCst);
            if is_current {
                *position = reached;
            }
            is_current
        });
    }
}

/// Why the fold does not get on. It tries again.
#[derive(Debug, Error)]
enum FoldError {
    #[error(transparent)]
    View(#[from] ViewError),
    #[error("the log could not be read: {0}")]
    Journal(#[from] JournalError),
}

struct Worker {
    shared: Arc<Shared>,
    /// Absent after a failure of the read side, until it is open again.
    writer: Option<Writer>,
    /// How often in a row the read side was found damaged.
    damage: u32,
    /// Head and moment when it was last looked at.
    seen: (Position, Instant),
    /// Events folded since memory was given back.
    unreleased: u64,
}

impl Worker {
    fn run(mut self) {
        priority::step_back(self.shared.limits.niceness);
        while !self.shared.stopped() {
            if !self.shared.may_rebuild && is_held(&self.shared.folder) {
                return self.give_up();
            }
            match self.step() {
                Ok(()) => {
                    self.damage = 0;
                    *lock(&self.shared.trouble) = None;
                }
                Err(error) => {
                    *lock(&self.shared.trouble) = Some(error.to_string());
                    self.take_note(&error);
                    self.rest_after_failure();
                }
            }
        }
    }

    /// Two writers would fold the same events twice: the other one has the right to.
    fn give_up(mut self) {
        self.writer = None;
        *lock(&self.shared.trouble) = Some("another process took the log: ask that one".to_owned());
        self.shared.progress.send_modify(|_| self.shared.given_up.store(true, SeqCst));
    }

    fn take_note(&mut self, error: &FoldError) {
        if let FoldError::View(error) = error {
            self.writer = None;
            self.damage += u32::from(error.is_damage());
        }
    }

    /// The whole pause, however often queries and commits wake this thread.
    fn rest_after_failure(&self) {
        let until = Instant::now() + RETRY;
        while !self.shared.stopped() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            std::thread::park_timeout(left);
        }
    }

    fn step(&mut self) -> Result<(), FoldError> {
        let is_damaged = self.damage >= DAMAGE_BEFORE_REBUILD && self.shared.may_rebuild;
        if self.shared.rebuild.load(SeqCst) || is_damaged {
            self.throw_away()?;
            self.shared.rebuild.store(false, SeqCst);
        }
        let position = self.writer()?.position();
        let head = self.shared.journal.head();
        if position < head {
            self.gather(position, head);
            return self.fold(position);
        }
        self.rest(head)
    }

    /// Lets commits gather, unless a query waits or a whole chunk is there; in a burst, lets appends go first.
    fn gather(&mut self, position: Position, head: Position) {
        let is_burst = self.is_burst(head);
        let limits = &self.shared.limits;
        let lag = head.0 - position.0;
        let rest_ms = if is_burst && lag < limits.burst_lag_events {
            limits.burst_rest_ms
        } else if lag < limits.chunk_events as u64 {
            limits.gather_ms
        } else {
            return;
        };
        if self.shared.wanted.load(SeqCst) <= position.0 {
            std::thread::park_timeout(Duration::from_millis(rest_ms));
        }
    }

    /// Whether the log has grown, since this was last asked, faster than the fold could follow beside it.
    fn is_burst(&mut self, head: Position) -> bool {
        let (before, looked) = std::mem::replace(&mut self.seen, (head, Instant::now()));
        let grown = head.0.saturating_sub(before.0) as f64;
        grown > looked.elapsed().as_secs_f64() * self.shared.limits.burst_events_per_second
    }

    fn fold(&mut self, position: Position) -> Result<(), FoldError> {
        let limits = &self.shared.limits;
        let limit = ReadLimit { events: limits.chunk_events, bytes: limits.chunk_bytes };
        let events = self.shared.journal.read(position.next(), limit)?;
        let writer = self.writer()?;
        writer.fold(&events)?;
        let reached = writer.position();
        self.unreleased += events.len() as u64;
        self.shared.publish(reached);
        Ok(())
    }

    /// Waits for the next commit; tidies the read side when the log rests.
    fn rest(&mut self, head: Position) -> Result<(), FoldError> {
        self.shared.resting.store(true, SeqCst);
        let idle = Duration::from_millis(self.shared.limits.idle_ms);
        if self.shared.journal.head() == head && !self.shared.stopped() {
            std::thread::park_timeout(idle);
        }
        let rested = self.shared.resting.swap(false, SeqCst) && self.shared.journal.head() == head;
        if rested && !self.shared.stopped() && !self.shared.rebuild.load(SeqCst) {
            let more = self.writer()?.maintain()?;
            if !more {
                self.release_memory();
                self.sleep(head);
            }
        }
        Ok(())
    }

    /// Gives back what opening the log, or a burst, needed.
    fn release_memory(&mut self) {
        if self.unreleased >= BURST_EVENTS {
            self.unreleased = 0;
            self.shared.journal.release_memory();
            memory::give_back();
        }
    }

    /// Nothing to fold and nothing to tidy: sleeps until something happens.
    fn sleep(&self, head: Position) {
        let shared = &self.shared;
        shared.resting.store(true, SeqCst);
        while shared.resting.load(SeqCst)
            && shared.journal.head() == head
            && !shared.stopped()
            && !shared.rebuild.load(SeqCst)
        {
            std::thread::park();
        }
        shared.resting.store(false, SeqCst);
    }

    fn writer(&mut self) -> Result<&mut Writer, ViewError> {
        let writer = match self.writer.take() {
            Some(writer) => writer,
            None => {
                let (writer, reader) = tacho_view::open(&self.shared.folder, self.shared.journal.log_id().0)?;
                self.shared.publish(writer.position());
                *lock(&self.shared.reader) = reader;
                writer
            }
        };
        Ok(self.writer.insert(writer))
    }

    fn throw_away(&mut self) -> Result<(), ViewError> {
        self.writer = None;
        self.shared.progress.send_replace(Position::ZERO);
        let folder = &self.shared.folder;
        match std::fs::remove_dir_all(folder) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                Err(ViewError::File { path: folder.clone(), source })
            }
            _ => {
                self.damage = 0;
                Ok(())
            }
        }
    }
}

/// Whether a process holds the log beside the read side in `folder`, to write it.
fn is_held(folder: &Path) -> bool {
    let lock = folder.with_file_name("journal").join("LOCK");
    File::open(lock).is_ok_and(|lock| {
        flock(&lock, FlockOperation::NonBlockingLockShared) == Err(rustix::io::Errno::WOULDBLOCK)
    })
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tacho_journal::Options;

    #[test]
    fn a_wish_beyond_the_head_keeps_no_later_commit_from_gathering() {
        let folder = tempfile::tempdir().unwrap();
        let (journal, _) = Journal::open(&folder.path().join("journal"), Options::default()).unwrap();
        let fold =
            Fold::start(journal.clone(), &folder.path().join("view"), FoldLimits::default(), true).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let reached = runtime.block_on(fold.reach(Position(u64::MAX), Duration::ZERO));
        assert!(!reached);
        assert_eq!(fold.shared.wanted.load(SeqCst), journal.head().0);
        fold.stop();
        journal.close().unwrap();
    }

    #[test]
    fn a_reader_leaves_the_read_side_to_who_takes_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let (log, view) = (folder.path().join("journal"), folder.path().join("view"));
        let (journal, _) = Journal::open(&log, Options::default()).unwrap();
        assert!(Fold::start(journal.clone(), &view, FoldLimits::default(), false).is_err());
        journal.close().unwrap();
        let only_reads = Options { read_only: true, ..Options::default() };
        let (reading, _) = Journal::open(&log, only_reads).unwrap();
        let limits = FoldLimits { idle_ms: 3_600_000, ..FoldLimits::default() };
        let fold = Fold::start(reading, &view, limits, false).unwrap();
        // The reader's look at the lock may be in the way for a moment.
        let journal = loop {
            match Journal::open(&log, Options::default()) {
                Ok((journal, _)) => break journal,
                Err(error) => assert!(matches!(error, JournalError::Locked { .. }), "{error}"),
            }
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let patience = Duration::from_secs(3_600);
        assert!(!runtime.block_on(fold.reach(Position(1), patience)));
        assert!(fold.trouble().unwrap().contains("took the log"));
        fold.stop();
        journal.close().unwrap();
    }
}
