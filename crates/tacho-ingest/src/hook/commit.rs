//! What git's own hooks tell: a commit, as `tacho hook git` has read it from the repository.

use super::payload::{Payload, project, push_path_part};
use super::{HookInput, put};
use crate::door::{Door, within};
use std::borrow::Cow;
use tacho_event::derived_id;
use tacho_event::json::{self, Kind};
use tacho_event::{Draft, Event, Sameness, stream};

/// Members of the payload that are the event's own, in order.
const TOLD: [&str; 9] = [
    "commit_sha",
    "commit_message",
    "files_changed",
    "insertions",
    "deletions",
    "changed_files",
    "branch",
    "author_name",
    "author_email",
];

/// The event of a commit, on the stream of the issue that the branch names, else on the repository's. Its id is
/// a hash of the commit's, so that a commit that is told twice is one event.
pub(super) fn event(
    input: &HookInput<'_>,
    payload: &Payload<'_>,
    redacted: &[u8],
    door: &Door<'_>,
) -> Result<Event, String> {
    let hook = payload.hook_event_name.as_deref().unwrap_or_default();
    if !matches!(hook, "post-commit" | "post-merge") {
        return Err(format!("git's hook {hook:?} is not known: `tacho connect git` connects those that are"));
    }
    let text =
        |name| json::member(redacted, name).filter(|value| json::kind(value) == Kind::String).map(json::text);
    let sha = text("commit_sha")
        .filter(|sha| is_object_id(sha))
        .ok_or("`commit_sha` is missing or no commit's id")?;
    let branch = text("branch").or(input.branch.map(Cow::Borrowed)).filter(|branch| !branch.is_empty());
    let mut source = "/git".to_owned();
    if let Some(project) = project(payload.cwd.as_deref(), None) {
        source.push('/');
        push_path_part(project, &mut source);
    }
    let mut data = b"{".to_vec();
    for (name, value) in TOLD.into_iter().filter_map(|name| Some((name, json::member(redacted, name)?))) {
        json::write_string(name, &mut data);
        data.push(b':');
        data.extend_from_slice(value);
        data.push(b',');
    }
    data.extend_from_slice(b"\"confidence\":1.0,\"derived_from\":");
    json::write_string(hook, &mut data);
    data.push(b'}');
    let issue = branch.as_deref().and_then(issue_key);
    let stream = issue.map_or_else(|| stream::of_source(&source), |issue| format!("issue/{issue}"));
    let mut draft = Draft::new("CommitCreated", source, derived_id("commit", &[&sha]));
    draft.subject = Some(Cow::Owned(stream));
    draft.set_data(data);
    draft.put_text("time", &input.time.to_rfc3339());
    let author = ["author_email", "author_name"]
        .into_iter()
        .find_map(|name| text(name).filter(|name| !name.is_empty()));
    put(&mut draft, "actortype", Some("user"));
    put(&mut draft, "actorid", Some(author.as_deref().unwrap_or("user")));
    put(&mut draft, "gitsha", Some(&sha));
    put(&mut draft, "branch", branch.as_deref());
    put(&mut draft, "severity", Some("info"));
    let event = draft.finish(Sameness::FirstWins).map_err(|error| error.to_string())?;
    within(&event, &door.limits).map_err(|error| error.to_string())?;
    Ok(event)
}

fn is_object_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The first issue's key in a branch's name: `PROJ-123` in `feature/PROJ-123-login`.
fn issue_key(branch: &str) -> Option<&str> {
    let is_name = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    let bytes = branch.as_bytes();
    bytes.iter().enumerate().filter(|(_, byte)| **byte == b'-').find_map(|(dash, _)| {
        let name = bytes[..dash].iter().rev().take_while(|byte| is_name(**byte)).count();
        let number = bytes[dash + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (begin, end) = (dash - name, dash + 1 + number);
        let stands_alone = [begin.checked_sub(1), Some(end)]
            .into_iter()
            .flatten()
            .all(|at| bytes.get(at).is_none_or(|byte| !byte.is_ascii_alphanumeric()));
        let is_key = name >= 2 && bytes[begin].is_ascii_uppercase() && (1..=9).contains(&number);
        (is_key && stands_alone).then(|| &branch[begin..end])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_issues() {
        for (branch, expected) in [
            ("PROJ-123", Some("PROJ-123")),
            ("feature/PROJ-123-login", Some("PROJ-123")),
            ("a-b/X2Y-7_z", Some("X2Y-7")),
            ("feature/proj-123", None),
            ("fix-P-1", None),
            ("release-2.4", None),
            ("PROJ-123a", None),
            ("aPROJ-123", None),
            ("feature/2A-1", None),
            ("ä-Ä-1", None),
            ("-", None),
        ] {
            assert_eq!(issue_key(branch), expected, "{branch}");
        }
    }
}
