//! Pull requests, through GitHub's own command `gh`.

use super::command::Command;
use super::{Call, Finding, confidence};
use serde_json::json;
use tacho_event::head;

/// Longest title or reason that is kept, in bytes.
const TEXT_BYTES: usize = 2_000;
/// Options of `gh pr` whose value is the next word.
const VALUED: &[&str] = &[
    "-R",
    "--repo",
    "-t",
    "--title",
    "-b",
    "--body",
    "-F",
    "--body-file",
    "-B",
    "--base",
    "-H",
    "--head",
    "-l",
    "--label",
    "-r",
    "--reviewer",
    "-a",
    "--assignee",
    "-c",
    "--comment",
    "--subject",
    "-m",
    "--milestone",
    "-p",
    "--project",
    "-T",
    "--template",
    "--match-head-commit",
    "-A",
    "--author-email",
];

pub(super) fn findings(call: &Call<'_>) -> Vec<Finding> {
    if call.ending.is_none() {
        return Vec::new();
    }
    call.commands
        .iter()
        .filter(|command| command.program == "gh")
        .filter_map(|command| of_command(command, call))
        .collect()
}

fn of_command(command: &Command, call: &Call<'_>) -> Option<Finding> {
    let mut words = command.positional(if command.has(&["create", "new"]) { VALUED } else { CLOSING_VALUED });
    if words.next() != Some("pr") || command.has(&["--help"]) {
        return None;
    }
    match words.next()? {
        "create" | "new" => created(command, call),
        "merge" => merged(command, words.next(), call),
        "close" => closed(command, words.next(), call),
        _ => None,
    }
}

/// As `VALUED`, without what is a flag of `gh pr merge`: `-m` and `-r` choose its method.
const CLOSING_VALUED: &[&str] = &[
    "-R",
    "--repo",
    "-t",
    "--subject",
    "-b",
    "--body",
    "-F",
    "--body-file",
    "-c",
    "--comment",
    "--match-head-commit",
    "-A",
    "--author-email",
];

/// It prints the address of the pull request; that of one that is there already comes with a complaint.
fn created(command: &Command, call: &Call<'_>) -> Option<Finding> {
    if command.has(&["--dry-run", "--web", "-w"]) || call.output.contains("already exists") {
        return None;
    }
    let (url, number) = call.output.split_whitespace().rev().find_map(address)?;
    let mut data = vec![("pr_number", json!(number)), ("pr_url", json!(url))];
    let options: [(&str, &[&str]); 3] = [
        ("pr_title", &["--title", "-t"]),
        ("base_branch", &["--base", "-B"]),
        ("head_branch", &["--head", "-H"]),
    ];
    for (name, options) in options {
        let value =
            command.value(options).or(call.branch.filter(|_| name == "head_branch" && !command.is_elsewhere));
        // What the shell would have put in is not known.
        let value = value.filter(|value| !value.contains('$') && !value.contains('`'));
        data.extend(value.map(|value| (name, json!(head(value, TEXT_BYTES)))));
    }
    data.push(("draft", json!(command.has(&["--draft", "-d"]))));
    Some(Finding::new("PRCreated", &number.to_string(), confidence::PRINTED, data))
}

/// Without a terminal it prints nothing, so that the number must stand in the command.
fn merged(command: &Command, named: Option<&str>, call: &Call<'_>) -> Option<Finding> {
    // It will be merged, or not, when its checks have passed.
    if command.has(&["--auto", "--disable-auto"]) || !call.succeeded(command) {
        return None;
    }
    let number = number(named, call, "Merged", "merged")?;
    let methods: [(&str, &[&str]); 3] =
        [("squash", &["--squash", "-s"]), ("rebase", &["--rebase", "-r"]), ("merge", &["--merge", "-m"])];
    let mut data = vec![("pr_number", json!(number))];
    let method = methods.into_iter().find(|(_, options)| command.has(options));
    data.extend(method.map(|(method, _)| ("merge_method", json!(method))));
    Some(Finding::new("PRMerged", &number.to_string(), confidence::COMMAND, data))
}

fn closed(command: &Command, named: Option<&str>, call: &Call<'_>) -> Option<Finding> {
    if !call.succeeded(command) {
        return None;
    }
    let number = number(named, call, "Closed", "closed")?;
    let mut data = vec![("pr_number", json!(number))];
    let reason = command.value(&["--comment", "-c"]).filter(|reason| !reason.contains('$'));
    data.extend(reason.map(|reason| ("close_reason", json!(head(reason, TEXT_BYTES)))));
    Some(Finding::new("PRClosed", &number.to_string(), confidence::COMMAND, data))
}

/// The number that the command names, else the one of the line that tells what was done:
/// `✓ Merged pull request owner/name#12 (title)`.
fn number(named: Option<&str>, call: &Call<'_>, done: &str, also: &str) -> Option<u64> {
    let of_word = |word: &str| {
        word.trim_start_matches('#').parse().ok().or_else(|| address(word).map(|(_, number)| number))
    };
    named.and_then(of_word).or_else(|| {
        let line = call
            .output
            .lines()
            .rev()
            .find(|line| line.contains("pull request") && (line.contains(done) || line.contains(also)))?;
        let (_, rest) = line.split_once('#')?;
        rest.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
    })
}

/// `https://github.com/owner/name/pull/12` and its number.
fn address(word: &str) -> Option<(&str, u64)> {
    let begin = word.find("https://")?;
    let (_, number) = word[begin..].split_once("/pull/")?;
    let digits = number.len() - number.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
    let end = word.len() - number.len() + digits;
    Some((head(&word[begin..end], TEXT_BYTES), number[..digits].parse().ok()?))
}
