//! The handle of a log.

use crate::appender::{Appender, MAX_FRAME_BYTES};
use crate::committer::{Committer, Reply};
use crate::index::{id_hash, stream_hash};
use crate::lock::Lock;
use crate::recovery::{self, Opened};
use crate::shared::Shared;
use crate::storage::{Folder, Storage};
use crate::writer::{self, Message, Started};
use crate::{AppendError, Appended, Batch, JournalError};
use std::fmt;
use std::path::Path;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use tacho_event::{Position, Recorded, Sequence};

/// A handle of an open log; clones share it. One writer thread owns the end of the log; readers go beside
/// it and see only what is durable.
#[derive(Clone)]
pub struct Journal {
    shared: Arc<Shared>,
    /// Absent when the log was opened to read only, or is closed.
    writer: Arc<Mutex<Option<Writer>>>,
    door: Option<Door>,
}

/// How batches come to the end of the log.
#[derive(Clone)]
struct Door {
    sender: SyncSender<Message>,
    committer: Arc<Committer>,
}

struct Writer {
    threads: Vec<JoinHandle<()>>,
}

/// The identity of a log: a UUID, written `8-4-4-4-12`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LogId(pub [u8; 16]);

#[derive(Debug, Clone)]
pub struct Options {
    /// The id of a log that is created; ignored for one that exists.
    pub new_log_id: [u8; 16],
    /// Size at which a segment is closed, in bytes.
    pub segment_bytes: u64,
    /// Most zeros that are written ahead, in bytes.
    pub preallocate_bytes: u64,
    /// Records are compressed together up to this many bytes.
    pub block_bytes: usize,
    /// Of zstd, 1 to 22.
    pub compression_level: i32,
    /// Ids that are kept in memory before they are written to a run; about 60 bytes each.
    pub index_entries: usize,
    /// Batches that may wait for the writer; more are refused as [`AppendError::QueueFull`].
    pub queue_batches: usize,
    /// Who holds the log, told to a second opener (for example an address and a process id).
    pub holder: String,
    /// Reads only: takes no lock, changes no byte, refuses appends.
    pub read_only: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            new_log_id: [0; 16],
            segment_bytes: 64 << 20,
            preallocate_bytes: 16 << 20,
            block_bytes: 64 << 10,
            compression_level: 3,
            index_entries: 128 * 1024,
            queue_batches: 1024,
            holder: String::new(),
            read_only: false,
        }
    }
}

