//! Who commits: the writer's thread, which takes all that waits as one frame, or, while nothing waits, the thread
//! that brings a small batch, which saves it two changes of thread.

use crate::appender::Appender;
use crate::housekeeping::Chore;
use crate::{AppendError, Appended, Batch};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Mutex, TryLockError};

pub(crate) type Reply = Box<dyn FnOnce(Result<Appended, AppendError>) + Send>;

/// A batch of more events is better committed while its client's thread does something else.
const MAX_EVENTS_AT_ONCE: usize = 8;

pub(crate) struct Committer {
    /// Absent when the log is closed.
    desk: Mutex<Option<Desk>>,
    /// Batches that were sent to the writer and are not answered.
    waiting: AtomicUsize,
    /// Whether the last frame held one batch only: clients that come together are better served together.
    is_quiet: AtomicBool,
}

struct Desk {
    appender: Appender,
    chores: ChoreSenders,
}

/// Where chores go: what a commit will soon wait for must not stand behind what takes long.
pub(crate) struct ChoreSenders {
    pub chores: Sender<Chore>,
    pub zeros: Sender<Chore>,
}

impl ChoreSenders {
    pub fn send(&self, chores: Vec<Chore>) {
        for chore in chores {
            let sender = if chore.is_urgent() { &self.zeros } else { &self.chores };
            let _ = sender.send(chore);
        }
    }
}

impl Committer {
    pub fn new(appender: Appender, chores: ChoreSenders) -> Self {
        Self {
            desk: Mutex::new(Some(Desk { appender, chores })),
            waiting: AtomicUsize::new(0),
            is_quiet: AtomicBool::new(true),
        }
    }

    /// Commits the batch on this thread if nothing is before it; gives it back otherwise.
    pub fn commit_now(&self, batch: Batch, reply: Reply) -> Result<(), (Batch, Reply)> {
        let may = batch.len() <= MAX_EVENTS_AT_ONCE && self.is_quiet.load(Ordering::Relaxed);
        if !may {
            return Err((batch, reply));
        }
        match self.desk.try_lock() {
            // Looked at under the lock, so that a batch which was sent before this one is committed before it.
            Ok(mut desk) if self.waiting.load(Ordering::Acquire) == 0 => {
                commit(desk.as_mut(), &[batch], std::iter::once(reply));
                Ok(())
            }
            Ok(_) | Err(TryLockError::WouldBlock | TryLockError::Poisoned(_)) => Err((batch, reply)),
        }
    }

    /// Commits batches as one frame, then answers them.
    pub fn commit(&self, batches: &[Batch], replies: impl ExactSizeIterator<Item = Reply>) {
        let answered = batches.len();
        match self.desk.lock() {
            Ok(mut desk) => commit(desk.as_mut(), batches, replies),
            Err(_) => {
                let error = AppendError::Poisoned("a thread of the log died".into());
                replies.for_each(|reply| reply(Err(error.clone())));
            }
        }
        self.is_quiet.store(answered == 1, Ordering::Relaxed);
        self.answered(answered);
    }

    /// A batch goes to the writer.
    pub fn sending(&self) {
        self.waiting.fetch_add(1, Ordering::AcqRel);
    }

    /// Batches were answered, or could not be sent.
    pub fn answered(&self, batches: usize) {
        self.waiting.fetch_sub(batches, Ordering::AcqRel);
    }

    /// Writes the end marker, and lets the threads of the chores end. Nothing is committed behind it.
    pub fn close(&self) {
        // A thread that died in a commit left the end of the log in doubt: it gets no marker.
        let desk = match self.desk.lock() {
            Ok(mut desk) => desk.take(),
            Err(poisoned) => return drop(poisoned.into_inner().take()),
        };
        // Without the marker the next start looks for a torn end, and finds none.
        let _ = desk.map(|mut desk| desk.appender.close());
    }
}

fn commit(desk: Option<&mut Desk>, batches: &[Batch], replies: impl Iterator<Item = Reply>) {
    let Some(Desk { appender, chores }) = desk else {
        return replies.for_each(|reply| reply(Err(AppendError::Closed)));
    };
    let answers = appender.commit(batches);
    for (reply, answer) in replies.zip(answers) {
        reply(answer);
    }
    appender.settle();
    appender.reserve_ahead();
    chores.send(appender.take_chores());
}
