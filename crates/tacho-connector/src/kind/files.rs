//! `files`: each event as a file of its own, named by time, type and id.

use super::Kind;
use crate::local_file::{create_folder, failure};
use crate::{Rotation, Settings, SettingsError, Surroundings};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tacho_engine::Engine;
use tacho_engine::delivery::{BatchLimits, Deliver, Delivered, Delivery, Failure};
use tacho_event::Recorded;

/// Longest part of a name that tells the type, in bytes; a file's name may have 255.
const TYPE_BYTES_MAX: usize = 160;
/// Where a file is written before it gets its name: readers never see half of one.
const UNFINISHED: &str = ".unfinished";
/// More files than these are not synced one by one.
const FILES_SYNCED_ALONE: usize = 16;
/// How often the folder is looked through for files to remove.
const SWEEP: Duration = Duration::from_secs(60);

pub(super) const KIND: Kind = Kind {
    name: "files",
    about: "Writes each event into a file of its own in the folder at `path`: \
            `<time>-<type>-<8 hex of SHA-256(id)>.json`, in CloudEvents JSON. An event that is there is left out.",
    keys: &["path", "rotate.bytes", "rotate.age_ms"],
    types: &["*"],
    batch: BatchLimits::default,
    check: |settings, _| settings.path.as_ref().map(drop).ok_or(SettingsError::Missing("path")),
    open,
};

fn open(settings: &Settings, surroundings: &Surroundings) -> Result<Box<dyn Deliver>, SettingsError> {
    let folder = settings.path.clone().ok_or(SettingsError::Missing("path"))?;
    let (rotation, engine) = (settings.rotation.clone(), surroundings.engine.clone());
    Ok(Box::new(Files { folder, rotation, engine, unsettled: BTreeSet::new(), swept: None, kept_bytes: 0 }))
}

struct Files {
    folder: PathBuf,
    rotation: Rotation,
    engine: Engine,
    /// Written and not known to outlive a power cut.
    unsettled: BTreeSet<PathBuf>,
    /// When the folder was looked through, by the age of this process.
    swept: Option<Duration>,
    /// Bytes of the files, as far as they are known since then.
    kept_bytes: u64,
}

impl Deliver for Files {
    fn deliver(&mut self, delivery: &Delivery<'_>) -> Result<Delivered, Failure> {
        create_folder(&self.folder)?;
        let mut skipped = 0;
        for event in delivery.events {
            skipped += u64::from(!self.write(event)?);
        }
        self.sweep_if_due()?;
        Ok(Delivered { skipped, ..Delivered::default() })
    }

    fn settle(&mut self) -> Result<(), Failure> {
        if self.unsettled.is_empty() {
            return Ok(());
        }
        let synced = match self.unsettled.len() {
            many if many > FILES_SYNCED_ALONE => sync_all_of(&self.folder, &self.unsettled),
            _ => sync_each(&self.folder, &self.unsettled),
        };
        synced.map_err(|error| failure(&self.folder, &error))?;
        self.unsettled.clear();
        Ok(())
    }
}

impl Files {
    /// Answers false for an event that was there before.
    fn write(&mut self, event: &Recorded) -> Result<bool, Failure> {
        let mut text = event.to_cloudevent();
        text.push(b'\n');
        let is_there = |path: &Path| fs::read(path).is_ok_and(|known| known == text);
        let mut path = self.folder.join(file_name(event, event.id()));
        if path.exists() && !is_there(&path) {
            // Ids are unique in their source alone, and half of a hash not even there.
            path = self.folder.join(file_name(event, &format!("{}\n{}", event.source(), event.id())));
        }
        if is_there(&path) {
            // What an attempt wrote that failed later was delivered all the same.
            return Ok(self.unsettled.contains(&path));
        }
        let unfinished = self.folder.join(UNFINISHED);
        let written = File::create(&unfinished)
            .and_then(|mut file| file.write_all(&text))
            .and_then(|()| fs::rename(&unfinished, &path));
        if let Err(error) = written {
            let _ = fs::remove_file(&unfinished);
            return Err(failure(&path, &error));
        }
        self.kept_bytes += text.len() as u64;
        self.unsettled.insert(path);
        Ok(true)
    }

