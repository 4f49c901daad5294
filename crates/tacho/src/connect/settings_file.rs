//! A settings file on disk: read, backed up, replaced in one step.

use super::{Error, parsed};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Settings are written by hand; what is larger is something else.
const FILE_BYTES_MAX: u64 = 4 << 20;
/// Older backups of ours are removed.
const BACKUPS_KEPT: usize = 10;
const BACKUP_MARK: &str = "tacho-backup-";
/// UTC to the millisecond, such as `20260102T030405.678Z`.
const STAMP: &str = "%Y%m%dT%H%M%S%.3fZ";
/// Links followed from the path to the file, as many as the kernel follows.
const LINKS_MAX: usize = 40;

/// One settings file, as it was when opened.
pub struct SettingsFile {
    /// Where the bytes are: the path with its links followed, even when the last one leads nowhere yet.
    pub target: PathBuf,
    /// `None` when there is no file.
    pub text: Option<String>,
    permissions: Option<Permissions>,
}

impl SettingsFile {
    /// Reads the file at `path`, if there is one.
    pub fn open(path: &Path) -> Result<SettingsFile, Error> {
        let target = follow_links(path)?;
        let read = |source| Error::Io { action: "read", path: target.clone(), source };
        let metadata = match fs::metadata(&target) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Ok(SettingsFile { target, text: None, permissions: None });
            }
            Err(error) => return Err(read(error)),
        };
        if metadata.len() > FILE_BYTES_MAX {
            return Err(Error::TooLarge { file: target, bytes: metadata.len(), limit: FILE_BYTES_MAX });
        }
        let text = fs::read_to_string(&target).map_err(read)?;
        Ok(SettingsFile { target, text: Some(text), permissions: Some(metadata.permissions()) })
    }

    /// Puts `new` in the file's place, or removes the file for `None`; answers where the old text is kept.
    ///
    /// The new text is synced under another name in the same folder and renamed, so that every reader sees
    /// either the old file or the new one.
    pub fn replace(&self, new: Option<&str>) -> Result<Option<PathBuf>, Error> {
        let folder = self.folder();
        fs::create_dir_all(folder).map_err(|source| self.failed("create the folder of", source))?;
        let Some(new) = new else {
            self.refuse_changed()?;
            fs::remove_file(&self.target).map_err(|source| self.failed("remove", source))?;
            return Ok(None);
        };
        let backup = self.write_backup()?;
        let temporary =
            self.beside(&format!("tacho-new-{}-{}", std::process::id(), Timestamp::now().as_nanosecond()));
        let written = self.write(&temporary, new).and_then(|()| {
            self.refuse_changed()?;
            fs::rename(&temporary, &self.target).map_err(|source| self.failed("replace", source))
        });
        if written.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        written?;
        // Some file systems cannot sync a folder; the rename has happened all the same.
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
        self.prune_backups();
        Ok(backup)
    }

    /// The newest backup that `accept`s, as JSON.
    pub fn backup_where(&self, accept: impl Fn(&Value) -> bool) -> Option<Value> {
        let values =
            self.backups().into_iter().rev().filter_map(|path| parsed(&fs::read_to_string(path).ok()?));
        values.into_iter().find(accept)
    }

    fn write_backup(&self) -> Result<Option<PathBuf>, Error> {
        let Some(text) = &self.text else { return Ok(None) };
        let now = Timestamp::now();
        // Two edits in one millisecond take the next free name.
        for later in (0..1_000).map(SignedDuration::from_millis) {
            let stamp = (now + later).strftime(STAMP);
            let path = self.beside(&format!("{BACKUP_MARK}{stamp}"));
            match self.write(&path, text) {
                Ok(()) => return Ok(Some(path)),
                Err(Error::Io { source, .. }) if source.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(self.failed("find a free name for a backup of", ErrorKind::AlreadyExists.into()))
    }

    fn write(&self, path: &Path, text: &str) -> Result<(), Error> {
        let failed = |source| Error::Io { action: "write", path: path.to_owned(), source };
        let mut file = OpenOptions::new().write(true).create_new(true).open(path).map_err(failed)?;
        let filled = (|| {
            if let Some(permissions) = &self.permissions {
                file.set_permissions(permissions.clone())?;
            }
            file.write_all(text.as_bytes())?;
            file.sync_all()
        })();
        filled.map_err(|source| {
            let _ = fs::remove_file(path);
            failed(source)
        })
    }

    /// The agent itself writes these files too.
    fn refuse_changed(&self) -> Result<(), Error> {
        let now = match fs::read_to_string(&self.target) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(source) => return Err(self.failed("read", source)),
        };
        if now == self.text { Ok(()) } else { Err(Error::Changed { file: self.target.clone() }) }
    }

    fn prune_backups(&self) {
        let backups = self.backups();
        for old in &backups[..backups.len().saturating_sub(BACKUPS_KEPT)] {
            // An old backup that stays harms nobody.
            let _ = fs::remove_file(old);
        }
    }

    /// Oldest first: the stamp sorts as text.
    fn backups(&self) -> Vec<PathBuf> {
        let prefix = self.beside(BACKUP_MARK);
        let prefix = prefix.as_os_str().as_encoded_bytes();
        let is_backup =
            |path: &PathBuf| path.as_os_str().as_encoded_bytes().strip_prefix(prefix).is_some_and(is_stamp);
        let entries = fs::read_dir(self.folder()).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut found: Vec<_> = entries.filter(is_backup).collect();
        found.sort();
        found
    }

    fn beside(&self, ending: &str) -> PathBuf {
        let mut name = self.target.clone().into_os_string();
        name.push(".");
        name.push(ending);
        name.into()
    }

    fn folder(&self) -> &Path {
        self.target.parent().unwrap_or(Path::new("/"))
    }

    fn failed(&self, action: &'static str, source: io::Error) -> Error {
        Error::Io { action, path: self.target.clone(), source }
    }
}

fn follow_links(path: &Path) -> Result<PathBuf, Error> {
    let mut target = path.to_owned();
    for _ in 0..LINKS_MAX {
        match fs::read_link(&target) {
            Ok(next) => target = target.parent().unwrap_or(Path::new("/")).join(next),
            Err(_) => return Ok(with_folder_resolved(target)),
        }
    }
    let source = io::Error::other("its links lead in a circle");
    Err(Error::Io { action: "follow", path: path.to_owned(), source })
}

/// The same file, its folder without links: what is printed is where the bytes are.
fn with_folder_resolved(target: PathBuf) -> PathBuf {
    match (target.parent().and_then(|folder| folder.canonicalize().ok()), target.file_name()) {
        (Some(folder), Some(name)) => folder.join(name),
        _ => target,
    }
}

/// Only names that `STAMP` can have made: what else begins like a backup is not ours to remove.
fn is_stamp(ending: &[u8]) -> bool {
    let digits = ending.iter().filter(|byte| byte.is_ascii_digit()).count();
    ending.len() == 20 && digits == 17 && (ending[8], ending[15], ending[19]) == (b'T', b'.', b'Z')
}
