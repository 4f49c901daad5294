//! `jsonl`: each event as a line `{"event_type","timestamp","payload"}` at the end of a file.

use super::Kind;
use crate::local_file::{create_folder, failure};
use crate::{Rotation, Settings, SettingsError, Surroundings};
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tacho_engine::Engine;
use tacho_engine::delivery::{BatchLimits, Deliver, Delivered, Delivery, Failure};
use tacho_event::{Recorded, Timestamp, json};

pub(super) const KIND: Kind = Kind {
    name: "jsonl",
    about: "Adds a line `{\"event_type\",\"timestamp\",\"payload\"}` for each event to the file at `path`; its folder is \
            made on demand. A file that is rotated away gets the moment behind its name.",
    keys: &["path", "rotate.bytes", "rotate.age_ms", "rotate.keep"],
    types: &["*"],
    batch: BatchLimits::default,
    check: |settings, _| path(settings).map(drop),
    open,
};

fn path(settings: &Settings) -> Result<PathBuf, SettingsError> {
    let path = settings.path.clone().ok_or(SettingsError::Missing("path"))?;
    match path.file_name() {
        Some(_) => Ok(path),
        None => Err(SettingsError::unusable("path", format!("{} is no file's name", path.display()))),
    }
}

fn open(settings: &Settings, surroundings: &Surroundings) -> Result<Box<dyn Deliver>, SettingsError> {
    let path = path(settings)?;
    let (rotation, engine) = (settings.rotation.clone(), surroundings.engine.clone());
    Ok(Box::new(Jsonl { path, rotation, engine, open: None }))
}

struct Jsonl {
    path: PathBuf,
    rotation: Rotation,
    engine: Engine,
    open: Option<Open>,
}

/// The file that lines go to.
struct Open {
    file: File,
    bytes: u64,
    /// When its first line was written, as far as this is known.
    begun: Timestamp,
}

impl Deliver for Jsonl {
    fn deliver(&mut self, delivery: &Delivery<'_>) -> Result<Delivered, Failure> {
        let mut lines = Vec::new();
        for event in delivery.events {
            write_line(event, &mut lines);
        }
        self.write(&lines).inspect_err(|_| self.open = None)?;
        Ok(Delivered::default())
    }

    fn settle(&mut self) -> Result<(), Failure> {
        let Some(open) = &self.open else { return Ok(()) };
        let synced = open.file.sync_data().map_err(|error| failure(&self.path, &error));
        synced.inspect_err(|_| self.open = None)
    }
}

impl Jsonl {
    /// All of the lines, or none of them: a part that a full disk took is cut off again.
    fn write(&mut self, lines: &[u8]) -> Result<(), Failure> {
        self.rotate_if_due(lines.len() as u64)?;
        let path = self.path.clone();
        let open = self.opened()?;
        let written = open.file.write_all(lines);
        if written.is_err() {
            let _ = open.file.set_len(open.bytes);
        }
        written.map_err(|error| failure(&path, &error))?;
        open.bytes += lines.len() as u64;
        Ok(())
    }

    fn opened(&mut self) -> Result<&mut Open, Failure> {
        let now = self.engine.now();
        let open = match self.open.take().filter(|open| is_at(&self.path, &open.file)) {
            Some(open) => open,
            None => open_file(&self.path, now).map_err(|error| failure(&self.path, &error))?,
        };
        Ok(self.open.insert(open))
    }

    fn rotate_if_due(&mut self, more: u64) -> Result<(), Failure> {
        if let Some(folder) = self.path.parent() {
            create_folder(folder)?;
        }
        let (now, limits) = (self.engine.now(), self.rotation.clone());
        let open = self.opened()?;
        let is_large = limits.bytes.is_some_and(|limit| open.bytes + more > limit);
        let is_old = limits.age.is_some_and(|limit| age(open.begun, now) >= limit);
        if open.bytes == 0 || !(is_large || is_old) {
            return Ok(());
        }
        // What is delivered stays so in the file's new place.
        open.file.sync_data().map_err(|error| failure(&self.path, &error))?;
        self.open = None;
        let aside = free_name(&self.path, now);
        fs::rename(&self.path, &aside).map_err(|error| failure(&self.path, &error))?;
        self.drop_oldest()
    }

