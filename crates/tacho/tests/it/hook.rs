//! The hook never fails, never speaks, and loses nothing.

use crate::place::{Answer, Place};
use crate::server::{Server, documents, eventually};
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

const PAYLOAD: &str = r#"{"session_id":"s-1","transcript_path":"/x","cwd":"/nowhere","hook_event_name":"Stop","stop_hook_active":false}"#;

/// Runs a hook with this standard input; it must be silent and exit with 0.
#[track_caller]
fn silent(mut command: Command, input: &[u8]) {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A hook that reads no input is as good as one that does.
    let _ = child.stdin.take().unwrap().write_all(input);
    let answer = Answer::of(child.wait_with_output().unwrap());
    assert_eq!((answer.code, answer.stdout.as_str(), answer.stderr.as_str()), (Some(0), "", ""));
}

#[test]
fn whatever_comes_it_is_silent_and_exits_with_0() {
    let place = Place::new();
    for input in
        [&b""[..], b"this is not json {", b"{nope}", b"7", b"\xff\xfe", &[b'['; 5000], PAYLOAD.as_bytes()]
    {
        silent(place.tacho(&["hook"]), input);
        silent(place.tacho(&["hook", "codex"]), input);
    }
    silent(place.tacho(&["hook", "--no-such-flag", "no such agent", "--data"]), PAYLOAD.as_bytes());
    silent(place.tacho(&["hook", "--data", "/dev/null/impossible"]), PAYLOAD.as_bytes());
    let file = place.write("file", "");
    silent(place.tacho(&["hook", "--data", file.to_str().unwrap()]), PAYLOAD.as_bytes());
}

#[test]
fn a_folder_that_cannot_be_written_is_no_failure() {
    let place = Place::new();
    let folder = place.path("data");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o500)).unwrap();
    silent(place.tacho(&["hook"]), PAYLOAD.as_bytes());
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn what_came_while_the_server_was_away_is_on_the_log_once_in_order() {
    let place = Place::new();
    for name in ["SessionStart", "UserPromptSubmit", "Stop"] {
        silent(place.tacho(&["hook"]), PAYLOAD.replace("\"Stop\"", &format!("\"{name}\"")).as_bytes());
    }
    silent(place.tacho(&["hook"]), b"this is not json {");
    assert_eq!(fs::read_to_string(place.path("data/.gitignore")).unwrap(), "*\n");
    let server = Server::start(&place);
    eventually("the spool is drained", || server.json(&["events", "--json"]).len() >= 4);
    let kinds: Vec<_> =
        server.json(&["events", "--json"]).iter().map(|event| event["type"].clone()).collect();
    assert_eq!(
        kinds,
        ["claude.session_start", "claude.user_prompt_submit", "claude.stop", "tacho.hook_unreadable"]
    );
}

#[test]
fn it_is_acknowledged_by_a_server_and_carries_commit_and_branch() {
    let place = Place::new();
    let server = Server::start(&place);
    let sha = "0123456789abcdef0123456789abcdef01234567";
    place.write("project/.git/HEAD", "ref: refs/heads/topic\n");
    place.write("project/.git/refs/heads/topic", &format!("{sha}\n"));
    let payload = PAYLOAD.replace("/nowhere", place.path("project/src").to_str().unwrap());
    let mut hook = place.tacho(&["hook", "claude-code"]);
    hook.env("TACHO_HOOK_DEBUG", "1").stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut child = hook.spawn().unwrap();
    child.stdin.take().unwrap().write_all(payload.as_bytes()).unwrap();
    let answer = Answer::of(child.wait_with_output().unwrap()).ok();
    assert!(answer.stderr.contains("acknowledged") || answer.stderr.contains("spooled"), "{}", answer.stderr);
    eventually("the hook is on the log", || {
        !server.json(&["events", "--session", "s-1", "--json"]).is_empty()
    });
    let event = server.json(&["events", "--session", "s-1", "--json"]).remove(0);
    assert_eq!((&event["gitsha"], &event["branch"]), (&sha.into(), &"topic".into()), "{event}");
    assert_eq!(event["actorid"], "claude-code");
}

