//! What follows from the commands that agents run.

use crate::support::{NOW, input, table, told};
use expect_test::{Expect, expect};
use proptest::prelude::*;
use serde_json::{Value, json};
use tacho_event::Event;
use tacho_ingest::hook::{self, Agent, HookInput};
use tacho_ingest::{Door, Redactor};

const SHA: &str = "9fceb02d0ae598e95dc970b74767f19372d61af8";

fn parse(agent: Agent, payload: &Value, git_sha: Option<&str>) -> Vec<Event> {
    let redactor = Redactor::builtin();
    let payload = payload.to_string();
    let input = HookInput { git_sha, branch: Some("topic"), ..input(agent, payload.as_bytes()) };
    let mut events = hook::parse(&input, &Door::new(&redactor));
    events.remove(0);
    events
}

fn call(hook: &str, command: &str) -> Value {
    json!({
        "session_id": "s-1", "cwd": "/home/dev/shop", "hook_event_name": hook, "tool_name": "Bash",
        "tool_use_id": "toolu_1", "tool_input": {"command": command}
    })
}

fn succeeded(command: &str, stdout: &str) -> Value {
    let mut payload = call("PostToolUse", command);
    payload["tool_response"] = json!({"stdout": stdout, "stderr": "", "interrupted": false});
    payload["duration_ms"] = 2500.into();
    payload
}

fn failed(command: &str, error: &str) -> Value {
    let mut payload = call("PostToolUseFailure", command);
    payload["error"] = error.into();
    payload["is_interrupt"] = false.into();
    payload["duration_ms"] = 2500.into();
    payload
}

/// A line for each event: its type and its payload, without what it was derived from.
fn check(payload: Value, expected: Expect) {
    let mut lines = Vec::new();
    for event in parse(Agent::ClaudeCode, &payload, Some(SHA)) {
        let mut event = told(&event);
        assert_eq!(event["data"].as_object_mut().unwrap().remove("derived_from"), Some("toolu_1".into()));
        lines.push(format!("{} {}", event["type"].as_str().unwrap(), event["data"]));
    }
    expected.assert_eq(&lines.join("\n"));
}

#[test]
fn a_commit_is_what_git_printed() {
    check(
        succeeded(
            "cd shop && git add -A && git commit -m \"$(cat <<'EOF'\ncheckout: it's (done\n\nMore\nEOF\n)\"",
            "[topic 9fceb02] checkout: it's (done\n 3 files changed, 10 insertions(+), 2 deletions(-)\n create mode 100644 a.py",
        ),
        expect![[
            r#"CommitCreated {"commit_sha":"9fceb02d0ae598e95dc970b74767f19372d61af8","commit_message":"checkout: it's (done","files_changed":3,"insertions":10,"deletions":2,"branch":"topic","confidence":1.0}"#
        ]],
    );
    check(
        succeeded(
            "git commit --amend --no-edit",
            "[detached HEAD 1234567] x\n Date: today\n 1 file changed, 1 deletion(-)",
        ),
        expect![[
            r#"CommitCreated {"commit_sha":"1234567","commit_message":"x","files_changed":1,"insertions":0,"deletions":1,"amended":true,"confidence":1.0}"#
        ]],
    );
    // The commit was made before what failed behind it.
    check(
        failed(
            "git commit -m x && false",
            "Exit code 1\n[main (root-commit) 1234567] x\n 1 file changed, 1 insertion(+)",
        ),
        expect![[
            r#"CommitCreated {"commit_sha":"1234567","commit_message":"x","files_changed":1,"insertions":1,"deletions":0,"branch":"main","confidence":1.0}"#
        ]],
    );
    check(succeeded("git commit -qm x; git commit --quiet -m 'a message'", ""), expect![""]);
    check(
        succeeded("git add . && git commit -q -m 'a message'", ""),
        expect![[
            r#"CommitCreated {"commit_sha":"9fceb02d0ae598e95dc970b74767f19372d61af8","commit_message":"a message","branch":"topic","confidence":0.6}"#
        ]],
    );
}

#[test]
fn what_makes_no_commit_gives_none() {
    for payload in [
        call("PreToolUse", "git commit -m x"),
        succeeded("git log --oneline", "[main 1234567] x"),
        succeeded("git commit --dry-run", "[main 1234567] x"),
        succeeded("git status", "On branch main"),
        succeeded("echo 'git commit -m x'", "[main 1234567] x"),
        succeeded("cat > a.sh <<EOF\ngit commit -m x\npytest\nEOF", "[main 1234567] x"),
        failed("git commit -m x", "Exit code 1\nnothing to commit, working tree clean"),
        failed("git commit -qm x", "Exit code 1"),
        succeeded("git commit -m x", "[WARN] hook [main] done\n[no sha-here] x"),
    ] {
        check(payload, expect![""]);
    }
}

