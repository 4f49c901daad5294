//! git: hooks of a repository that tell of its commits.
//!
//! githooks(5): a program in the repository's hooks folder, `core.hooksPath` where that is set. Ours are a few
//! lines of shell behind the first line of what is there, so that a hook of the user's runs as before, by its own
//! name. git waits for `git rev-parse` and a fork; the rest happens in the background.

use super::settings_file::SettingsFile;
use super::{Error, Outcome, Report, Request, Scope, diff, quoted};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

const NAME: &str = "git";
/// The hooks, and what they add to the command.
const HOOKS: &[(&str, &str)] = &[("post-commit", ""), ("post-merge", " --merge")];
const BEGIN: &str = "# >>> tacho: records commits; `tacho disconnect git` takes these lines out";
const END: &str = "# <<< tacho";
const FIRST_LINE: &str = "#!/bin/sh\n";
/// Interpreters that read our lines.
const SHELLS: [&str; 5] = ["sh", "bash", "dash", "zsh", "ksh"];

/// Hooks the repository that holds the project's folder.
///
/// # Errors
/// Outside a repository, where a hook is no shell script, and where it cannot be written. A hook that was written
/// before the error stays.
pub fn connect(request: &Request) -> Result<Report, Error> {
    let folder = hooks_folder(request)?;
    let mut report = report(&folder);
    let command = super::hook_command(NAME, request)?;
    let mut files = Vec::new();
    for (hook, more) in HOOKS {
        let file = SettingsFile::open(&folder.join(hook))?;
        let block = block(&command, more, &quoted(&request.binary_path)?);
        let new = with(file.text.as_deref(), &block).ok_or_else(|| Error::ForeignHook {
            file: file.target.clone(),
            command: format!("{command}{more}"),
        })?;
        files.push((file, Some(new)));
        report.events.push(hook);
    }
    change(files, request, Outcome::Connected, &mut report)?;
    report.notes.extend(shared_note(request, &folder));
    Ok(report)
}

/// Takes the lines out of the repository's hooks; a hook that held nothing else goes.
///
/// # Errors
/// Outside a repository, and where a hook cannot be written.
pub fn disconnect(request: &Request) -> Result<Report, Error> {
    let folder = hooks_folder(request)?;
    let mut report = report(&folder);
    let mut files = Vec::new();
    for (hook, _) in HOOKS {
        let file = SettingsFile::open(&folder.join(hook))?;
        if let Some(text) = file.text.as_deref() {
            let rest = without(text);
            let is_ours = rest == FIRST_LINE && text != FIRST_LINE;
            files.push((file, Some(rest).filter(|_| !is_ours)));
        }
    }
    change(files, request, Outcome::Disconnected, &mut report)?;
    Ok(report)
}

fn report(folder: &Path) -> Report {
    Report {
        agent: NAME,
        scope: Scope::Local,
        file: folder.to_owned(),
        outcome: Outcome::Unchanged,
        events: Vec::new(),
        backup: None,
        diff: None,
        notes: Vec::new(),
    }
}

fn change(
    files: Vec<(SettingsFile, Option<String>)>,
    request: &Request,
    changed: Outcome,
    report: &mut Report,
) -> Result<(), Error> {
    for (file, new) in files {
        if let Ok(metadata) = fs::metadata(&file.target)
            && metadata.permissions().mode() & 0o111 == 0
            && new.is_some()
        {
            report.notes.push(format!("git does not run {}: it is not executable", file.target.display()));
        }
        if new == file.text {
            continue;
        }
        if request.dry_run {
            let shown = diff(&file.target, file.text.as_deref(), new.as_deref());
            report.diff.get_or_insert_default().push_str(&shown);
            report.outcome = Outcome::WouldChange;
            continue;
        }
        let backup = file.replace(new.as_deref())?;
        report.backup = backup.or(report.backup.take());
        if file.text.is_none() {
            let failed = |source| Error::Io { action: "make executable", path: file.target.clone(), source };
            fs::set_permissions(&file.target, Permissions::from_mode(0o755)).map_err(failed)?;
        }
        report.outcome = changed;
    }
    Ok(())
}

/// The commit is read before git goes on, since the next one may follow at once.
fn block(command: &str, more: &str, binary: &str) -> String {
    format!(
        "{BEGIN}\nif [ -x {binary} ]; then (commit=$(git rev-parse HEAD 2>/dev/null) || :; \
         {command} --commit \"$commit\"{more} </dev/null >/dev/null 2>&1 &); fi\n{END}\n"
    )
}

/// The hook with our lines behind its first one; `None` where they would not be understood there.
fn with(text: Option<&str>, block: &str) -> Option<String> {
    let Some(text) = text.map(without) else { return Some(format!("{FIRST_LINE}{block}")) };
    let (first, rest) = match text.split_once('\n') {
        Some((first, rest)) => (first.to_owned(), rest),
        None => (text.clone(), ""),
    };
    // Without a first line that names an interpreter, the shell of whoever starts it reads it.
    let Some(interpreter) = first.strip_prefix("#!") else { return None };
    let is_shell = interpreter
        .split_whitespace()
        .filter_map(|word| word.rsplit('/').next())
        .any(|word| SHELLS.contains(&word));
    is_shell.then(|| format!("{first}\n{block}{rest}"))
}

/// The hook without our lines.
fn without(text: &str) -> String {
    let mut is_ours = false;
    let kept = |line: &&str| {
        let line = line.trim_end();
        is_ours |= line == BEGIN;
        let keeps = !is_ours;
        is_ours &= line != END;
        keeps
    };
    text.split_inclusive('\n').filter(kept).collect()
}

fn hooks_folder(request: &Request) -> Result<PathBuf, Error> {
    if let Some(scope) = request.scope.filter(|scope| *scope != Scope::Local) {
        return Err(Error::NoSuchScope { agent: NAME, scope, instead: "--local" });
    }
    let answer = git(&request.project_dir, &["rev-parse", "--git-path", "hooks"])
        .ok_or_else(|| Error::NoRepository { folder: request.project_dir.clone() })?;
    Ok(request.project_dir.join(answer))
}

/// A folder that the configuration names may serve more than this repository.
fn shared_note(request: &Request, folder: &Path) -> Option<String> {
    git(&request.project_dir, &["config", "core.hooksPath"])?;
    Some(format!(
        "`core.hooksPath` names {}: every repository that uses this folder reports to this log",
        folder.display()
    ))
}

fn git(folder: &Path, arguments: &[&str]) -> Option<String> {
    let answer = Command::new("git").args(arguments).current_dir(folder).output().ok()?;
    let text = String::from_utf8(answer.stdout).ok()?;
    Some(text.trim_end().to_owned()).filter(|text| answer.status.success() && !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_lines_go_in_and_out_again() {
        let block = block("/b/tacho hook git --data /d", " --merge", "/b/tacho");
        for theirs in ["#!/bin/sh\n", "#!/usr/bin/env bash\nset -e\necho theirs\n", "#!/bin/sh"] {
            let text = with(Some(theirs), &block).unwrap();
            assert_eq!(with(Some(&text), &block).as_ref(), Some(&text), "twice is once");
            assert_eq!(without(&text).trim_end(), theirs.trim_end());
        }
        assert!(with(None, &block).unwrap().starts_with("#!/bin/sh\n# >>> tacho"));
        for foreign in ["#!/usr/bin/env python3\nprint()\n", "echo no first line\n", ""] {
            assert_eq!(with(Some(foreign), &block), None, "{foreign}");
        }
    }
}
