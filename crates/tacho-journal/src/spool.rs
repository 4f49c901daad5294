//! The spool: where a hook leaves what it saw while the server is away.
//!
//! One file of frames. Hooks append under a lock, each frame in one synced write; the server takes the
//! whole file under the same lock, by renaming it, and works through it while hooks fill the next one.

use crate::format::u32_at;
use rustix::fs::{FlockOperation, flock};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use tacho_event::Timestamp;

/// What a hook process hands over: to the server's socket, or to the spool, in the same bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HookFrame {
    /// Made by the hook: the event's id.
    pub id: String,
    /// When the hook's process started.
    pub time: Timestamp,
    /// `claude-code`, `codex`, …
    pub agent: String,
    pub git_sha: Option<String>,
    pub branch: Option<String>,
    /// The `TRACEPARENT` that the hook inherited.
    pub traceparent: Option<String>,
    /// The hook's standard input, redacted.
    pub payload: Vec<u8>,
}

/// Largest frame, in bytes.
pub const MAX_FRAME_BYTES: usize = 64 * 1024 * 1024;
/// Largest spool, in bytes, unless configured otherwise. What does not fit is dropped and counted.
pub const DEFAULT_SPOOL_BYTES: u64 = 1024 * 1024 * 1024;

/// `magic(8) ‖ u32 length of the fields ‖ u32 checksum of the fields ‖ fields`.
const HEADER_BYTES: usize = 16;
/// The first byte occurs in no UTF-8 text, so a frame is found again behind one that was cut short.
const MAGIC: [u8; 8] = [0xF7, b'T', b'A', b'C', b'H', b'O', b'H', b'1'];

impl HookFrame {
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![0; HEADER_BYTES];
        out.extend_from_slice(&self.time.0.to_be_bytes());
        let optional = [&self.git_sha, &self.branch, &self.traceparent]
            .map(|field| field.as_deref().unwrap_or_default().as_bytes());
        for field in
            [self.id.as_bytes(), self.agent.as_bytes()].into_iter().chain(optional).chain([&self.payload[..]])
        {
            out.extend_from_slice(&(field.len() as u32).to_be_bytes());
            out.extend_from_slice(field);
        }
        let length = (out.len() - HEADER_BYTES) as u32;
        let checksum = crc32fast::hash(&out[HEADER_BYTES..]);
        out[..8].copy_from_slice(&MAGIC);
        out[8..12].copy_from_slice(&length.to_be_bytes());
        out[12..16].copy_from_slice(&checksum.to_be_bytes());
        out
    }

    /// The frame at the start of `bytes` and its length; `Ok(None)` while more bytes are needed,
    /// an error (with words) when they can never become a frame.
    pub fn decode(bytes: &[u8]) -> Result<Option<(Self, usize)>, String> {
        let known = bytes.len().min(8);
        if bytes[..known] != MAGIC[..known] {
            return Err("these bytes are no hook frame".to_owned());
        }
        if bytes.len() < HEADER_BYTES {
            return Ok(None);
        }
        let length = u32_at(bytes, 8) as usize;
        if length > MAX_FRAME_BYTES {
            return Err(format!("the hook frame has {length} bytes, the limit is {MAX_FRAME_BYTES}"));
        }
        let Some(fields) = bytes.get(HEADER_BYTES..HEADER_BYTES + length) else { return Ok(None) };
        if crc32fast::hash(fields) != u32_at(bytes, 12) {
            return Err("the hook frame's checksum is wrong".to_owned());
        }
        let frame = Self::decode_fields(fields).ok_or("the hook frame's fields do not fit it")?;
        Ok(Some((frame, HEADER_BYTES + length)))
    }

    fn decode_fields(fields: &[u8]) -> Option<Self> {
        let time = Timestamp(i64::from_be_bytes(fields.get(..8)?.try_into().ok()?));
        let mut rest = &fields[8..];
        let mut next = || -> Option<&[u8]> {
            let length = u32_at(rest.get(..4)?, 0) as usize;
            let field = rest.get(4..4usize.checked_add(length)?)?;
            rest = &rest[4 + length..];
            Some(field)
        };
        let text = |field: &[u8]| String::from_utf8(field.to_vec()).ok();
        let (id, agent) = (text(next()?)?, text(next()?)?);
        let [git_sha, branch, traceparent] = [text(next()?)?, text(next()?)?, text(next()?)?]
            .map(|field| (!field.is_empty()).then_some(field));
        let payload = next()?.to_vec();
        rest.is_empty().then_some(Self { id, time, agent, git_sha, branch, traceparent, payload })
    }
}

/// The folder of the spool below a data folder.
pub fn folder(data: &Path) -> PathBuf {
    data.join("spool")
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    Kept,
    /// The spool is full; the frame was counted and dropped.
    Dropped,
}

/// Appends one encoded frame, synced, creating the folder when needed.
pub fn append(data: &Path, frame: &[u8], limit_bytes: u64) -> io::Result<Stored> {
    let spool = Spool::open(data)?;
    let _locked = spool.lock()?;
    let mut file = open_file(&spool.frames)?;
    if spool.bytes() + frame.len() as u64 > limit_bytes {
        // Readable by people, and bounded: one number.
        let dropped = read_count(&spool.dropped) + 1;
        let mut counter = open_file(&spool.dropped)?;
        counter.write_all(dropped.to_string().as_bytes())?;
        return Ok(Stored::Dropped);
    }
    file.seek(SeekFrom::End(0))?;
    file.write_all(frame)?;
    file.sync_data()?;
    Ok(Stored::Kept)
}

