//! The recorder: a thread that hears what passes and tells of it. Whoever passes bytes on never waits for it.

use super::conversation::{About, Conversation, End, Moment, Side};
use super::delivery::Delivery;
use super::lines::Lines;
use crate::identity;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// Lines that wait for the recorder; what comes beyond them is counted and not looked at.
const QUEUE_LINES: usize = 1_024;
/// What these lines may have together, in bytes.
const QUEUE_BYTES: usize = 64 << 20;
/// How long the end of the conversation waits for what is still to be told.
const LAST_WORDS: Duration = Duration::from_secs(2);

enum Heard {
    Line(Side, Vec<u8>, Moment),
    End(End, Moment),
}

/// What the ears and the recorder share.
#[derive(Default)]
struct Shared {
    queued_bytes: AtomicUsize,
    /// Lines that were not looked at.
    dropped: AtomicU64,
}

pub struct Recorder {
    began: Instant,
    sender: SyncSender<Heard>,
    shared: Arc<Shared>,
    done: Receiver<()>,
}

impl Recorder {
    /// Without its thread nothing is recorded, and the conversation goes on.
    pub fn start(about: About, data: PathBuf) -> Self {
        let (sender, heard) = sync_channel(QUEUE_LINES);
        let (tell_done, done) = sync_channel(1);
        let shared = Arc::new(Shared::default());
        let known = shared.clone();
        let _ = thread::Builder::new().name("mcp-recorder".into()).spawn(move || {
            record(Conversation::new(about), Delivery::new(data), &heard, &known);
            let _ = tell_done.send(());
        });
        Self { began: Instant::now(), sender, shared, done }
    }

    /// Hears what one of the two says.
    pub fn ear(&self, side: Side) -> Ear {
        let (sender, shared) = (self.sender.clone(), self.shared.clone());
        Ear { side, began: self.began, lines: Lines::default(), sender, shared }
    }

    /// Tells that the server ended, and waits a little until that is recorded.
    pub fn end(self, end: End) {
        let moment = moment(self.began);
        // The queue may be full, and who waits for room in it is not to wait for ever.
        let waits = thread::Builder::new().spawn(move || self.sender.send(Heard::End(end, moment)));
        if waits.is_ok() {
            let _ = self.done.recv_timeout(LAST_WORDS);
        }
    }
}

/// What hears the bytes of one side as they pass.
pub struct Ear {
    side: Side,
    began: Instant,
    lines: Lines,
    sender: SyncSender<Heard>,
    shared: Arc<Shared>,
}

impl Ear {
    pub fn hear(&mut self, bytes: &[u8]) {
        let Self { side, began, lines, sender, shared } = self;
        lines.feed(bytes, |line| {
            let is_queued = line.is_some_and(|line| {
                let length = line.len();
                let queued = shared.queued_bytes.fetch_add(length, Relaxed);
                let is_queued = queued + length <= QUEUE_BYTES
                    && sender.try_send(Heard::Line(*side, line, moment(*began))).is_ok();
                if !is_queued {
                    shared.queued_bytes.fetch_sub(length, Relaxed);
                }
                is_queued
            });
            if !is_queued {
                shared.dropped.fetch_add(1, Relaxed);
            }
        });
    }
}

fn record(mut conversation: Conversation, mut delivery: Delivery, heard: &Receiver<Heard>, shared: &Shared) {
    while let Ok(heard) = heard.recv() {
        match heard {
            Heard::Line(side, line, at) => {
                let told = conversation.hear(side, &line, at);
                shared.queued_bytes.fetch_sub(line.len(), Relaxed);
                drop(line);
                for told in told {
                    if !delivery.deliver(told) {
                        shared.dropped.fetch_add(1, Relaxed);
                    }
                }
            }
            Heard::End(end, at) => {
                for told in conversation.end(end, shared.dropped.load(Relaxed), at) {
                    // It is the last; nothing is left to tell a loss with.
                    delivery.deliver(told);
                }
                return;
            }
        }
    }
}

fn moment(began: Instant) -> Moment {
    Moment { time: identity::now(), elapsed: began.elapsed() }
}
