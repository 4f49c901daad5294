//! A backup: the files of a log and a manifest of their hashes, in one compressed file.
//!
//! The format is a zstd frame that holds a tar archive (POSIX ustar): one entry `journal/<name>` a file, then
//! `manifest.json`. The read side is not in it; it is folded anew. Frames that wait in the spool are not in it.

mod read;
mod snapshot;
mod write;

pub use read::{Limits, restore};
pub use write::backup;

use serde::{Deserialize, Serialize};

/// Version of the format; a newer one is refused.
const FORMAT: u32 = 1;
const MANIFEST: &str = "manifest.json";
/// Folder of the entries.
const FOLDER: &str = "journal";

/// The last entry: what the others must be.
#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    format: u32,
    /// Version of the program that wrote it.
    tacho: String,
    /// RFC 3339.
    created: String,
    files: Vec<ManifestFile>,
}

#[derive(Debug, Serialize, Deserialize)]
struct ManifestFile {
    name: String,
    bytes: u64,
    /// Hexadecimal.
    sha256: String,
}

/// What a backup or restore moved.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    pub files: usize,
    /// Bytes of the log's files.
    pub bytes: u64,
    /// The last position, where it was looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<u64>,
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Names of the log's own files: nothing that leads elsewhere.
fn is_file_name(name: &str) -> bool {
    !name.starts_with('.')
        && (1..=100).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

#[cfg(test)]
mod tests;