#[test]
fn pull_requests() {
    check(
        succeeded(
            "gh pr create --title 'Log in by email' --body \"$(cat <<'EOF'\nbody\nEOF\n)\" --base main",
            "\nCreating pull request for topic into main in shop/shop\n\nhttps://github.com/shop/shop/pull/456\n",
        ),
        expect![[
            r#"PRCreated {"pr_number":456,"pr_url":"https://github.com/shop/shop/pull/456","pr_title":"Log in by email","base_branch":"main","head_branch":"topic","draft":false,"confidence":1.0}"#
        ]],
    );
    check(
        succeeded("gh pr merge 456 --squash --delete-branch", ""),
        expect![[r#"PRMerged {"pr_number":456,"merge_method":"squash","confidence":0.9}"#]],
    );
    check(
        succeeded("gh pr merge -m", "✓ Merged pull request shop/shop#12 (x)"),
        expect![[r#"PRMerged {"pr_number":12,"merge_method":"merge","confidence":0.9}"#]],
    );
    check(
        succeeded("gh pr close https://github.com/shop/shop/pull/7 -c 'superseded by #8'", ""),
        expect![[r#"PRClosed {"pr_number":7,"close_reason":"superseded by #8","confidence":0.9}"#]],
    );
    for payload in [
        succeeded("gh pr merge 456 --auto --squash", ""),
        succeeded("gh pr merge --squash", ""),
        succeeded("gh pr view 456", "https://github.com/shop/shop/pull/456"),
        failed("gh pr merge 456", "Exit code 1\nnot mergeable"),
        failed(
            "gh pr create -f",
            "Exit code 1\na pull request for branch \"topic\" already exists:\nhttps://github.com/shop/shop/pull/456",
        ),
    ] {
        check(payload, expect![""]);
    }
}

#[test]
fn runs_of_tests() {
    check(
        call("PreToolUse", "cd api && python -m pytest tests/integration -q | tail -5"),
        expect![[r#"TestRunStarted {"test_suite":"integration","test_runner":"pytest","confidence":0.9}"#]],
    );
    check(
        failed("pytest tests/test_voucher.py", "Exit code 1\n1 failed, 7 passed in 2.04s"),
        expect![[
            r#"TestRunFailed {"test_suite":"tests/test_voucher.py","test_runner":"pytest","total_tests":8,"passed":7,"failed":1,"duration_seconds":2.04,"failure_reason":"1 test failed","confidence":1.0}"#
        ]],
    );
    // A pipe hides the status; the summary does not.
    check(
        succeeded("pytest 2>&1 | tail -3", "=== 2 failed, 48 passed in 3.21s ==="),
        expect![[
            r#"TestRunFailed {"test_suite":"all","test_runner":"pytest","total_tests":50,"passed":48,"failed":2,"duration_seconds":3.21,"failure_reason":"2 tests failed","confidence":1.0}"#
        ]],
    );
    check(
        succeeded("npm run test:unit", "Tests:       8 passed, 8 total\nTime:        1.2 s"),
        expect![[
            r#"TestRunCompleted {"test_suite":"unit","test_runner":"jest","total_tests":8,"passed":8,"failed":0,"duration_seconds":1.2,"confidence":1.0}"#
        ]],
    );
    check(
        succeeded(
            "cargo test -p shop && cargo test -p api",
            "test result: ok. 5 passed; 0 failed; 0 ignored; finished in 0.01s\ntest result: ok. 3 passed; 0 failed; 0 ignored; finished in 0.02s",
        ),
        expect![[
            r#"TestRunCompleted {"test_suite":"shop","test_runner":"cargo","total_tests":8,"passed":8,"failed":0,"skipped":0,"duration_seconds":0.03,"confidence":1.0}"#
        ]],
    );
    check(
        failed("make test", "Exit code 2\nmake: *** [test] Error 1"),
        expect![[
            r#"TestRunFailed {"test_suite":"all","test_runner":"make","duration_seconds":2.5,"failure_reason":"the command ended with exit status 2","confidence":0.6}"#
        ]],
    );
    check(
        failed("npm run build && go test ./...", "Exit code 1\nbuild failed"),
        expect![[
            r#"TestRunFailed {"test_suite":"./...","test_runner":"go","failure_reason":"the command ended with exit status 1; which of its commands failed is not known","confidence":0.3}"#
        ]],
    );
    check(
        failed("npx vitest run", "Command timed out after 2m 0s"),
        expect![[
            r#"TestRunFailed {"test_suite":"all","test_runner":"vitest","duration_seconds":2.5,"failure_reason":"the command was interrupted","confidence":0.6}"#
        ]],
    );
}

#[test]
fn what_runs_no_tests_gives_none() {
    let mut background = succeeded("npm test", "");
    background["tool_input"]["run_in_background"] = true.into();
    for payload in [
        call("PreToolUse", "pytest --collect-only"),
        call("PreToolUse", "cargo test --no-run && which jest && command -v vitest"),
        call("PreToolUse", "pip install pytest && npm install && grep -rn 'cargo test' ."),
        call("PreToolUse", "python3 -c \"print('1 failed, 3 passed')\""),
        background,
        json!({"session_id": "s", "hook_event_name": "PreToolUse", "tool_name": "Read", "tool_input": {"command": "pytest"}}),
        json!({"session_id": "s", "hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_input": {"command": 7}}),
    ] {
        check(payload, expect![""]);
    }
}

#[test]
fn checks_of_quality() {
    check(
        call("PreToolUse", "npx eslint . && npx tsc --noEmit && cargo fmt && prettier --write ."),
        expect![[r#"
            QualityCheckStarted {"check_type":"lint","check_tool":"eslint","confidence":0.9}
            QualityCheckStarted {"check_type":"type_check","check_tool":"tsc","confidence":0.9}"#]],
    );
    check(
        failed("ruff check .", "Exit code 1\na.py:1:8: F401 unused\nFound 3 errors."),
        expect![[
            r#"QualityCheckFailed {"check_type":"lint","check_tool":"ruff check","issues_found":3,"passed_quality_gate":false,"duration_seconds":2.5,"failure_reason":"3 issues found","confidence":1.0}"#
        ]],
    );
    check(
        succeeded("cargo clippy --all-targets", "warning: `x` (lib) generated 2 warnings"),
        expect![[
            r#"QualityCheckCompleted {"check_type":"lint","check_tool":"cargo clippy","issues_found":2,"passed_quality_gate":true,"duration_seconds":2.5,"confidence":1.0}"#
        ]],
    );
    check(
        succeeded("npm run lint", ""),
        expect![[
            r#"QualityCheckCompleted {"check_type":"lint","check_tool":"lint","passed_quality_gate":true,"duration_seconds":2.5,"confidence":0.6}"#
        ]],
    );
}

#[test]
fn they_stand_beside_the_hook_with_it_as_their_cause() {
    let mut payload = failed("pytest", "Exit code 1\n1 failed in 1s");
    payload["agent_id"] = "agent-7".into();
    payload["prompt_id"] = "turn-1".into();
    let events = parse(Agent::ClaudeCode, &payload, Some(SHA));
    let names = [
        "source",
        "subject",
        "sessionid",
        "time",
        "causationid",
        "correlationid",
        "actorid",
        "gitsha",
        "branch",
        "severity",
        "traceparent",
    ];
    expect!["/derived/claude-code/shop session/s-1 s-1 2026-01-01T00:00:00Z hook-1 turn-1 agent-7 9fceb02d0ae598e95dc970b74767f19372d61af8 topic error 00-ac4305b79d1241b7591057da674dca44-3f27f930d3e2eb2d-01"].assert_eq(&table(&events, &names));
}

#[test]
fn the_same_call_gives_the_same_events_once() {
    let ids = |payload: &Value| -> Vec<String> {
        parse(Agent::ClaudeCode, payload, None).iter().map(|event| event.id().to_owned()).collect()
    };
    let payload = succeeded("pytest && ruff check . && git commit -m x", "5 passed in 1s\n[main 1234567] x");
    let first = ids(&payload);
    assert_eq!((first.len(), &first), (3, &ids(&payload)));
    let mut other = payload.clone();
    other["tool_use_id"] = "toolu_2".into();
    assert!(ids(&other).iter().all(|id| !first.contains(id)));
}

#[test]
fn codex_tells_no_status() {
    let mut payload = call("PostToolUse", "pytest -q");
    payload["tool_response"] = "8 passed in 2.04s\n".into();
    let events = parse(Agent::Codex, &payload, None);
    expect![[r#"TestRunCompleted /derived/codex/shop {"test_suite":"all","test_runner":"pytest","total_tests":8,"passed":8,"failed":0,"duration_seconds":2.04,"confidence":1.0,"derived_from":"toolu_1"}"#]]
        .assert_eq(&table(&events, &["type", "source", "data"]));
    payload["tool_name"] = "shell".into();
    payload["tool_input"] = json!({"command": ["bash", "-lc", "cd x && ruff check ."]});
    payload["tool_response"] = "".into();
    let events = parse(Agent::Codex, &payload, None);
    expect![[r#"QualityCheckCompleted {"check_type":"lint","check_tool":"ruff check","passed_quality_gate":true,"confidence":0.3,"derived_from":"toolu_1"}"#]]
        .assert_eq(&table(&events, &["type", "data"]));
}

#[test]
fn nothing_follows_where_it_is_switched_off() {
    let redactor = Redactor::builtin();
    let door = Door { derives: false, ..Door::new(&redactor) };
    let payload = call("PreToolUse", "pytest").to_string();
    assert_eq!(hook::parse(&input(Agent::ClaudeCode, payload.as_bytes()), &door).len(), 1);
}

#[test]
fn git_s_own_hooks_tell_of_a_commit() {
    let payload = |branch: &str| {
        json!({
            "hook_event_name": "post-commit", "cwd": "/home/dev/shop", "commit_sha": SHA, "commit_message": "x",
            "files_changed": 1, "insertions": 2, "deletions": 0, "changed_files": ["a"], "branch": branch,
            "author_name": "Maria", "author_email": "maria@shop.example"
        })
        .to_string()
    };
    let redactor = Redactor::builtin();
    let parse = |payload: &str| hook::parse(&input(Agent::Git, payload.as_bytes()), &Door::new(&redactor));
    let names = ["type", "source", "subject", "id", "actortype", "actorid", "gitsha", "branch"];
    let on_issue = parse(&payload("feature/PROJ-123-x"));
    expect!["CommitCreated /git/shop issue/PROJ-123 b0958d747bf51b0b7f22e24b6711ba97 user maria@shop.example 9fceb02d0ae598e95dc970b74767f19372d61af8 feature/PROJ-123-x"].assert_eq(&table(&on_issue, &names));
    expect![[r#"source/git/shop b0958d747bf51b0b7f22e24b6711ba97 {"commit_sha":"9fceb02d0ae598e95dc970b74767f19372d61af8","commit_message":"x","files_changed":1,"insertions":2,"deletions":0,"changed_files":["a"],"branch":"main","author_name":"Maria","author_email":"maria@shop.example","confidence":1.0,"derived_from":"post-commit"}"#]].assert_eq(&table(&parse(&payload("main")), &["subject", "id", "data"]));
    assert_eq!(
        parse(r#"{"hook_event_name":"post-commit","commit_sha":"nope"}"#)[0].kind(),
        "tacho.hook_unreadable"
    );
    assert_eq!(parse(r#"{"hook_event_name":"pre-push"}"#)[0].kind(), "tacho.hook_unreadable");
    assert_eq!(told(&on_issue[0])["time"], NOW.to_rfc3339());
}

proptest! {
    #[test]
    fn any_command_and_any_output(command in "\\PC{0,60}", pieces in prop::collection::vec(prop::sample::select(vec![
        "git commit", "pytest", "npm test", "gh pr create", "eslint", "cargo clippy", " && ", " | ", "; ", "\n", "'", "\"",
        "$(", ")", "<<E", "\\", "`", "(", "#", ">", "-m ", "--prefix", "=", "sh -c ", "env ", "timeout ", "python -m ",
    ]), 0..20), output in prop::collection::vec(prop::sample::select(vec![
        "[main 1234567] ", " files changed", "99999999999999999999", "18446744073709551615", " passed", " failed", "\n", "\t",
        "test result: ", "Tests: ", "Tests run: ", "ok", "FAIL", "/pull/", "https://", "#", "1.5", "s", "é", "\u{1b}[", ":1:2:",
        "Total: ", "Failed: ", "Ran ", " tests in ", "% tests passed, ", "Summary [", "]", "Found ", "problems", "e9", "-",
    ]), 0..30)) {
        let command = format!("{}{command}", pieces.concat());
        for payload in [call("PreToolUse", &command), succeeded(&command, &output.concat()), failed(&command, &output.concat())] {
            for event in parse(Agent::ClaudeCode, &payload, Some(SHA)) {
                let data = told(&event)["data"].clone();
                prop_assert!(data["confidence"].as_f64().is_some_and(|sure| (0.0..=1.0).contains(&sure)));
            }
        }
    }
}
