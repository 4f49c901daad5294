//! What the kinds that write files share: folders on demand, and failures in words.

use std::fs;
use std::io::{Error, ErrorKind};
use std::path::Path;
use tacho_engine::delivery::Failure;

/// Makes the folder and those above it.
pub(crate) fn create_folder(folder: &Path) -> Result<(), Failure> {
    if folder.as_os_str().is_empty() {
        return Ok(());
    }
    fs::create_dir_all(folder).map_err(|error| failure(folder, &error))
}

/// A failure of a file passes, once somebody has made room or given the right to write.
pub(crate) fn failure(path: &Path, error: &Error) -> Failure {
    let code = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "disk_full",
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => "not_writable",
        _ => "file_failed",
    };
    Failure::retry(code, format!("{}: {error}", path.display()))
}
