//! One process at a time holds a log to write.

use crate::JournalError;
use rustix::fs::{FlockOperation, flock};
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::path::Path;

/// Held while the log is open; the kernel releases it when the process ends, however that happens.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

const NAME: &str = "LOCK";

impl Lock {
    /// Takes the lock, and leaves word of who holds it.
    pub fn take(folder: &Path, holder: &str) -> Result<Self, JournalError> {
        use std::os::unix::fs::OpenOptionsExt;
        let path = folder.join(NAME);
        let fault = |source| JournalError::Io { path: path.clone(), source };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(fault)?;
        if let Err(errno) = flock(&file, FlockOperation::NonBlockingLockExclusive) {
            if errno != rustix::io::Errno::WOULDBLOCK {
                return Err(fault(errno.into()));
            }
            let mut holder = String::new();
            let _ = file.take(1024).read_to_string(&mut holder);
            let holder = if holder.trim().is_empty() {
                "another process".to_owned()
            } else {
                holder.trim().to_owned()
            };
            return Err(JournalError::Locked { path: folder.to_owned(), holder });
        }
        let leave_word = || -> std::io::Result<()> {
            file.set_len(0)?;
            file.rewind()?;
            file.write_all(holder.as_bytes())
        };
        // The word is a courtesy; a full disk must not keep the log from being read.
        let mut leave_word = leave_word;
        let _ = leave_word();
        Ok(Self { _file: file })
    }
}