    fn sweep_if_due(&mut self) -> Result<(), Failure> {
        let limits = &self.rotation;
        let is_full = limits.bytes.is_some_and(|limit| self.kept_bytes > limit);
        let now = self.engine.elapsed();
        let is_due = self.swept.is_none_or(|swept| now.saturating_sub(swept) >= SWEEP);
        if !(is_full || is_due) || (limits.bytes.is_none() && limits.age.is_none()) {
            return Ok(());
        }
        self.kept_bytes = sweep(&self.folder, limits).map_err(|error| failure(&self.folder, &error))?;
        self.swept = Some(now);
        Ok(())
    }
}

/// Everything on the file system of the folder: one wait instead of thousands.
#[cfg(target_os = "linux")]
fn sync_all_of(folder: &Path, _: &BTreeSet<PathBuf>) -> std::io::Result<()> {
    Ok(rustix::fs::syncfs(File::open(folder)?)?)
}

#[cfg(not(target_os = "linux"))]
fn sync_all_of(folder: &Path, files: &BTreeSet<PathBuf>) -> std::io::Result<()> {
    sync_each(folder, files)
}

fn sync_each(folder: &Path, files: &BTreeSet<PathBuf>) -> std::io::Result<()> {
    for path in files {
        match File::open(path).and_then(|file| file.sync_all()) {
            // Somebody took it away after it was delivered.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            result => result?,
        }
    }
    File::open(folder)?.sync_all()
}

/// Removes the files that are too old, and the oldest while all are too large; answers the bytes that stay.
fn sweep(folder: &Path, limits: &Rotation) -> std::io::Result<u64> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        // What this sink did not write is left alone.
        let metadata = entry.metadata().ok().filter(|metadata| metadata.is_file() && is_own_name(&name));
        files.extend(metadata.map(|metadata| (name, entry.path(), metadata)));
    }
    // Names begin with the time.
    files.sort_by(|(one, ..), (other, ..)| one.cmp(other));
    let now = SystemTime::now();
    let mut kept: u64 = files.iter().map(|(.., metadata)| metadata.len()).sum();
    // A little more than needed goes, so that not every batch looks through the folder.
    let most = limits.bytes.filter(|limit| kept > *limit).map(|limit| limit - limit / 10);
    for (_, path, metadata) in files {
        let age = metadata.modified().ok().and_then(|modified| now.duration_since(modified).ok());
        let is_old = limits.age.zip(age).is_some_and(|(limit, age)| age >= limit);
        if is_old || most.is_some_and(|most| kept > most) {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => kept -= metadata.len(),
            }
        }
    }
    Ok(kept)
}

fn is_own_name(name: &str) -> bool {
    let Some(stem) = name.strip_suffix(".json") else { return false };
    let Some((rest, hex)) = stem.rsplit_once('-') else { return false };
    hex.len() == 8 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()) && rest.get(10..11) == Some("t")
}

/// `2024-01-15t143000000z-urlcacher-cacherequested-a1b2c3d4.json`
fn file_name(event: &Recorded, id: &str) -> String {
    let time: String = event.time().to_rfc3339_millis().chars().filter(|c| !matches!(c, ':' | '.')).collect();
    let mut kind = slug(event.kind());
    kind.truncate(TYPE_BYTES_MAX);
    let hash = Sha256::digest(id.as_bytes());
    let hex: String = hash[..4].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{kind}-{hex}.json", time.to_ascii_lowercase())
}

/// Lower case, and `-` for every character that is none of `[a-z0-9]`.
fn slug(text: &str) -> String {
    let plain = |character: char| if character.is_ascii_alphanumeric() { character } else { '-' };
    text.chars().map(|character| plain(character.to_ascii_lowercase())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tacho_event::{Draft, Position, Sameness, Sequence, Timestamp};

    #[test]
    fn a_name_tells_time_type_and_id() {
        let mut draft = Draft::new("urlCacher.cacheRequested", "/t", "e1");
        draft.subject = Some("task/x".into());
        draft.put_text("time", "2024-01-15T14:30:00Z");
        let event = draft.finish(Sameness::FirstWins).unwrap();
        let event = Recorded::new(Position(1), Sequence(1), Timestamp(0), event.bytes().to_vec().into());
        let name = file_name(&event.unwrap(), "e1");
        // printf e1 | sha256sum
        assert_eq!(name, "2024-01-15t143000000z-urlcacher-cacherequested-8b5cc4df.json");
        assert!(is_own_name(&name) && !is_own_name("package.json") && !is_own_name("a-b-12345678.json"));
        assert_eq!(slug("Ünï_x/y"), "-n--x-y");
    }
}
