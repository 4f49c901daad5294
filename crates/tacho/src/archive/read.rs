//! Restoring a backup. The file may come from anywhere, so nothing that it says is believed.

use super::{FOLDER, FORMAT, MANIFEST, Manifest, Outcome, hexadecimal, is_file_name};
use crate::data_folder;
use crate::terminal::Progress;
use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use tar::{Archive, Entry, EntryType};

/// Largest manifest, in bytes.
const MANIFEST_BYTES_MAX: u64 = 256 << 20;
/// How a zstd frame begins (RFC 8878, section 3.1.1).
const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// Copied at once, in bytes.
const BLOCK_BYTES: usize = 256 * 1024;
/// Largest window that a compressed file may ask for, as a power of two: 128 MiB.
const WINDOW_LOG_MAX: u32 = 27;

/// How far a backup may expand.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of all files together.
    pub bytes: u64,
    pub files: usize,
}

/// Restores `file` into `data`, which must be absent or empty. It appears whole, verified, or not at all.
pub fn restore(file: &Path, data: &Path, limits: Limits) -> Result<Outcome> {
    if fs::read_dir(data).is_ok_and(|mut entries| entries.next().is_some()) {
        bail!("{} is not empty: restore into a folder that is, or that is not there yet", data.display());
    }
    let source = File::open(file).with_context(|| format!("cannot open {}", file.display()))?;
    data_folder::create_for_owner_alone();
    let fresh = beside(data)?;
    let restored = (|| {
        data_folder::create(&fresh).with_context(|| format!("cannot create {}", fresh.display()))?;
        let outcome = extract(source, &fresh, limits)
            .map_err(cut_short)
            .with_context(|| format!("cannot restore {}", file.display()))?;
        let position =
            opened(&fresh).with_context(|| format!("the log in {} cannot be opened", file.display()))?;
        fs::rename(&fresh, data).with_context(|| format!("cannot create {}", data.display()))?;
        sync_folder(data.parent().unwrap_or(Path::new(".")))?;
        Ok(Outcome { position: Some(position), ..outcome })
    })();
    if restored.is_err() {
        // Whatever was extracted is ours; the failure itself is told.
        let _ = fs::remove_dir_all(&fresh);
    }
    restored
}

/// Names what a decoder calls an unexpected end.
fn cut_short(error: anyhow::Error) -> anyhow::Error {
    let is_end = |cause: &io::Error| cause.kind() == io::ErrorKind::UnexpectedEof;
    if error.chain().any(|cause| cause.downcast_ref().is_some_and(is_end)) {
        return error.context("it is cut short: take another copy");
    }
    error
}

/// A folder on the same disk, so that the finished one can take its place in one step.
fn beside(data: &Path) -> Result<PathBuf> {
    let data = std::path::absolute(data)?;
    let mut name = data.file_name().context("the data folder has no name")?.to_owned();
    name.push(format!(".restoring-{}", std::process::id()));
    Ok(data.with_file_name(name))
}

fn extract(mut source: File, target: &Path, limits: Limits) -> Result<Outcome> {
    let size = source.metadata()?.len();
    let mut beginning = Vec::new();
    Read::by_ref(&mut source).take(MAGIC.len() as u64).read_to_end(&mut beginning)?;
    if beginning != MAGIC {
        bail!("it is no backup of tacho");
    }
    source.rewind()?;
    let counted = Counted { source, progress: Progress::bytes("restoring", size) };
    let mut decoder = zstd::Decoder::new(counted)?;
    decoder.window_log_max(WINDOW_LOG_MAX)?;
    let mut archive = Archive::new(decoder);
    let folder = target.join(FOLDER);
    fs::create_dir(&folder)?;
    let mut extraction = Extraction { folder: &folder, limits, bytes: 0, hashes: BTreeMap::new() };
    let mut manifest = None;
    // Raw entries: extensions of the format (long names, sparse files) are refused, not interpreted.
    for entry in archive.entries()?.raw(true) {
        let mut entry = entry?;
        if manifest.is_some() {
            bail!("something follows the manifest");
        }
        match checked_name(&entry)?.as_str() {
            MANIFEST => manifest = Some(read_manifest(&mut entry)?),
            name => extraction.take(name, &mut entry)?,
        }
    }
    let manifest = manifest.context("the manifest is missing: the file was cut off")?;
    extraction.verify(&manifest)?;
    sync_folder(&folder)?;
    sync_folder(target)?;
    Ok(Outcome { files: manifest.files.len(), bytes: extraction.bytes, position: None })
}

