//! A commit, read from the repository for git's own hooks.
//!
//! git is started here, which no other hook does: git itself waits for none of this, because the hook that
//! `tacho connect git` writes puts it into the background.

use serde_json::{Value, json};
use std::io::Read;
use std::process::{Command, Stdio};
use tacho_event::head;

/// Longest message that is kept, in bytes.
const MESSAGE_BYTES: usize = 16 * 1024;
/// Names of changed files that are kept; the counts are of all of them.
const FILES: usize = 200;
/// What is read of git's answers, in bytes; a commit of more files is counted as far as that goes.
const ANSWER_BYTES: u64 = 16 * 1024 * 1024;

/// The payload of a hook of git: of `commit`, and after a merge only where that merge made it.
pub fn payload(commit: &str, is_merge: bool) -> Option<Vec<u8>> {
    // A name such as `-x` would be an option.
    let is_name = commit == "HEAD" || commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_name || commit.is_empty() {
        return None;
    }
    if is_merge
        && !String::from_utf8_lossy(&git(&["reflog", "-1", "--format=%gs"])?).contains("Merge made by")
    {
        return None;
    }
    let told = git(&["show", "-s", "--no-show-signature", "--format=%H%x00%an%x00%ae%x00%B", commit])?;
    let told = String::from_utf8_lossy(&told).into_owned();
    let mut parts = told.splitn(4, '\0');
    let (sha, name, email) = (parts.next()?, parts.next()?, parts.next()?);
    let message = head(parts.next()?.trim_end(), MESSAGE_BYTES);
    let changes =
        git(&["show", "--format=", "--numstat", "-z", "--no-renames", "--first-parent", "-m", commit])?;
    let Changes { files, insertions, deletions, names } = Changes::read(&changes);
    let mut payload = json!({
        "hook_event_name": if is_merge { "post-merge" } else { "post-commit" },
        "cwd": top_folder()?,
        "commit_sha": sha,
        "commit_message": message,
        "files_changed": files,
        "insertions": insertions,
        "deletions": deletions,
        "changed_files": names,
        "author_name": name,
        "author_email": email,
    });
    let branch = git(&["symbolic-ref", "--quiet", "--short", "HEAD"]);
    if let Some(branch) = branch.map(|branch| String::from_utf8_lossy(&branch).trim().to_owned()) {
        payload["branch"] = Value::String(branch);
    }
    serde_json::to_vec(&payload).ok()
}

#[derive(Debug, Default, PartialEq)]
struct Changes {
    files: u64,
    insertions: u64,
    deletions: u64,
    /// The first of the files.
    names: Vec<String>,
}

impl Changes {
    /// Reads `insertions<tab>deletions<tab>name<zero byte>…`; the counts of a binary file are dashes.
    fn read(answer: &[u8]) -> Self {
        let mut changes = Self::default();
        for entry in answer.split(|byte| *byte == 0) {
            let entry = String::from_utf8_lossy(entry);
            let mut parts = entry.trim_start_matches('\n').splitn(3, '\t');
            let (Some(insertions), Some(deletions), Some(name)) = (parts.next(), parts.next(), parts.next())
            else {
                continue;
            };
            changes.files += 1;
            changes.insertions += insertions.parse::<u64>().unwrap_or(0);
            changes.deletions += deletions.parse::<u64>().unwrap_or(0);
            if changes.names.len() < FILES {
                changes.names.push(name.to_owned());
            }
        }
        changes
    }
}

fn top_folder() -> Option<String> {
    let folder = git(&["rev-parse", "--show-toplevel"])?;
    Some(String::from_utf8_lossy(&folder).trim_end().to_owned())
}

/// What git answers; `None` where it fails.
fn git(arguments: &[&str]) -> Option<Vec<u8>> {
    let mut child = Command::new("git")
        .args(arguments)
        .env("GIT_OPTIONAL_LOCKS", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut answer = Vec::new();
    let read = child.stdout.take()?.take(ANSWER_BYTES).read_to_end(&mut answer);
    // More than is read: the pipe is closed, and git ends.
    let status = child.wait().ok()?;
    read.ok()?;
    (status.success() || answer.len() as u64 == ANSWER_BYTES).then_some(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_counted() {
        let read = Changes::read(b"\n3\t1\ta b.txt\0-\t-\timage.png\0odd\0");
        assert_eq!(
            read,
            Changes {
                files: 2,
                insertions: 3,
                deletions: 1,
                names: vec!["a b.txt".into(), "image.png".into()]
            }
        );
        assert_eq!(Changes::read("1\t0\tx\0".repeat(500).as_bytes()).names.len(), FILES);
    }
}
