//! The commit and branch that a folder is at, read from `.git` files alone.
//!
//! Every tool call of an agent runs this, so git itself is never started: a handful of small reads
//! answers. The layout is the one of gitrepository-layout(5): linked worktrees, submodules and packed
//! references are followed. A repository that keeps its references in reftable answers `None`.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Where a work tree stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The commit, 40 or 64 lower-case hexadecimal digits; `None` on a branch without commits.
    pub sha: Option<String>,
    /// The branch without `refs/heads/`; `None` when HEAD is detached.
    pub branch: Option<String>,
}

/// Parents looked at before giving up on finding a repository.
const LEVELS_MAX: usize = 64;
/// HEAD, a loose reference, `commondir` and a `.git` file hold one line; a path may be 4,096 bytes long.
const SMALL_FILE_BYTES_MAX: usize = 4_096 + 64;
/// A symbolic reference that points to a symbolic reference, and so on; git stops at five as well.
const SYMBOLIC_DEPTH_MAX: usize = 5;
/// An unsorted `packed-refs` is scanned up to here; a sorted one is searched whatever its size.
const UNSORTED_SCAN_BYTES_MAX: u64 = 8 << 20;
/// One read of `packed-refs`: holds many lines, and any line that git accepts.
const PACKED_BLOCK_BYTES: usize = 8_192;

/// Reads the commit and branch of the work tree that holds `dir`.
///
/// `None` outside a repository, in a repository without work tree, and for anything that cannot be read:
/// provenance is worth having, never worth failing for.
pub fn head(dir: &Path) -> Option<Head> {
    let repository = Repository::find(dir)?;
    let mut buffer = [0; SMALL_FILE_BYTES_MAX];
    let content = read_line(&repository.git_dir.join("HEAD"), &mut buffer)?;
    match content.strip_prefix("ref:") {
        Some(name) => repository.symbolic_head(name.trim()),
        None => Some(Head { sha: Some(object_id(content)?), branch: None }),
    }
}

struct Repository {
    /// What belongs to this work tree alone: HEAD.
    git_dir: PathBuf,
    /// What all work trees share: branches and packed references.
    common_dir: PathBuf,
}

impl Repository {
    fn find(dir: &Path) -> Option<Repository> {
        for level in dir.ancestors().take(LEVELS_MAX) {
            let candidate = level.join(".git");
            let Ok(found) = candidate.metadata() else { continue };
            let git_dir = if found.is_dir() { candidate } else { linked_git_dir(level, &candidate)? };
            let mut buffer = [0; SMALL_FILE_BYTES_MAX];
            let common_dir = match read_line(&git_dir.join("commondir"), &mut buffer) {
                Some(path) => git_dir.join(path),
                None => git_dir.clone(),
            };
            return Some(Repository { git_dir, common_dir });
        }
        None
    }

    fn symbolic_head(&self, name: &str) -> Option<Head> {
        // Reftable leaves this placeholder in HEAD; the true one is inside its tables.
        if name == "refs/heads/.invalid" || !is_safe_name(name) {
            return None;
        }
        let branch = name.strip_prefix("refs/heads/").unwrap_or(name).to_owned();
        Some(Head { sha: self.resolve(name), branch: Some(branch) })
    }

    fn resolve(&self, name: &str) -> Option<String> {
        let mut name = name.to_owned();
        for _ in 0..SYMBOLIC_DEPTH_MAX {
            let mut buffer = [0; SMALL_FILE_BYTES_MAX];
            let Some(content) = read_line(&self.common_dir.join(&name), &mut buffer) else {
                return packed(&self.common_dir.join("packed-refs"), &name);
            };
            match content.strip_prefix("ref:").map(str::trim) {
                Some(next) if is_safe_name(next) => name = next.to_owned(),
                Some(_) => return None,
                None => return object_id(content),
            }
        }
        None
    }
}

/// Follows the `gitdir:` line of a linked worktree or submodule.
fn linked_git_dir(work_tree: &Path, dot_git: &Path) -> Option<PathBuf> {
    let mut buffer = [0; SMALL_FILE_BYTES_MAX];
    let content = read_line(dot_git, &mut buffer)?;
    Some(work_tree.join(content.strip_prefix("gitdir:")?.trim()))
}

