//! Reads the transcripts of agents when they stop, for the markers in them and for what answers used.
//!
//! The last answer may reach the file behind the hook that told of the end, so what answers used is read a moment later. A
//! subagent's transcript stands in a folder that has the name of its session's, and is read with it as long as it is young.
//!
//! The path comes from a hook, so it is not trusted: only a regular file below a `.claude/projects` folder, or
//! below a configured one, is read, after every link in the path was followed.

use crate::engine::Engine;
use crate::hook::Parsers;
use rustix::fs::{Mode, OFlags};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tacho_event::Event;
use tacho_journal::AppendError;

/// How often a marker is appended while the log's queue is full, and how long each try waits for the next:
/// 5 s together.
const APPEND_TRIES: u32 = 250;
const APPEND_PAUSE: Duration = Duration::from_millis(20);

/// How long behind an end it is looked up what answers used.
const LATE: Duration = Duration::from_millis(1_500);
/// A subagent's transcript that did not change for longer was read at its end.
const YOUNG: Duration = Duration::from_secs(600);
/// Most transcripts of subagents that are read with their session's.
const MAX_SUBAGENTS: usize = 256;

/// The event that ended an agent's turn, and its transcript.
type End = (Event, PathBuf);

pub(crate) struct Transcripts {
    queue: Mutex<Option<SyncSender<End>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Transcripts {
    pub(crate) fn start(engine: Engine, parsers: Arc<Parsers>) -> std::io::Result<Self> {
        let (sender, receiver) = sync_channel(engine.config().hook.transcript_queue);
        let work = move || read_all(&engine, &parsers, &receiver);
        let thread = std::thread::Builder::new().name("tacho-transcript".into()).spawn(work)?;
        Ok(Self { queue: Mutex::new(Some(sender)), thread: Mutex::new(Some(thread)) })
    }

    /// Queues transcripts; those that do not fit are left unread, for the hook must not wait.
    pub(crate) fn read_later(&self, ends: Vec<End>) {
        if ends.is_empty() {
            return;
        }
        let queue = self.queue.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(queue) = queue.as_ref() {
            for end in ends {
                let _ = queue.try_send(end);
            }
        }
    }

    /// Reads what is queued, then ends.
    pub(crate) fn stop(&self) {
        drop(self.queue.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take());
        let thread = self.thread.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

fn read_all(engine: &Engine, parsers: &Parsers, ends: &Receiver<End>) {
    let mut late: VecDeque<(Instant, End)> = VecDeque::new();
    loop {
        let next = match late.front() {
            None => ends.recv().map_err(RecvTimeoutError::from),
            Some((due, _)) => ends.recv_timeout(due.saturating_duration_since(Instant::now())),
        };
        match next {
            Ok(end) => {
                read(engine, &end, |cause, lines| (parsers.transcript)(cause, lines));
                late.push_back((Instant::now() + LATE, end));
            }
            Err(RecvTimeoutError::Timeout) => {
                let end = late.pop_front();
                end.iter().for_each(|(_, end)| read_usages(engine, parsers, end));
            }
            Err(RecvTimeoutError::Disconnected) => {
                return late.iter().for_each(|(_, end)| read_usages(engine, parsers, end));
            }
        }
    }
}

fn read_usages(engine: &Engine, parsers: &Parsers, (cause, path): &End) {
    for path in std::iter::once(path.clone()).chain(subagents(path)) {
        read(engine, &(cause.clone(), path), |cause, lines| (parsers.usages)(cause, lines));
    }
}

fn read(engine: &Engine, (cause, path): &End, parse: impl Fn(&Event, &[u8]) -> Vec<Event>) {
    let limits = &engine.config().hook;
    // A transcript that cannot be read tells nothing; the hook's own event is on the log already.
    let Ok(lines) = read_tail(path, &limits.transcript_folders, limits.transcript_bytes) else { return };
    for event in parse(cause, &lines) {
        if append_patiently(engine, &event).is_err() {
            engine.shared.hooks.refused.fetch_add(1, Relaxed);
        }
    }
}

/// The transcripts of a session's subagents that changed of late.
fn subagents(session: &Path) -> Vec<PathBuf> {
    let is_young = |path: &PathBuf| {
        let changed = path.metadata().and_then(|metadata| metadata.modified());
        changed.is_ok_and(|changed| changed.elapsed().map_or(true, |age| age < YOUNG))
    };
    let Ok(files) = std::fs::read_dir(session.with_extension("").join("subagents")) else {
        return Vec::new();
    };
    files.filter_map(|file| Some(file.ok()?.path())).filter(is_young).take(MAX_SUBAGENTS).collect()
}

/// Nobody sends a marker again, so a burst of other appends is waited for.
fn append_patiently(engine: &Engine, event: &Event) -> Result<(), AppendError> {
    let mut tries = 1;
    loop {
        match engine.append_and_wait(vec![event.clone()]) {
            Err(AppendError::QueueFull) if tries < APPEND_TRIES => {
                tries += 1;
                std::thread::sleep(APPEND_PAUSE);
            }
            result => return result.map(drop),
        }
    }
}

/// The last `limit` bytes of the file, from the start of a line to the end of one: a line that is still being
/// written is no line.
fn read_tail(path: &Path, folders: &[PathBuf], limit: u64) -> std::io::Result<Vec<u8>> {
    if !path.is_absolute() {
        return Err(std::io::Error::from(std::io::ErrorKind::InvalidInput));
    }
    let path = path.canonicalize()?;
    if !is_allowed(&path, folders) {
        return Err(std::io::Error::from(std::io::ErrorKind::PermissionDenied));
    }
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let mut file = File::from(rustix::fs::open(&path, flags, Mode::empty())?);
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(std::io::Error::from(std::io::ErrorKind::InvalidInput));
    }
    let start = metadata.len().saturating_sub(limit);
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(limit).read_to_end(&mut bytes)?;
    let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    bytes.truncate(end);
    if start > 0 {
        let begin = bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1);
        bytes.drain(..begin);
    }
    Ok(bytes)
}

fn is_allowed(canonical: &Path, folders: &[PathBuf]) -> bool {
    let parts: Vec<_> = canonical.components().collect();
    let of_claude = parts.windows(2).any(|pair| {
        pair[0] == Component::Normal(".claude".as_ref()) && pair[1] == Component::Normal("projects".as_ref())
    });
    let configured =
        |folder: &PathBuf| folder.canonicalize().is_ok_and(|folder| canonical.starts_with(folder));
    canonical.extension().is_some_and(|extension| extension == "jsonl")
        && (of_claude || folders.iter().any(configured))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_whole_lines_below_the_right_folders_only() {
        let folder = tempfile::tempdir().unwrap();
        let projects = folder.path().join(".claude/projects/demo");
        std::fs::create_dir_all(&projects).unwrap();
        let file = projects.join("agent.jsonl");
        std::fs::write(&file, "{\"a\":1}\n{\"b\":2}\n{\"torn\":").unwrap();
        let read = |path: &Path, limit| read_tail(path, &[], limit).ok();
        assert_eq!(read(&file, 1000).unwrap(), b"{\"a\":1}\n{\"b\":2}\n");
        assert_eq!(read(&file, 20).unwrap(), b"{\"b\":2}\n");

        let outside = folder.path().join("secret.jsonl");
        std::fs::write(&outside, "x\n").unwrap();
        assert_eq!(read(&outside, 1000), None);
        let link = projects.join("link.jsonl");
        std::os::unix::fs::symlink(&outside, &link).unwrap();
        assert_eq!(read(&link, 1000), None, "a link leads outside");
        assert_eq!(read(&projects.join("../../../secret.jsonl"), 1000), None);
        assert_eq!(read_tail(&outside, &[folder.path().to_owned()], 1000).unwrap(), b"x\n");
    }
}
