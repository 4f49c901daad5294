//! Commits: what git itself printed of them.

use super::command::Command;
use super::output::number_before;
use super::{Call, Finding, confidence};
use serde_json::{Value, json};
use tacho_event::head;

/// Commits of one call; more are not told.
const COMMITS: usize = 16;
/// Longest message that is kept, in bytes.
const MESSAGE_BYTES: usize = 2_000;
/// Commands of git that print a commit which they made.
const MAKING: [&str; 3] = ["commit", "cherry-pick", "revert"];
/// Options of git itself whose value is the next word.
const VALUED: &[&str] = &["-C", "-c", "--git-dir", "--work-tree", "--namespace"];

/// A commit as git tells of it: `[main 9fceb02] message`, and the lines behind it.
#[derive(Debug, Default)]
struct Commit<'a> {
    branch: Option<&'a str>,
    sha: &'a str,
    message: &'a str,
    /// Files, insertions, deletions.
    size: Option<[u64; 3]>,
}

pub(super) fn findings(call: &Call<'_>) -> Vec<Finding> {
    if call.ending.is_none() {
        return Vec::new();
    }
    let making: Vec<&Command> = call.commands.iter().filter(|command| makes_commit(command)).collect();
    if making.is_empty() {
        return Vec::new();
    }
    let commits = printed(&call.output);
    if commits.is_empty() {
        return quiet(&making, call).into_iter().collect();
    }
    let is_amended = making.iter().any(|command| command.has(&["--amend"]));
    commits.iter().map(|commit| told(commit, call, is_amended)).collect()
}

fn makes_commit(command: &Command) -> bool {
    command.program == "git"
        && command.positional(VALUED).next().is_some_and(|verb| MAKING.contains(&verb))
        && !command.has(&["--dry-run", "--help", "-h", "--abort", "--quit", "--skip"])
}

fn told(commit: &Commit<'_>, call: &Call<'_>, is_amended: bool) -> Finding {
    // The hook process has read the folder's commit: where it begins as git abbreviated it, it is that one.
    let whole = call.git_sha.filter(|whole| whole.starts_with(commit.sha)).unwrap_or(commit.sha);
    let mut data =
        vec![("commit_sha", json!(whole)), ("commit_message", json!(head(commit.message, MESSAGE_BYTES)))];
    if let Some([files, insertions, deletions]) = commit.size {
        let size = [("files_changed", files), ("insertions", insertions), ("deletions", deletions)];
        data.extend(size.map(|(name, count)| (name, json!(count))));
    }
    data.extend(commit.branch.map(|branch| ("branch", json!(branch))));
    data.extend(is_amended.then_some(("amended", Value::Bool(true))));
    Finding::new("CommitCreated", commit.sha, confidence::PRINTED, data)
}

/// `git commit -q` prints nothing; where nothing else can have moved it, the folder's commit is the new one.
fn quiet(making: &[&Command], call: &Call<'_>) -> Option<Finding> {
    let [command] = making else { return None };
    let sha = call.git_sha?;
    let is_here = !command.is_elsewhere && !command.has(&["-C", "--git-dir"]);
    // `-qm` is `-q -m`.
    let says_quiet = |word: &String| {
        word == "--quiet" || (word.starts_with('-') && !word.starts_with("--") && word.contains('q'))
    };
    let is_quiet =
        command.arguments.iter().any(says_quiet) && command.arguments.iter().any(|word| word == "commit");
    if !(is_here && is_quiet && call.succeeded(command)) {
        return None;
    }
    let mut data = vec![("commit_sha", json!(sha))];
    let message = command.value(&["-m", "-am", "--message"]).filter(|message| !message.contains("$("));
    data.extend(message.map(|message| ("commit_message", json!(head(message, MESSAGE_BYTES)))));
    data.extend(call.branch.map(|branch| ("branch", json!(branch))));
    Some(Finding::new("CommitCreated", sha, confidence::STATUS, data))
}

fn printed(output: &str) -> Vec<Commit<'_>> {
    let mut commits: Vec<Commit<'_>> = Vec::new();
    for line in output.lines() {
        if let Some(commit) = headline(line) {
            if commits.len() == COMMITS {
                break;
            }
            commits.push(commit);
        } else if let Some(commit) = commits.last_mut().filter(|commit| commit.size.is_none()) {
            commit.size = size(line);
        }
    }
    commits
}

/// `[main (root-commit) 9fceb02] message`, `[detached HEAD 9fceb02] message`.
fn headline(line: &str) -> Option<Commit<'_>> {
    let (inside, message) = line.strip_prefix('[')?.split_once("] ")?;
    let (branch, sha) = inside.rsplit_once(' ')?;
    let is_sha =
        (4..=64).contains(&sha.len()) && sha.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let branch = branch.strip_suffix(" (root-commit)").unwrap_or(branch);
    // No branch has a space in its name.
    let is_branch = branch == "detached HEAD" || !branch.contains(' ');
    let branch = Some(branch).filter(|branch| *branch != "detached HEAD");
    (is_sha && is_branch).then_some(Commit { branch, sha, message: message.trim_end(), size: None })
}

/// ` 3 files changed, 10 insertions(+), 2 deletions(-)`.
fn size(line: &str) -> Option<[u64; 3]> {
    if !line.starts_with(' ') || !line.contains(" changed") {
        return None;
    }
    let files = number_before(line, "file")?;
    Some([files, number_before(line, "insertion").unwrap_or(0), number_before(line, "deletion").unwrap_or(0)])
}
