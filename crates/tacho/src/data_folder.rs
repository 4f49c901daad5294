//! The folder that holds a log and all that belongs to it.

use crate::identity;
use rustix::fs::{Access, FlockOperation, Mode, access, flock};
use rustix::io::Errno;
use rustix::process::umask;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};

/// Longest words of a holder, in bytes.
const HOLDER_BYTES_MAX: u64 = 1024;

/// Creates the folder for its owner alone, with a `.gitignore` that keeps all of it out of repositories:
/// a project's log is nobody's commit.
pub fn create(data: &Path) -> io::Result<()> {
    if data.exists() && !data.is_dir() {
        return Err(io::Error::new(ErrorKind::NotADirectory, "it is a file: name a folder"));
    }
    DirBuilder::new().recursive(true).mode(0o700).create(data)?;
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(data.join(".gitignore")) {
        Ok(mut file) => file.write_all(b"*\n"),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// What the running server leaves for others: its socket, its address.
pub fn run_folder(data: &Path) -> PathBuf {
    data.join("run")
}

/// Keeps whatever this process creates from now on from everyone but its owner: what agents do is nobody
/// else's to read, and not every file is opened by code of ours.
pub fn create_for_owner_alone() {
    umask(Mode::RWXG | Mode::RWXO);
}

/// The folder of the log's own files.
pub fn journal_folder(data: &Path) -> PathBuf {
    data.join("journal")
}

/// Whether a log was ever begun there.
pub fn holds_log(data: &Path) -> bool {
    journal_folder(data).is_dir()
}

/// As [`holds_log`], but a folder that may not be looked into is no empty one.
///
/// # Errors
/// When nobody can say, because something on the way is forbidden or no folder.
pub fn find_log(data: &Path) -> io::Result<bool> {
    if data.exists() && !data.is_dir() {
        return Err(io::Error::new(ErrorKind::NotADirectory, "it is a file: name a folder"));
    }
    match fs::read_dir(journal_folder(data)) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// A folder of this process alone that reads the same log: the read side is folded below it, for a reader
/// who may not write beside the log.
pub struct PrivateFolder {
    pub path: PathBuf,
}

impl PrivateFolder {
    pub fn of(data: &Path) -> io::Result<Self> {
        let id = identity::hyphenated(identity::random());
        let path = std::env::temp_dir().join(format!("tacho-reading-{id}"));
        DirBuilder::new().mode(0o700).create(&path)?;
        let folder = Self { path };
        symlink(journal_folder(data), journal_folder(&folder.path))?;
        Ok(folder)
    }
}

impl Drop for PrivateFolder {
    fn drop(&mut self) {
        // The link to the log is removed, not the log. What stays is the system's to tidy.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Whether an error says that this process may only read here.
pub fn forbids_writing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem)
}

/// Who holds the log to write it, in the holder's own words; `None` when nobody does.
pub fn holder(data: &Path) -> Option<String> {
    let lock = File::open(journal_folder(data).join("LOCK")).ok()?;
    match flock(&lock, FlockOperation::NonBlockingLockShared) {
        Err(Errno::WOULDBLOCK) => {
            let mut words = String::new();
            // Words that cannot be read leave a holder without a name.
            let _ = lock.take(HOLDER_BYTES_MAX).read_to_string(&mut words);
            Some(if words.trim().is_empty() { "another process".to_owned() } else { words.trim().to_owned() })
        }
        _ => None,
    }
}

/// Waits until no other reader of the folder is at this point, and keeps them waiting until the file is dropped.
///
/// # Errors
/// When this process may not write there, nor into the read side that is there.
pub fn take_turn(data: &Path) -> io::Result<File> {
    let view = data.join("view");
    if view.exists() {
        access(&view, Access::WRITE_OK | Access::EXEC_OK)?;
    }
    let run = run_folder(data);
    DirBuilder::new().recursive(true).mode(0o700).create(&run)?;
    let path = run.join("reading.lock");
    let turn = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
    flock(&turn, FlockOperation::LockExclusive)?;
    Ok(turn)
}

/// Writes a small file in one step: a reader sees the old one or the new one.
pub fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let fresh = path.with_extension(format!("new-{}", std::process::id()));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
    file.write_all(content)?;
    drop(file);
    fs::rename(&fresh, path)
}