/// What opening found and did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Recovery {
    /// The log had been closed by a clean stop.
    pub clean: bool,
    /// Bytes of a torn last frame that were cut.
    pub torn_bytes: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadLimit {
    pub events: usize,
    /// Stops after the event that reaches it; always at least one event.
    pub bytes: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamHead {
    pub sequence: Sequence,
    pub position: Position,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    Good,
    /// Appends are refused while the disk is full; the next append tries again.
    DiskFull,
    /// A write or sync failed; appends are refused until the log is reopened.
    Poisoned(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Size {
    pub segments: u64,
    pub sealed_segments: u64,
    /// On disk, preallocated space included.
    pub bytes: u64,
}

impl Journal {
    /// Opens or creates the log in `folder`.
    pub fn open(folder: &Path, options: Options) -> Result<(Self, Recovery), JournalError> {
        let fault = |source| JournalError::Io { path: folder.to_owned(), source };
        let writable = !options.read_only;
        let storage = Folder::open(folder, writable).map_err(fault)?;
        let index = Folder::open(&folder.join("index"), writable).map_err(fault)?;
        let lock = if writable { Some(Lock::take(folder, &options.holder)?) } else { None };
        Self::start(recovery::open(Arc::new(storage), Arc::new(index), options)?, lock)
    }

    /// As [`Self::open`], over other storages, and without a lock: for tests.
    pub fn open_on(
        storage: Arc<dyn Storage>,
        index: Arc<dyn Storage>,
        options: Options,
    ) -> Result<(Self, Recovery), JournalError> {
        Self::start(recovery::open(storage, index, options)?, None)
    }

    fn start(opened: Opened, lock: Option<Lock>) -> Result<(Self, Recovery), JournalError> {
        let Opened { shared, appender, recovery, chores } = opened;
        let (door, threads) = match appender {
            Some(appender) => {
                let Started { sender, committer, threads } = writer::start(&shared, appender, chores, lock)?;
                (Some(Door { sender, committer }), threads)
            }
            None => (None, Vec::new()),
        };
        let writer = Arc::new(Mutex::new(Some(Writer { threads })));
        Ok((Self { shared, writer, door }, recovery))
    }

    pub fn log_id(&self) -> LogId {
        LogId(self.shared.log_id)
    }

    /// The last durable position.
    pub fn head(&self) -> Position {
        Position(self.shared.head())
    }

    /// Commits a batch, or queues it. `reply` is called once, when the batch is durable or refused, on the writer's
    /// thread or on this one: it must be quick, must not block and must not append. Refusals that are known at once
    /// are returned instead.
    ///
    /// While nothing else is appended a small batch is written and synced before this returns.
    pub fn append(
        &self,
        batch: Batch,
        reply: impl FnOnce(Result<Appended, AppendError>) + Send + 'static,
    ) -> Result<(), AppendError> {
        let committer = &self.admit(&batch)?.committer;
        let Err((batch, reply)) = committer.commit_now(batch, Box::new(reply)) else { return Ok(()) };
        self.queue(batch, reply)
    }

    /// As [`Self::append`], for a thread that has more to do than to wait for a disk: the batch is always queued.
    pub fn append_behind(
        &self,
        batch: Batch,
        reply: impl FnOnce(Result<Appended, AppendError>) + Send + 'static,
    ) -> Result<(), AppendError> {
        self.admit(&batch)?;
        self.queue(batch, Box::new(reply))
    }

    fn admit(&self, batch: &Batch) -> Result<&Door, AppendError> {
        let actual = Appender::frame_bytes(batch);
        if actual > MAX_FRAME_BYTES {
            return Err(AppendError::TooLarge { actual, limit: MAX_FRAME_BYTES });
        }
        self.door.as_ref().ok_or(AppendError::Closed)
    }

    fn queue(&self, batch: Batch, reply: Reply) -> Result<(), AppendError> {
        let Door { sender, committer } = self.door.as_ref().ok_or(AppendError::Closed)?;
        committer.sending();
        sender.try_send(Message::Append(batch, reply)).map_err(|error| {
            committer.answered(1);
            match error {
                TrySendError::Full(_) => AppendError::QueueFull,
                TrySendError::Disconnected(_) => AppendError::Closed,
            }
        })
    }

    /// As [`Self::append`], waiting for the answer.
    pub fn append_and_wait(&self, batch: Batch) -> Result<Appended, AppendError> {
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        self.append(batch, move |answer| {
            let _ = sender.send(answer);
        })?;
        receiver.recv().unwrap_or(Err(AppendError::Closed))
    }

    /// Lets go of memory that only speeds up what was done last. For a log that rests.
    pub fn release_memory(&self) {
        self.shared.index.lock().unwrap_or_else(PoisonError::into_inner).release();
        self.shared.caches.clear();
    }

    /// The durable events from `from` on, without a gap; empty at the head.
    pub fn read(&self, from: Position, limit: ReadLimit) -> Result<Vec<Recorded>, JournalError> {
        Ok(self.shared.read(from.0, limit)?.into_iter().map(|record| record.event).collect())
    }

    /// One durable event.
    pub fn get(&self, position: Position) -> Result<Option<Recorded>, JournalError> {
        if position == Position::ZERO {
            return Ok(None);
        }
        Ok(self.read(position, ReadLimit { events: 1, bytes: 1 })?.pop())
    }

    /// The position of the event with this key.
    pub fn find(&self, source: &str, id: &str) -> Result<Option<Position>, JournalError> {
        let mut positions = Vec::new();
        self.lock_index().positions(id_hash(source, id), &mut positions);
        for position in positions {
            if let Some(event) = self.get(Position(position))?
                && event.source() == source
                && event.id() == id
            {
                return Ok(Some(event.position));
            }
        }
        Ok(None)
    }

    /// The last event of a stream; `None` for a stream without events.
    pub fn stream_head(&self, stream: &str) -> Result<Option<StreamHead>, JournalError> {
        let head = self.lock_index().head(stream_hash(stream));
        Ok((head.sequence > Sequence::ZERO).then_some(head))
    }

    fn lock_index(&self) -> std::sync::MutexGuard<'_, crate::index::Index> {
        self.shared.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls `observe` with the head after every commit, on the writer's thread: it must not block.
    pub fn on_commit(&self, observe: impl Fn(Position) + Send + Sync + 'static) {
        self.shared.observe(Box::new(observe));
    }

    pub fn health(&self) -> Health {
        self.shared.health()
    }

    pub fn size(&self) -> Size {
        let storage = &*self.shared.storage;
        let mut size = Size::default();
        for segment in self.shared.segments() {
            size.segments += 1;
            size.sealed_segments += u64::from(matches!(segment, crate::segment::Segment::Sealed(_)));
            size.bytes += storage.open(segment.name(), false).and_then(|file| file.length()).unwrap_or(0);
        }
        size
    }

    /// The root of the Merkle tree (RFC 6962) over the first `head` events, and that head: at least [`Self::head`] at
    /// the moment of the call.
    pub fn tree_head(&self) -> (Position, [u8; 32]) {
        let tree = self.shared.tree();
        (Position(tree.size()), tree.root())
    }

    /// Commits what waits, writes the end marker, and releases the folder. Later appends are refused.
    pub fn close(&self) -> Result<(), JournalError> {
        let Some(writer) = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take() else {
            return Ok(());
        };
        if let Some(door) = &self.door {
            // Behind everything that was accepted before.
            let _ = door.sender.send(Message::Close);
        }
        for thread in writer.threads {
            let _ = thread.join();
            // The writer, which is the first, has done it unless it died; the others end with it.
            if let Some(door) = &self.door {
                door.committer.close();
            }
        }
        Ok(())
    }
}

impl LogId {
    /// Reads `8-4-4-4-12` hex digits.
    pub fn parse(text: &str) -> Option<Self> {
        let digits: String = text.chars().filter(|character| *character != '-').collect();
        let mut bytes = [0; 16];
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(digits.get(2 * index..2 * index + 2)?, 16).ok()?;
        }
        (digits.len() == 32 && text.len() == 36).then_some(Self(bytes))
    }
}

impl fmt::Display for LogId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                formatter.write_str("-")?;
            }
            write!(formatter, "{byte:02x}")?;
        }
        Ok(())
    }
}
