//! git's own hooks: commits of a repository on the log.

use crate::place::{Answer, Place};
use crate::server::{Server, eventually};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

fn path() -> std::ffi::OsString {
    std::env::var_os("PATH").unwrap()
}

/// Runs git in the project, as Maria; its own configuration is not read.
#[track_caller]
fn git(place: &Place, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(arguments)
        .current_dir(place.path("project"))
        .env_clear()
        .env("HOME", place.path("home"))
        .env("PATH", path())
        .envs([("GIT_AUTHOR_NAME", "Maria"), ("GIT_AUTHOR_EMAIL", "maria@shop.example")])
        .envs([("GIT_COMMITTER_NAME", "Maria"), ("GIT_COMMITTER_EMAIL", "maria@shop.example")])
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .unwrap();
    Answer::of(output).ok().stdout.trim().to_owned()
}

fn repository(place: &Place) {
    git(place, &["init", "-q", "-b", "main"]);
}

/// `tacho`, where it finds git.
fn tacho(place: &Place, arguments: &[&str]) -> Answer {
    Answer::of(place.tacho(arguments).env("PATH", path()).output().unwrap())
}

fn commit(place: &Place, file: &str, text: &str, message: &str) -> String {
    place.write(&format!("project/{file}"), text);
    git(place, &["add", "."]);
    git(place, &["commit", "-q", "-m", message]);
    git(place, &["rev-parse", "HEAD"])
}

