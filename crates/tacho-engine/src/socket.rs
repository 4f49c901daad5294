//! Where the hook socket of a data folder is.

use sha2::{Digest, Sha256};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Longest path that the address of a Unix socket can hold everywhere that Linux programs run, in bytes.
pub const MAX_PATH_BYTES: usize = 107;

/// `<data>/run/tacho.sock`, or `<runtime folder>/tacho/<hash>.sock` where that is too long. `data` should be
/// absolute, so that the hook and the server agree; `runtime_folder` is `$XDG_RUNTIME_DIR`.
/// `None` where both are too long or there is no runtime folder: hooks then spool.
pub fn socket_path(data: &Path, runtime_folder: Option<&Path>) -> Option<PathBuf> {
    let beside = data.join("run").join("tacho.sock");
    if beside.as_os_str().len() <= MAX_PATH_BYTES {
        return Some(beside);
    }
    let digest = Sha256::digest(data.as_os_str().as_bytes());
    let name: String = digest[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    let elsewhere = runtime_folder?.join("tacho").join(format!("{name}.sock"));
    (elsewhere.as_os_str().len() <= MAX_PATH_BYTES).then_some(elsewhere)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_path_moves_to_the_runtime_folder() {
        let runtime = Path::new("/run/user/1000");
        let short = socket_path(Path::new("/home/dev/.tacho"), Some(runtime));
        assert_eq!(short.unwrap(), Path::new("/home/dev/.tacho/run/tacho.sock"));
        let long = PathBuf::from(format!("/home/{}", "x".repeat(100)));
        let moved = socket_path(&long, Some(runtime)).unwrap();
        assert!(moved.starts_with("/run/user/1000/tacho") && moved.as_os_str().len() < MAX_PATH_BYTES);
        assert_eq!(socket_path(&long, None), None);
    }
}
