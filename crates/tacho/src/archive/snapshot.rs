//! The state of a log at one moment, while a server goes on writing it.

use super::is_file_name;
use anyhow::{Context, Result, bail};
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Endings of segments that are written, and of those that are closed for good.
const OPEN: &str = ".log";
const SEALED: &str = ".sealed";
/// How often the folder is listed anew when a segment is sealed just then.
const ATTEMPTS: usize = 100;
/// One look at the end of a file, in bytes.
const BLOCK_BYTES: u64 = 64 * 1024;

/// A file as it was: its first `written` bytes, then zeros up to `bytes`.
///
/// The log only ever appends, each frame after the one before is synced, into space that holds zeros. So
/// what stood there when the end was found cannot change any more, but for the frame at the very end, which
/// may be torn; opening a log cuts that.
#[derive(Debug, Clone)]
pub struct SnapshotFile {
    pub name: String,
    pub bytes: u64,
    pub written: u64,
}

impl SnapshotFile {
    /// Opens it to be read. A segment that was sealed meanwhile is taken sealed: it holds what it held, and
    /// what was appended to it since, which keeps the log whole as well.
    pub fn open(self, folder: &Path) -> io::Result<(Self, File)> {
        match File::open(folder.join(&self.name)) {
            Ok(file) => Ok((self, file)),
            Err(error) if error.kind() == ErrorKind::NotFound && self.name.ends_with(OPEN) => {
                measured(folder, &self.name.replace(OPEN, SEALED))
            }
            Err(error) => Err(error),
        }
    }
}

/// The files of the log in `folder`, each looked at for itself: there may be more of them than a process may
/// have open.
pub fn take(folder: &Path) -> Result<Vec<SnapshotFile>> {
    for _ in 0..ATTEMPTS {
        let names = list(folder)?;
        if names.is_empty() {
            bail!("there is no log in {}", folder.display());
        }
        let looked_at: io::Result<Vec<SnapshotFile>> =
            names.iter().map(|name| Ok(measured(folder, name)?.0)).collect();
        match looked_at {
            Ok(files) if list(folder)? == names => return Ok(files),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", folder.display())),
        }
    }
    bail!("the files in {} changed at every look: try again", folder.display())
}

/// Newest first: a segment that is written while older ones are looked at is then no longer than they are new.
fn list(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let entry = entry.with_context(|| format!("cannot read {}", folder.display()))?;
        let name = entry.file_name().into_string().unwrap_or_default();
        if entry.file_type()?.is_file() && is_part_of_log(&name) {
            names.push(name);
        }
    }
    let sealed: Vec<String> =
        names.iter().filter_map(|name| name.strip_suffix(SEALED)).map(str::to_owned).collect();
    names.retain(|name| {
        !name.strip_suffix(OPEN).is_some_and(|stem| sealed.iter().any(|sealed| sealed == stem))
    });
    names.sort_unstable();
    names.reverse();
    Ok(names)
}

/// Closed segments are `.sealed`, those that are written are `.log`; all else in the folder belongs to a
/// process or is derived.
fn is_part_of_log(name: &str) -> bool {
    is_file_name(name) && (name.ends_with(OPEN) || name.ends_with(SEALED))
}

fn measured(folder: &Path, name: &str) -> io::Result<(SnapshotFile, File)> {
    let file = File::open(folder.join(name))?;
    let bytes = file.metadata()?.len();
    let written = end_of_content(&file, bytes)?;
    Ok((SnapshotFile { name: name.to_owned(), bytes, written }, file))
}

/// The offset behind the last byte that is not zero.
fn end_of_content(file: &File, bytes: u64) -> io::Result<u64> {
    let mut block = vec![0; BLOCK_BYTES as usize];
    let mut end = bytes;
    while end > 0 {
        let start = end.saturating_sub(BLOCK_BYTES);
        let read = &mut block[..(end - start) as usize];
        file.read_exact_at(read, start)?;
        if let Some(last) = read.iter().rposition(|byte| *byte != 0) {
            return Ok(start + last as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}