/// The name of the log's file that the entry holds, or [`MANIFEST`].
fn checked_name(entry: &Entry<'_, impl Read>) -> Result<String> {
    let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
    let kind = entry.header().entry_type();
    if kind != EntryType::Regular {
        bail!("{path:?} is no plain file but {}: nothing was restored", kind_name(kind));
    }
    if path == MANIFEST {
        return Ok(path);
    }
    match path.strip_prefix("journal/") {
        Some(name) if is_file_name(name) => Ok(name.to_owned()),
        _ if path.starts_with('/') => bail!("{path:?} is an absolute path: nothing was restored"),
        _ if path.split('/').any(|part| part == "..") => {
            bail!("{path:?} leads out of the folder: nothing was restored")
        }
        _ => bail!("{path:?} is no file of a log: nothing was restored"),
    }
}

fn kind_name(kind: EntryType) -> &'static str {
    match kind {
        EntryType::Symlink => "a symbolic link",
        EntryType::Link => "a hard link",
        EntryType::Char | EntryType::Block => "a device",
        EntryType::Fifo => "a pipe",
        EntryType::Directory => "a folder",
        _ => "an extension that backups do not use",
    }
}

fn read_manifest(entry: &mut Entry<'_, impl Read>) -> Result<Manifest> {
    if entry.size() > MANIFEST_BYTES_MAX {
        bail!("the manifest has {} bytes, {MANIFEST_BYTES_MAX} are allowed", entry.size());
    }
    let mut text = Vec::new();
    entry.read_to_end(&mut text)?;
    let manifest: Manifest = serde_json::from_slice(&text).context("the manifest cannot be read")?;
    if manifest.format > FORMAT {
        bail!(
            "the backup has format {}, this program reads up to {FORMAT}: use a newer tacho",
            manifest.format
        );
    }
    Ok(manifest)
}

struct Extraction<'a> {
    folder: &'a Path,
    limits: Limits,
    bytes: u64,
    /// Size and hash of what was extracted, by name.
    hashes: BTreeMap<String, (u64, String)>,
}

impl Extraction<'_> {
    fn take(&mut self, name: &str, entry: &mut Entry<'_, impl Read>) -> Result<()> {
        let size = entry.size();
        self.bytes = self.bytes.saturating_add(size);
        if self.bytes > self.limits.bytes {
            bail!(
                "it expands to more than {} bytes: allow more with --max-bytes if you trust it",
                self.limits.bytes
            );
        }
        if self.hashes.len() >= self.limits.files {
            bail!("it holds more than {} files", self.limits.files);
        }
        let path = self.folder.join(name);
        let target = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let mut target = target.with_context(|| format!("cannot create {name:?}"))?;
        let mut digest = Sha256::new();
        let mut block = vec![0; BLOCK_BYTES];
        loop {
            let read = entry.read(&mut block)?;
            if read == 0 {
                break;
            }
            digest.update(&block[..read]);
            target.write_all(&block[..read])?;
        }
        target.sync_all()?;
        self.hashes.insert(name.to_owned(), (size, hexadecimal(&digest.finalize())));
        Ok(())
    }

    fn verify(&self, manifest: &Manifest) -> Result<()> {
        for wanted in &manifest.files {
            match self.hashes.get(&wanted.name) {
                None => bail!("{:?} is in the manifest but not in the backup", wanted.name),
                Some((bytes, sha256)) if *bytes == wanted.bytes && *sha256 == wanted.sha256 => {}
                Some(_) => bail!("{:?} differs from the manifest: the backup is damaged", wanted.name),
            }
        }
        if self.hashes.len() != manifest.files.len() {
            bail!("it holds files that its manifest does not name");
        }
        Ok(())
    }
}

/// Opens the log to read it, and answers its last position.
fn opened(data: &Path) -> Result<u64> {
    let options = tacho_journal::Options { read_only: true, ..Default::default() };
    let (journal, _) = tacho_journal::Journal::open(&data.join(FOLDER), options)?;
    let head = journal.head().0;
    journal.close()?;
    Ok(head)
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })?.sync_all()
}

struct Counted {
    source: File,
    progress: Progress,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        self.progress.advance(read as u64);
        Ok(read)
    }
}