#[test]
fn secrets_and_the_environment_never_reach_the_disk() {
    let place = Place::new();
    let (secret, custom) = ("AKIAIOSFODNN7EXAMPLE", "internal-4711");
    let config =
        place.write("tacho.toml", "[[redact.rule]]\nname = \"internal\"\npattern = \"internal-[0-9]+\"\n");
    let server = Server::start_with(&place, &["--config", config.to_str().unwrap()]);
    server.stop(rustix::process::Signal::TERM);
    let payload = PAYLOAD.replace("/nowhere", &format!("/{secret}/{custom}"));
    let mut hook = place.tacho(&["hook"]);
    hook.env("CLAUDE_CODE_MESSAGING_TOKEN", "of-the-environment");
    silent(hook, payload.as_bytes());
    let spooled = files_below(&place.path("data/spool"));
    let holds = |text: &str| spooled.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds("hook_event_name") && !holds(secret) && !holds(custom) && !holds("of-the-environment"));
}

fn files_below(folder: &std::path::Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        bytes.extend(fs::read(entry.unwrap().path()).unwrap_or_default());
    }
    bytes
}

#[test]
fn the_project_of_the_agent_is_the_default_place() {
    let place = Place::new();
    let mut hook = place.tacho(&["hook"]);
    hook.env_remove("TACHO_DATA").env("CLAUDE_PROJECT_DIR", place.path("elsewhere"));
    silent(hook, PAYLOAD.as_bytes());
    assert!(place.path("elsewhere/.tacho/spool").is_dir());
    let told = place.run(&["hook", "--help"]).ok().stdout;
    assert!(told.contains("TACHO_HOOK_DEBUG=1") && documents("").is_empty(), "{told}");
}

#[test]
fn what_a_command_did_stands_beside_its_hook_unless_it_is_switched_off() {
    let call = r#"{"session_id":"s-1","cwd":"/nowhere","hook_event_name":"PostToolUse","tool_name":"Bash","tool_use_id":"toolu_1","tool_input":{"command":"pytest -q && git commit -m x"},"tool_response":{"stdout":"8 passed in 2.04s\n[main 1234567] x\n 1 file changed, 1 insertion(+)","stderr":"","interrupted":false}}"#;
    let place = Place::new();
    let server = Server::start(&place);
    for _ in 0..2 {
        silent(server.tacho(&["hook"]), call.as_bytes());
    }
    let told = || server.json(&["events", "--session", "s-1", "--json"]);
    let hooks =
        || told().into_iter().filter(|event| event["type"] == "claude.post_tool_use").collect::<Vec<_>>();
    eventually("both hooks are on the log", || hooks().len() == 2);
    let derived: Vec<_> =
        told().into_iter().filter(|event| event["source"] == "/derived/claude-code/nowhere").collect();
    let kinds: Vec<_> = derived.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["CommitCreated", "TestRunCompleted"], "the call is the same one");
    for event in &derived {
        assert_eq!((&event["causationid"], &event["subject"]), (&hooks()[0]["id"], &"session/s-1".into()));
        assert_eq!(
            (&event["data"]["confidence"], &event["data"]["derived_from"]),
            (&1.0.into(), &"toolu_1".into())
        );
    }
    let figures = server.json(&["stats", "--json"]).remove(0);
    assert_eq!(figures["validation_pass_rate"], serde_json::Value::Null, "{figures}");
    server.stop(rustix::process::Signal::TERM);

    let place = Place::new();
    let config = place.write("tacho.toml", "[derive]\nenabled = false\n");
    let server = Server::start_with(&place, &["--config", config.to_str().unwrap()]);
    silent(server.tacho(&["hook"]), call.as_bytes());
    let told = || server.json(&["events", "--session", "s-1", "--json"]);
    eventually("the hook is on the log", || !told().is_empty());
    assert_eq!(told().len(), 1);
}
