//! The writer's thread and the thread of its chores.

use crate::appender::{Appender, MAX_FRAME_BYTES};
use crate::committer::{ChoreSenders, Committer, Reply};
use crate::housekeeping::Chore;
use crate::lock::Lock;
use crate::shared::Shared;
use crate::{Batch, JournalError};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

pub(crate) enum Message {
    Append(Batch, Reply),
    Close,
}

/// While more events a second come in, sealing waits.
const BUSY_EVENTS_PER_SECOND: f64 = 50_000.0;
/// Chores that wait at most while events come in; with the default size of a segment about a gibibyte.
const MAX_WAITING: usize = 16;
/// How often chores that wait are looked at.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(250);
/// A chore that failed (a full disk, most often) is tried again after this time.
const RETRY_CHORE_AFTER: Duration = Duration::from_secs(1);

/// A writer at work.
pub(crate) struct Started {
    pub sender: SyncSender<Message>,
    pub committer: Arc<Committer>,
    pub threads: Vec<JoinHandle<()>>,
}

pub(crate) fn start(
    shared: &Arc<Shared>,
    appender: Appender,
    chores: Vec<Chore>,
    lock: Option<Lock>,
) -> Result<Started, JournalError> {
    let (sender, receiver) = mpsc::sync_channel(shared.options.queue_batches);
    let (chore_sender, chore_receiver) = mpsc::channel();
    let (zeros_sender, zeros_receiver) = mpsc::channel();
    let chore_senders = ChoreSenders { chores: chore_sender, zeros: zeros_sender };
    chore_senders.send(chores);
    let committer = Arc::new(Committer::new(appender, chore_senders));
    let spawn = |name: &str, run: Box<dyn FnOnce() + Send>| {
        let fault = |source| JournalError::Io { path: PathBuf::from("a thread of the log"), source };
        thread::Builder::new().name(name.to_owned()).spawn(run).map_err(fault)
    };
    let [shared, of_keeper, of_zeros] = [(); 3].map(|()| Arc::clone(shared));
    // Both hold the lock: the folder is free when the last of them has ended.
    let lock = Arc::new(lock);
    let held = Arc::clone(&lock);
    let held_too = Arc::clone(&lock);
    let keep = move || {
        lower_priority();
        keep_house(&of_keeper, &chore_receiver);
        drop(held);
    };
    let prepare = move || {
        keep_house(&of_zeros, &zeros_receiver);
        drop(held_too);
    };
    let commits = Arc::clone(&committer);
    let write = move || {
        write(&commits, &receiver, || shared.set_closing());
        drop(lock);
    };
    let housekeeper = spawn("tacho-keeper", Box::new(keep))?;
    let zeros = spawn("tacho-zeros", Box::new(prepare))?;
    let writer = spawn("tacho-writer", Box::new(write))?;
    Ok(Started { sender, committer, threads: vec![writer, housekeeper, zeros] })
}

/// Takes what waits, commits it as one frame, answers, and so on: a sync as soon as the queue is drained,
/// and no timer.
fn write(committer: &Committer, receiver: &Receiver<Message>, closing_soon: impl Fn()) {
    let mut batches = Vec::new();
    let mut replies: Vec<Reply> = Vec::new();
    let mut held: Option<Message> = None;
    loop {
        let Some(first) = held.take().or_else(|| receiver.recv().ok()) else { break };
        let mut closing = false;
        let mut bytes = 0;
        let mut next = Some(first);
        while let Some(message) = next.take() {
            match message {
                Message::Append(batch, reply) => {
                    let more = Appender::frame_bytes(&batch);
                    if bytes > 0 && bytes + more > MAX_FRAME_BYTES {
                        held = Some(Message::Append(batch, reply));
                        break;
                    }
                    bytes += more;
                    batches.push(batch);
                    replies.push(reply);
                    next = receiver.try_recv().ok();
                }
                Message::Close => closing = true,
            }
        }
        if !batches.is_empty() {
            committer.commit(&batches, replies.drain(..));
            batches.clear();
        }
        if closing {
            break;
        }
    }
    closing_soon();
    committer.close();
}

/// Does chores as they come; one that fails steps aside and is tried again later, and sealing waits while
/// many events come in.
fn keep_house(shared: &Shared, receiver: &Receiver<Chore>) {
    let mut waiting: VecDeque<Chore> = VecDeque::new();
    let mut pace = Pace::new(shared.head());
    loop {
        let next = if waiting.is_empty() {
            receiver.recv().map_err(RecvTimeoutError::from)
        } else {
            receiver.recv_timeout(LOOK_AGAIN_AFTER)
        };
        match next {
            Ok(chore) => waiting.push_back(chore),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        pace.measure(shared.head());
        for _ in 0..waiting.len() {
            // What a stop leaves undone is found again at the next start.
            if shared.is_closing() {
                return;
            }
            let Some(chore) = waiting.pop_front() else { break };
            let may_wait = chore.is_patient() && waiting.len() < MAX_WAITING;
            let is_early = (may_wait && pace.is_busy) || pace.rests_from_failure();
            if is_early && !chore.is_urgent() {
                waiting.push_back(chore);
            } else if chore.run(shared).is_err() && !chore.is_urgent() {
                pace.failed();
                waiting.push_back(chore);
            }
        }
    }
}

/// How fast the log grows, and when something failed last.
struct Pace {
    head: u64,
    measured: Instant,
    is_busy: bool,
    failed: Option<Instant>,
}

impl Pace {
    fn new(head: u64) -> Self {
        Self { head, measured: Instant::now(), is_busy: false, failed: None }
    }

    fn measure(&mut self, head: u64) {
        let elapsed = self.measured.elapsed();
        if elapsed >= LOOK_AGAIN_AFTER {
            self.is_busy = (head - self.head) as f64 / elapsed.as_secs_f64() > BUSY_EVENTS_PER_SECOND;
            (self.head, self.measured) = (head, Instant::now());
        }
    }

    fn failed(&mut self) {
        self.failed = Some(Instant::now());
    }

    fn rests_from_failure(&self) -> bool {
        self.failed.is_some_and(|failed| failed.elapsed() < RETRY_CHORE_AFTER)
    }
}

/// Appends come first where the machine is busy.
fn lower_priority() {
    #[cfg(target_os = "linux")]
    {
        let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), 10);
    }
}
