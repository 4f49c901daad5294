//! Against real repositories, made by the git command in temporary folders.

use super::*;
use std::fmt::Write as _;
use std::fs;
use std::process::Command;
use tempfile::TempDir;

fn git(dir: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=Test", "-c", "user.email=test@localhost", "-c", "protocol.file.allow=always"])
        .args(arguments)
        .current_dir(dir)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .output()
        .expect("git is installed");
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn repository() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    git(folder.path(), &["init", "--quiet", "--initial-branch=main"]);
    folder
}

fn repository_with_commit() -> TempDir {
    let folder = repository();
    git(folder.path(), &["commit", "--quiet", "--allow-empty", "--message=first"]);
    folder
}

/// What git itself says must be what the files say.
#[track_caller]
fn check(dir: &Path, branch: Option<&str>) {
    let expected = Head { sha: Some(git(dir, &["rev-parse", "HEAD"])), branch: branch.map(str::to_owned) };
    assert_eq!(head(dir), Some(expected));
}

#[test]
fn a_branch_is_read_from_the_folder_and_from_below() {
    let folder = repository_with_commit();
    check(folder.path(), Some("main"));
    let below = folder.path().join("a/b/c");
    fs::create_dir_all(&below).unwrap();
    check(&below, Some("main"));
    git(folder.path(), &["switch", "--quiet", "--create", "feature/deep/name"]);
    check(&below, Some("feature/deep/name"));
}

#[test]
fn a_branch_without_commits_has_no_sha() {
    let folder = repository();
    assert_eq!(head(folder.path()), Some(Head { sha: None, branch: Some("main".into()) }));
}

#[test]
fn a_detached_head_has_no_branch() {
    let folder = repository_with_commit();
    git(folder.path(), &["switch", "--quiet", "--detach"]);
    check(folder.path(), None);
}

#[test]
fn packed_references_are_found_and_a_newer_loose_one_wins() {
    let folder = repository_with_commit();
    git(folder.path(), &["tag", "--annotate", "--message=one", "v1"]);
    git(folder.path(), &["pack-refs", "--all", "--prune"]);
    assert!(!folder.path().join(".git/refs/heads/main").exists());
    check(folder.path(), Some("main"));
    git(folder.path(), &["commit", "--quiet", "--allow-empty", "--message=second"]);
    check(folder.path(), Some("main"));
}

#[test]
fn every_one_of_many_packed_references_is_found() {
    let folder = repository_with_commit();
    let sha = git(folder.path(), &["rev-parse", "HEAD"]);
    let names: Vec<String> = (0..2_000).map(|number| format!("refs/heads/branch-{number:05}")).collect();
    let sorted_header = "# pack-refs with: peeled fully-peeled sorted \n";
    for header in [sorted_header, ""] {
        let mut text = header.to_owned();
        for (number, name) in names.iter().enumerate() {
            writeln!(text, "{number:040x} {name}\n^{sha}").unwrap();
        }
        let path = folder.path().join(".git/packed-refs");
        fs::write(&path, text).unwrap();
        for (number, name) in names.iter().enumerate() {
            assert_eq!(packed(&path, name), Some(format!("{number:040x}")), "{name}");
        }
        for absent in ["refs/heads/a", "refs/heads/branch-00000x", "refs/heads/z"] {
            assert_eq!(packed(&path, absent), None, "{absent}");
        }
    }
}

#[test]
fn a_linked_worktree_has_its_own_head_and_shares_branches() {
    let folder = repository_with_commit();
    let other = tempfile::tempdir().unwrap();
    let path = other.path().join("tree");
    git(folder.path(), &["worktree", "add", "--quiet", "-b", "side", path.to_str().unwrap()]);
    git(&path, &["commit", "--quiet", "--allow-empty", "--message=side"]);
    check(&path, Some("side"));
    check(folder.path(), Some("main"));
    git(folder.path(), &["pack-refs", "--all", "--prune"]);
    check(&path, Some("side"));
}

#[test]
fn a_submodule_is_a_repository_of_its_own() {
    let (outer, inner) = (repository_with_commit(), repository_with_commit());
    git(outer.path(), &["submodule", "--quiet", "add", inner.path().to_str().unwrap(), "part"]);
    check(&outer.path().join("part"), Some("main"));
}

#[test]
fn sha256_repositories_are_read() {
    let folder = tempfile::tempdir().unwrap();
    git(folder.path(), &["init", "--quiet", "--initial-branch=main", "--object-format=sha256"]);
    git(folder.path(), &["commit", "--quiet", "--allow-empty", "--message=first"]);
    check(folder.path(), Some("main"));
}

#[test]
fn what_cannot_be_read_is_none() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(head(folder.path()), None);
    let dot_git = folder.path().join(".git");
    for content in ["", "gitdir:", "gitdir: nowhere", "\u{0}", &"x".repeat(10_000)] {
        fs::write(&dot_git, content).unwrap();
        assert_eq!(head(folder.path()), None, "{content:.20}");
    }
    fs::remove_file(&dot_git).unwrap();
    fs::create_dir(&dot_git).unwrap();
    for content in
        ["", "ref: refs/heads/.invalid", "ref: refs/../../secret", "ref: /etc/passwd", "0123", "ref:"]
    {
        fs::write(dot_git.join("HEAD"), content).unwrap();
        assert_eq!(head(folder.path()), None, "{content}");
    }
}

#[test]
fn symbolic_references_in_a_circle_end() {
    let folder = repository();
    fs::write(folder.path().join(".git/refs/heads/main"), "ref: refs/heads/main\n").unwrap();
    assert_eq!(head(folder.path()), Some(Head { sha: None, branch: Some("main".into()) }));
}
