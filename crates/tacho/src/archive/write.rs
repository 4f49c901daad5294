//! Writing a backup.

use super::snapshot::{self, SnapshotFile};
use super::{FOLDER, FORMAT, MANIFEST, Manifest, ManifestFile, Outcome, hexadecimal};
use crate::identity;
use crate::terminal::Progress;
use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use tar::{Builder, EntryType, Header};

/// zstd's own default: fast, and most of what is to be won.
const COMPRESSION_LEVEL: i32 = 3;

/// Writes the log below `data` into `file`, which must not exist. A server may go on writing the log.
pub fn backup(data: &Path, file: &Path) -> Result<Outcome> {
    if file.exists() {
        bail!("{} exists: choose another name, or move it away", file.display());
    }
    let folder = data.join(FOLDER);
    let files = snapshot::take(&folder)?;
    let mut name = file.as_os_str().to_owned();
    name.push(format!(".part-{}", std::process::id()));
    let part = Path::new(&name);
    let written = write(part, &folder, files).with_context(|| format!("cannot write {}", file.display()));
    let renamed = written.and_then(|outcome| {
        fs::rename(part, file).with_context(|| format!("cannot write {}", file.display()))?;
        Ok(outcome)
    });
    if renamed.is_err() {
        // What is half written helps nobody; the failure itself is told.
        let _ = fs::remove_file(part);
    }
    renamed
}

fn write(part: &Path, folder: &Path, files: Vec<SnapshotFile>) -> Result<Outcome> {
    let target = OpenOptions::new().write(true).create_new(true).mode(0o600).open(part)?;
    let mut archive = Builder::new(zstd::Encoder::new(target, COMPRESSION_LEVEL)?);
    let bytes = files.iter().map(|file| file.bytes).sum();
    let mut progress = Progress::bytes("backing up", bytes);
    let mut manifest = Manifest {
        format: FORMAT,
        tacho: env!("CARGO_PKG_VERSION").to_owned(),
        created: identity::now().to_rfc3339(),
        files: Vec::with_capacity(files.len()),
    };
    for file in files {
        let path = folder.join(&file.name);
        let (snapshot, file) =
            file.open(folder).with_context(|| format!("cannot read {}", path.display()))?;
        let (name, bytes) = (snapshot.name.clone(), snapshot.bytes);
        let mut reader = Reader { snapshot, file, offset: 0, digest: Sha256::new(), progress: &mut progress };
        archive.append(&header(&format!("{FOLDER}/{name}"), bytes)?, &mut reader)?;
        manifest.files.push(ManifestFile { name, bytes, sha256: hexadecimal(&reader.digest.finalize()) });
    }
    let bytes = manifest.files.iter().map(|file| file.bytes).sum();
    let outcome = Outcome { files: manifest.files.len(), bytes, position: None };
    let manifest = serde_json::to_vec_pretty(&manifest)?;
    archive.append(&header(MANIFEST, manifest.len() as u64)?, manifest.as_slice())?;
    let target: File = archive.into_inner()?.finish()?;
    target.sync_all()?;
    Ok(outcome)
}

fn header(path: &str, bytes: u64) -> Result<Header> {
    let mut header = Header::new_ustar();
    header.set_path(path)?;
    header.set_size(bytes);
    header.set_mode(0o600);
    header.set_entry_type(EntryType::Regular);
    header.set_cksum();
    Ok(header)
}

/// Reads a file as it was when the snapshot was taken, and hashes what it gives.
struct Reader<'a> {
    snapshot: SnapshotFile,
    file: File,
    offset: u64,
    digest: Sha256,
    progress: &'a mut Progress,
}

impl Read for Reader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let SnapshotFile { bytes, written, .. } = &self.snapshot;
        let (end, is_content) = if self.offset < *written { (*written, true) } else { (*bytes, false) };
        let room = usize::try_from(end - self.offset).unwrap_or(usize::MAX).min(buffer.len());
        let given = &mut buffer[..room];
        if is_content {
            self.file.read_exact_at(given, self.offset)?;
        } else {
            given.fill(0);
        }
        self.digest.update(&*given);
        self.offset += room as u64;
        self.progress.advance(room as u64);
        Ok(room)
    }
}