fn make_executable(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_commit_is_on_the_stream_of_the_issue_that_its_branch_names() {
    let place = Place::new();
    let server = Server::start(&place);
    repository(&place);
    tacho(&place, &["connect", "git"]).ok();
    git(&place, &["checkout", "-q", "-b", "feature/PROJ-123-login"]);
    let sha = commit(&place, "a b.txt", "one\ntwo\n", "login: by email\n\nMore of it.");
    let told = || server.json(&["events", "--type", "CommitCreated", "--json"]);
    eventually("the commit is on the log", || told().len() == 1);
    let event = told().remove(0);
    assert_eq!((&event["subject"], &event["gitsha"]), (&"issue/PROJ-123".into(), &sha.as_str().into()));
    assert_eq!(
        (&event["source"], &event["branch"]),
        (&"/git/project".into(), &"feature/PROJ-123-login".into())
    );
    assert_eq!((&event["actortype"], &event["actorid"]), (&"user".into(), &"maria@shop.example".into()));
    let data = &event["data"];
    assert_eq!(
        (&data["commit_sha"], &data["commit_message"]),
        (&sha.as_str().into(), &"login: by email\n\nMore of it.".into())
    );
    assert_eq!(
        (&data["files_changed"], &data["insertions"], &data["deletions"]),
        (&1.into(), &2.into(), &0.into())
    );
    assert_eq!(data["changed_files"], serde_json::json!(["a b.txt"]));

    // Told again it is the same event; another branch has another stream.
    tacho(&place, &["hook", "git", "--commit", &sha]).ok();
    git(&place, &["checkout", "-q", "-b", "other"]);
    let other = commit(&place, "c", "three\n", "other");
    eventually("the second commit is on the log", || told().len() >= 2);
    let told = told();
    assert_eq!(told.len(), 2);
    assert_eq!(
        (&told[1]["subject"], &told[1]["gitsha"]),
        (&"source/git/project".into(), &other.as_str().into())
    );
}

#[test]
fn what_is_there_is_kept_called_and_put_back() {
    let place = Place::new();
    repository(&place);
    let theirs = "#!/bin/sh\nset -e\necho \"$(basename \"$0\")\" >> called\n";
    let file = place.write("project/.git/hooks/post-commit", theirs);
    make_executable(&file);
    let merge = place.path("project/.git/hooks/post-merge");
    let shown = tacho(&place, &["connect", "git", "--dry-run"]).ok().stdout;
    assert!(shown.contains("+# >>> tacho") && !merge.exists(), "{shown}");
    assert_eq!(fs::read_to_string(&file).unwrap(), theirs);
    tacho(&place, &["connect", "git"]).ok();
    let once = fs::read_to_string(&file).unwrap();
    let told = tacho(&place, &["connect", "git"]).ok().stdout;
    assert!(told.contains("git already reports to tacho"), "{told}");
    assert_eq!(fs::read_to_string(&file).unwrap(), once);
    assert_eq!(fs::metadata(&merge).unwrap().permissions().mode() & 0o777, 0o755);
    commit(&place, "a", "", "x");
    assert_eq!(fs::read_to_string(place.path("project/called")).unwrap(), "post-commit\n");
    tacho(&place, &["disconnect", "git"]).ok();
    assert_eq!(fs::read_to_string(&file).unwrap(), theirs);
    assert!(!merge.exists());
}

#[test]
fn git_waits_for_nothing_and_what_came_meanwhile_is_told_later() {
    let place = Place::new();
    repository(&place);
    fs::create_dir(place.path("project/hooks")).unwrap();
    git(&place, &["config", "core.hooksPath", "hooks"]);
    let told = tacho(&place, &["connect", "git"]).ok().stdout;
    assert!(told.contains("core.hooksPath") && place.path("project/hooks/post-merge").exists(), "{told}");
    commit(&place, "a", "1\n", "base");
    git(&place, &["checkout", "-q", "-b", "topic"]);
    commit(&place, "b", "1\n", "on topic");
    git(&place, &["checkout", "-q", "main"]);
    commit(&place, "a", "2\n", "on main");
    git(&place, &["merge", "-q", "--no-ff", "-m", "the merge", "topic"]);
    let server = Server::start(&place);
    let messages = || -> Vec<String> {
        let told = server.json(&["events", "--type", "CommitCreated", "--json"]);
        let mut told: Vec<_> =
            told.iter().map(|event| event["data"]["commit_message"].as_str().unwrap().to_owned()).collect();
        told.sort();
        told
    };
    eventually("all commits are on the log", || messages().len() == 4);
    assert_eq!(messages(), ["base", "on main", "on topic", "the merge"]);
    // A merge that only moves the branch makes no commit.
    git(&place, &["checkout", "-q", "topic"]);
    git(&place, &["merge", "-q", "main"]);
    let mut hook = place.tacho(&["hook", "git", "--merge", "--commit", &git(&place, &["rev-parse", "HEAD"])]);
    let answer = hook.env("PATH", path()).env("TACHO_HOOK_DEBUG", "1").stdin(Stdio::null()).output().unwrap();
    let said = Answer::of(answer).ok().stderr;
    assert!(said.contains("there is nothing to tell"), "{said}");
    // Where git cannot be asked, there is nothing to tell either.
    let mut hook = place.tacho(&["hook", "git", "--commit", "HEAD"]);
    assert!(hook.stdin(Stdio::null()).status().unwrap().success());
    assert_eq!(messages().len(), 4);
}

#[test]
fn what_cannot_be_connected_is_left_alone() {
    let place = Place::new();
    let refused = tacho(&place, &["connect", "git"]);
    assert!(refused.code == Some(1) && refused.stderr.contains("is in no git repository"), "{refused:?}");
    repository(&place);
    let theirs = "#!/usr/bin/env python3\nprint()\n";
    let file = place.write("project/.git/hooks/post-merge", theirs);
    let refused = tacho(&place, &["connect", "git"]);
    assert!(refused.code == Some(1) && refused.stderr.contains("is no shell script"), "{refused:?}");
    assert_eq!(fs::read_to_string(&file).unwrap(), theirs);
    assert!(!place.path("project/.git/hooks/post-commit").exists());
    let refused = tacho(&place, &["connect", "git", "--user"]);
    assert!(refused.stderr.contains("git has no --user scope: use --local"), "{refused:?}");
}