    fn drop_oldest(&self) -> Result<(), Failure> {
        let Some(keep) = self.rotation.keep else { return Ok(()) };
        let mut aside = rotated(&self.path).map_err(|error| failure(&self.path, &error))?;
        // Their names tell their moments, so the oldest come first.
        aside.sort();
        for old in aside.iter().take(aside.len().saturating_sub(keep)) {
            fs::remove_file(old).map_err(|error| failure(old, &error))?;
        }
        Ok(())
    }
}

fn open_file(path: &Path, now: Timestamp) -> std::io::Result<Open> {
    let mut file = OpenOptions::new().create(true).append(true).read(true).open(path)?;
    let metadata = file.metadata()?;
    let mut bytes = metadata.len();
    if bytes > 0 {
        bytes = end_line(&mut file, bytes)?;
    }
    let since =
        metadata.created().ok().and_then(|created| created.duration_since(std::time::UNIX_EPOCH).ok());
    let begun = since.map_or(now, |since| Timestamp(i64::try_from(since.as_nanos()).unwrap_or(now.0)));
    Ok(Open { file, bytes, begun })
}

/// A line that a crash tore is ended, so that it spoils no other.
fn end_line(file: &mut File, bytes: u64) -> std::io::Result<u64> {
    let mut last = [0];
    file.seek(SeekFrom::Start(bytes - 1))?;
    std::io::Read::read_exact(file, &mut last)?;
    if last == *b"\n" {
        return Ok(bytes);
    }
    file.write_all(b"\n")?;
    Ok(bytes + 1)
}

/// Whether the path still names the file: others may have moved or removed it.
fn is_at(path: &Path, file: &File) -> bool {
    use std::os::unix::fs::MetadataExt;
    let same =
        |one: &fs::Metadata, other: &fs::Metadata| (one.dev(), one.ino()) == (other.dev(), other.ino());
    matches!((fs::metadata(path), file.metadata()), (Ok(one), Ok(other)) if same(&one, &other))
}

/// `events.jsonl` → `events.jsonl.20260101T120000000Z`, with a number behind it where that is taken.
fn free_name(path: &Path, now: Timestamp) -> PathBuf {
    let moment: String =
        now.to_rfc3339_millis().chars().filter(|digit| !matches!(digit, '-' | ':' | '.')).collect();
    let name = |number: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{moment}"));
        if number > 0 {
            name.push(format!("-{number:04}"));
        }
        PathBuf::from(name)
    };
    (0..).map(name).find(|name| !name.exists()).unwrap_or_else(|| name(0))
}

/// The files that were rotated away.
fn rotated(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let is_rotated = |entry: &fs::DirEntry| {
        let file = entry.file_name();
        let rest = file.to_string_lossy().strip_prefix(&*name).map(str::to_owned);
        rest.and_then(|rest| rest.strip_prefix('.').map(is_moment)).unwrap_or(false)
    };
    match fs::read_dir(folder) {
        Ok(entries) => Ok(entries.flatten().filter(is_rotated).map(|entry| entry.path()).collect()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn is_moment(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 19 && bytes[8] == b'T' && bytes[18] == b'Z' && bytes[..8].iter().all(u8::is_ascii_digit)
}

fn age(begun: Timestamp, now: Timestamp) -> Duration {
    Duration::from_nanos(u64::try_from(now.0.saturating_sub(begun.0)).unwrap_or(0))
}

/// The line of one event: seconds with their fraction, the payload as it was sent.
fn write_line(event: &Recorded, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"event_type\":");
    json::write_string(event.kind(), out);
    out.extend_from_slice(format!(",\"timestamp\":{:?},\"payload\":", event.time().seconds()).as_bytes());
    let payload = event.data().or_else(|| event.attribute("data_base64"));
    out.extend_from_slice(payload.unwrap_or(b"null"));
    out.extend_from_slice(b"}\n");
}