/// A name that cannot lead out of the repository's folder.
fn is_safe_name(name: &str) -> bool {
    name.starts_with("refs/") && !name.contains("..") && !name.bytes().any(|byte| byte.is_ascii_control())
}

fn object_id(text: &str) -> Option<String> {
    let is_id = matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_id.then(|| text.to_ascii_lowercase())
}

/// The file's only line, trimmed; `None` when it is absent, longer than `buffer`, or no text.
fn read_line<'a>(path: &Path, buffer: &'a mut [u8; SMALL_FILE_BYTES_MAX]) -> Option<&'a str> {
    let mut file = File::open(path).ok()?;
    let mut filled = 0;
    loop {
        match file.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
        if filled == buffer.len() {
            return None;
        }
    }
    Some(std::str::from_utf8(&buffer[..filled]).ok()?.trim())
}

/// Looks `name` up in `packed-refs`, whose lines are `<object id> <name>`, peeled lines beginning with `^`.
fn packed(path: &Path, name: &str) -> Option<String> {
    let file = File::open(path).ok()?;
    let size = file.metadata().ok()?.len();
    let mut block = [0; PACKED_BLOCK_BYTES];
    let first = read_block(&file, 0, &mut block)?;
    let header = first.split(|&byte| byte == b'\n').next()?;
    let sorted = header.starts_with(b"# pack-refs") && header.windows(7).any(|word| word == b" sorted");
    if !sorted {
        return scan(&file, 0, UNSORTED_SCAN_BYTES_MAX, name);
    }
    let from = narrow(&file, size, name)?;
    scan(&file, from, from + 2 * PACKED_BLOCK_BYTES as u64, name)
}

/// Halves the sorted file until one block is left that must hold `name`; answers the offset of a line.
fn narrow(file: &File, size: u64, name: &str) -> Option<u64> {
    let (mut low, mut high) = (0, size);
    let mut block = [0; PACKED_BLOCK_BYTES];
    while high - low > PACKED_BLOCK_BYTES as u64 {
        let middle = low + (high - low) / 2;
        let bytes = read_block(file, middle, &mut block)?;
        let mut start = 0;
        let found = loop {
            start += bytes[start..].iter().position(|&byte| byte == b'\n')? + 1;
            let end = start + bytes[start..].iter().position(|&byte| byte == b'\n')?;
            if let Some((_, line_name)) = split_line(&bytes[start..end]) {
                break line_name;
            }
        };
        if found <= name.as_bytes() {
            low = middle + start as u64;
        } else {
            high = middle;
        }
    }
    Some(low)
}

/// Reads whole lines from offset `from` until the name is met or `until` is passed.
fn scan(file: &File, mut from: u64, until: u64, name: &str) -> Option<String> {
    let mut block = [0; PACKED_BLOCK_BYTES];
    while from < until {
        let bytes = read_block(file, from, &mut block)?;
        let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(bytes.len(), |last| last + 1);
        if whole == 0 {
            return None;
        }
        for line in bytes[..whole].split(|&byte| byte == b'\n') {
            if let Some((id, line_name)) = split_line(line)
                && line_name == name.as_bytes()
            {
                return object_id(std::str::from_utf8(id).ok()?);
            }
        }
        from += whole as u64;
    }
    None
}

fn split_line(line: &[u8]) -> Option<(&[u8], &[u8])> {
    if matches!(line.first(), None | Some(b'#' | b'^')) {
        return None;
    }
    let space = line.iter().position(|&byte| byte == b' ')?;
    Some((&line[..space], &line[space + 1..]))
}

fn read_block<'a>(file: &File, offset: u64, block: &'a mut [u8; PACKED_BLOCK_BYTES]) -> Option<&'a [u8]> {
    let mut filled = 0;
    while filled < block.len() {
        match file.read_at(&mut block[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
    Some(&block[..filled])
}

#[cfg(test)]
mod tests;