/// What a drain found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Drained {
    pub frames: u64,
    /// Frames that did not fit and were dropped by hooks, and that [`Spool::forget_dropped`] was not told of.
    pub dropped: u64,
    /// Bytes that were no frame (a hook killed in the middle of its write).
    pub damaged_bytes: u64,
}

/// The spool of a data folder.
#[derive(Debug)]
pub struct Spool {
    /// What hooks append to.
    frames: PathBuf,
    /// What the server took and works through.
    taken: PathBuf,
    dropped: PathBuf,
    lock: PathBuf,
    draining: Mutex<()>,
}

impl Spool {
    /// Creates the folder (mode 0700) when it is absent.
    pub fn open(data: &Path) -> io::Result<Self> {
        use std::os::unix::fs::DirBuilderExt;
        let folder = folder(data);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        let [frames, taken, dropped, lock] =
            ["hooks.frames", "hooks.taken", "dropped", "lock"].map(|name| folder.join(name));
        Ok(Self { frames, taken, dropped, lock, draining: Mutex::new(()) })
    }

    /// A look at the files' sizes; cheap enough for every hook.
    pub fn is_empty(&self) -> bool {
        self.bytes() == 0 && !self.dropped.exists()
    }

    /// Bytes that wait.
    pub fn bytes(&self) -> u64 {
        [&self.frames, &self.taken]
            .into_iter()
            .map(|path| fs::metadata(path).map_or(0, |metadata| metadata.len()))
            .sum()
    }

    /// Hands every frame to `accept`, in order, and removes them once all were accepted; hooks go on
    /// appending meanwhile. After an error, or a crash, frames that were accepted come again, with their ids.
    pub fn drain<E: From<io::Error>>(
        &self,
        mut accept: impl FnMut(HookFrame) -> Result<(), E>,
    ) -> Result<Drained, E> {
        let _alone = self.draining.lock().unwrap_or_else(PoisonError::into_inner);
        let mut drained = Drained::default();
        loop {
            if !self.taken.exists() && !self.take()? {
                break;
            }
            let file = File::open(&self.taken)?;
            let mut reader = FrameReader { file: &file, bytes: Vec::new(), at: 0, offset: 0 };
            while let Some(frame) = reader.next(&mut drained.damaged_bytes)? {
                accept(frame)?;
                drained.frames += 1;
            }
            fs::remove_file(&self.taken)?;
        }
        drained.dropped = read_count(&self.dropped);
        Ok(drained)
    }

    /// Takes what was told of from the count of dropped frames: called once an event tells of them.
    pub fn forget_dropped(&self, told: u64) -> io::Result<()> {
        let _locked = self.lock()?;
        let left = read_count(&self.dropped).saturating_sub(told);
        if left == 0 { fs::remove_file(&self.dropped) } else { fs::write(&self.dropped, left.to_string()) }
    }

    /// Takes what hooks left so far; false when that is nothing.
    fn take(&self) -> io::Result<bool> {
        let _locked = self.lock()?;
        if fs::metadata(&self.frames).map_or(0, |metadata| metadata.len()) == 0 {
            return Ok(false);
        }
        fs::rename(&self.frames, &self.taken)?;
        Ok(true)
    }

    /// The lock between hooks and server; held for one write or one rename. Closing the file releases it.
    fn lock(&self) -> io::Result<File> {
        let file = open_file(&self.lock)?;
        flock(&file, FlockOperation::LockExclusive)?;
        Ok(file)
    }
}

fn open_file(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

fn read_count(path: &Path) -> u64 {
    fs::read_to_string(path).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}

/// Reads frames one by one, in memory for a few of them only.
struct FrameReader<'a> {
    file: &'a File,
    bytes: Vec<u8>,
    at: usize,
    /// Where `bytes` stands in the file.
    offset: u64,
}

const READ_BYTES: usize = 1 << 20;

impl FrameReader<'_> {
    /// The next whole frame; what is none is skipped and counted.
    fn next(&mut self, damaged_bytes: &mut u64) -> io::Result<Option<HookFrame>> {
        loop {
            match HookFrame::decode(&self.bytes[self.at..]) {
                Ok(Some((frame, length))) => {
                    self.at += length;
                    return Ok(Some(frame));
                }
                Ok(None) => {
                    if self.fill()? == 0 {
                        let rest = self.bytes.len() - self.at;
                        if rest == 0 {
                            return Ok(None);
                        }
                        // Cut short; whole frames may stand behind it.
                        *damaged_bytes += self.skip();
                    }
                }
                Err(_) => *damaged_bytes += self.skip(),
            }
        }
    }

    /// Goes on at the next byte that may start a frame.
    fn skip(&mut self) -> u64 {
        let behind = &self.bytes[self.at + 1..];
        let step = 1 + behind.iter().position(|byte| *byte == MAGIC[0]).unwrap_or(behind.len());
        self.at += step;
        step as u64
    }

    fn fill(&mut self) -> io::Result<usize> {
        self.bytes.drain(..self.at);
        self.offset += self.at as u64;
        self.at = 0;
        let before = self.bytes.len();
        self.bytes.resize(before + READ_BYTES, 0);
        (&mut &*self.file).seek(SeekFrom::Start(self.offset + before as u64))?;
        let mut filled = 0;
        while filled < READ_BYTES {
            match (&mut &*self.file).read(&mut self.bytes[before + filled..])? {
                0 => break,
                count => filled += count,
            }
        }
        self.bytes.truncate(before + filled);
        Ok(filled)
    }
}
