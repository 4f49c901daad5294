//! `registry.directory`: a folder each of whose files is a handler.

use super::registry::{of_handler, tell};
use crate::config::handler::{self, hexadecimal};
use anyhow::{Context, Result, bail, ensure};
use rustix::fs::OFlags;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, Metadata, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use tacho_connector::HandlerSurroundings;
use tacho_engine::Engine;
use tacho_engine::delivery::check_name;
use tacho_engine::registry::{EntryOrigin, Member};

/// Largest file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// Most files that are looked at.
const FILES_MAX: usize = 1_000;
/// Others may write it.
const WRITABLE_BY_OTHERS: u32 = 0o022;

/// What shows that a file is another one than before.
type Mark = (u64, u64, i64, i64, u32, u32);

pub struct HandlerFolder {
    path: PathBuf,
    engine: Engine,
    surroundings: HandlerSurroundings,
    /// What was there at the last look; an error is of the folder itself.
    seen: Option<Result<BTreeMap<PathBuf, Mark>, String>>,
    /// What was said of its files.
    told: BTreeSet<String>,
}

impl HandlerFolder {
    pub fn new(path: PathBuf, engine: Engine, surroundings: HandlerSurroundings) -> Self {
        Self { path, engine, surroundings, seen: None, told: BTreeSet::new() }
    }

    /// The handlers that are there, when that is not what was there before. A folder that cannot be used has none.
    pub fn look(&mut self) -> Option<Vec<Member>> {
        let found = list(&self.path).map_err(|error| format!("{error:#}"));
        if self.seen.as_ref() == Some(&found) {
            return None;
        }
        let members = match &found {
            Ok(files) => self.read(files.keys()),
            Err(reason) => {
                tell(reason);
                Vec::new()
            }
        };
        self.seen = Some(found);
        Some(members)
    }

    fn read<'p>(&mut self, files: impl Iterator<Item = &'p PathBuf>) -> Vec<Member> {
        let (mut members, mut faults): (Vec<Member>, _) = (Vec::new(), BTreeSet::new());
        for path in files {
            let member = self.open(path).or_else(|error| {
                let reason = format!("{}: {error:#}", path.display());
                let member = broken(path, &reason);
                faults.insert(reason);
                member.ok_or(())
            });
            match member {
                Ok(member) if members.iter().any(|other| other.id == member.id) => {
                    faults.insert(format!("{}: another file names {:?}, too", path.display(), member.id));
                }
                member => members.extend(member),
            }
        }
        faults.difference(&self.told).for_each(|fault| tell(fault));
        self.told = faults;
        members
    }

    fn open(&self, path: &Path) -> Result<Member> {
        let mut table: toml::Table = text(path)?.parse().context("it is no TOML")?;
        if !table.contains_key("name") {
            table.insert("name".to_owned(), stem(path).into());
        }
        let handler = handler::read(&toml::Value::Table(table), &[])?;
        of_handler(&handler, EntryOrigin::Directory, &self.engine, &self.surroundings)
    }
}

/// A file that is no handler, under the name that it would have.
fn broken(path: &Path, reason: &str) -> Option<Member> {
    let name = stem(path);
    check_name(&name).is_ok().then(|| Member {
        id: name,
        origin: EntryOrigin::Directory,
        run: "none".to_owned(),
        capabilities: Vec::new(),
        version: None,
        digest: hexadecimal(&Sha256::digest(reason)),
        definition: None,
        offer: None,
        trouble: Some(reason.to_owned()),
        registration: None,
    })
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// The files that are meant, with their marks.
fn list(folder: &Path) -> Result<BTreeMap<PathBuf, Mark>> {
    let cannot = || format!("the folder of handlers {} cannot be read", folder.display());
    check_owner(&folder.metadata().with_context(cannot)?).with_context(|| folder.display().to_string())?;
    let mut files = BTreeMap::new();
    for entry in folder.read_dir().with_context(cannot)? {
        let path = entry.with_context(cannot)?.path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        ensure!(files.len() < FILES_MAX, "{} has more than {FILES_MAX} files", folder.display());
        // What goes away meanwhile is not there.
        if let Ok(it) = path.symlink_metadata() {
            let mark = (it.ino(), it.size(), it.mtime(), it.mtime_nsec(), it.mode(), it.uid());
            files.insert(path, mark);
        }
    }
    Ok(files)
}

/// What a file holds, when nobody but the user could have written it.
fn text(path: &Path) -> Result<String> {
    // Neither a link to elsewhere nor a pipe without an end.
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits();
    let file = OpenOptions::new().read(true).custom_flags(flags.cast_signed()).open(path);
    let file: File = file.context("it cannot be read; a link is not followed")?;
    let metadata = file.metadata()?;
    ensure!(metadata.is_file(), "it is no file");
    check_owner(&metadata)?;
    ensure!(metadata.len() <= FILE_BYTES_MAX, "it has more than {FILE_BYTES_MAX} bytes");
    let mut text = String::new();
    file.take(FILE_BYTES_MAX).read_to_string(&mut text).context("it is no text")?;
    Ok(text)
}

fn check_owner(metadata: &Metadata) -> Result<()> {
    check_rights(metadata.uid(), metadata.mode(), rustix::process::geteuid().as_raw())
}

fn check_rights(owner: u32, mode: u32, user: u32) -> Result<()> {
    ensure!(
        owner == user,
        "it belongs to another user ({owner}): give it to the one who runs the server ({user})"
    );
    if mode & WRITABLE_BY_OTHERS != 0 {
        bail!("others may write it (mode {:o}): run chmod go-w on it", mode & 0o7777);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_the_users_alone_is_read() {
        let told = |owner, mode| check_rights(owner, mode, 1_000).map_err(|error| error.to_string());
        assert_eq!((told(1_000, 0o100_644), told(1_000, 0o40_700)), (Ok(()), Ok(())));
        assert!(told(0, 0o100_644).unwrap_err().starts_with("it belongs to another user (0)"));
        assert!(told(1_000, 0o100_646).unwrap_err().starts_with("others may write it (mode 646)"));
        assert!(told(1_000, 0o40_770).is_err());
    }
}
