//! The HTTP hook, the hook socket, the spool.

use crate::client::PATIENCE;
use crate::server::{Server, Setup};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Instant;
use tacho_engine::HookFrame;
use tacho_engine::spool;
use tacho_event::Timestamp;
use tempfile::TempDir;

fn payload(hook: &str) -> Value {
    json!({"session_id": "s-1", "transcript_path": "/x", "cwd": "/home/dev/demo", "hook_event_name": hook, "tool_name": "Bash", "tool_input": {"command": "ls"}})
}

fn frame(id: &str, payload: &Value) -> Vec<u8> {
    let frame = HookFrame {
        id: id.to_owned(),
        time: Timestamp(1_800_000_000_000_000_000),
        agent: "claude-code".to_owned(),
        payload: payload.to_string().into_bytes(),
        ..HookFrame::default()
    };
    frame.encode()
}

/// The socket is bound behind the spool's drain, so a test waits for it as a hook would not.
fn connect(path: &Path) -> UnixStream {
    let begun = Instant::now();
    loop {
        match UnixStream::connect(path) {
            Ok(stream) => {
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                return stream;
            }
            Err(error) => assert!(begun.elapsed() < PATIENCE, "{error}"),
        }
        std::thread::yield_now();
    }
}

fn send(path: &Path, frame: &[u8]) -> Vec<u8> {
    let mut stream = connect(path);
    stream.write_all(frame).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    answer
}

#[test]
fn an_http_hook_is_answered_with_nothing() {
    let server = Server::start();
    let kind = [("Content-Type", "application/json")];
    let good = payload("PreToolUse").to_string();
    for body in [good.as_bytes(), b"this is not json {", b""] {
        let answer = server.request("POST", "/hooks/claude-code", &kind, body);
        assert_eq!((answer.status, answer.body.len()), (200, 0));
    }
    let types = server.types("/api/events?type=*&type=tacho.*");
    assert_eq!(types, ["claude.pre_tool_use", "tacho.hook_unreadable", "tacho.hook_unreadable"]);
}

#[test]
fn a_frame_is_acknowledged_when_it_is_durable() {
    let server = Server::start();
    assert_eq!(send(&server.socket(), &frame("h-1", &payload("PreToolUse"))), b"A");
    assert_eq!(send(&server.socket(), &frame("h-1", &payload("PreToolUse"))), b"A");
    assert_eq!(server.types("/api/events"), ["claude.pre_tool_use"]);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&server.socket()), mode(server.socket().parent().unwrap())), (0o600, 0o700));
}

#[test]
fn what_is_no_frame_is_refused() {
    let server = Server::start();
    assert_eq!(send(&server.socket(), &[0xFF; 4096]), b"R");
    assert_eq!(server.engine.head().0, 0);
    // An id that is taken by other content: read, and of no use again.
    assert_eq!(send(&server.socket(), &frame("h-1", &payload("PreToolUse"))), b"A");
    assert_eq!(send(&server.socket(), &frame("h-1", &payload("PostToolUse"))), b"R");
}

#[test]
fn the_spool_comes_before_later_hooks() {
    let folder = TempDir::new().unwrap();
    let hooks = ["SessionStart", "UserPromptSubmit", "PreToolUse"];
    for (index, hook) in hooks.iter().enumerate() {
        let bytes = frame(&format!("spooled-{index}"), &payload(hook));
        spool::append(folder.path(), &bytes, spool::DEFAULT_SPOOL_BYTES).unwrap();
    }
    let setup = Setup { engine: Some(|config| config.hook.spool_poll_ms = 3_600_000), server: None };
    let server = Server::start_with(setup, folder);
    assert_eq!(send(&server.socket(), &frame("live-1", &payload("PostToolUse"))), b"A");
    // A hook that spooled while the server was up, and one behind it that reached the socket.
    let late = frame("spooled-late", &payload("Notification"));
    spool::append(server.data(), &late, spool::DEFAULT_SPOOL_BYTES).unwrap();
    assert_eq!(send(&server.socket(), &frame("live-2", &payload("Stop"))), b"A");
    assert_eq!(
        server.types("/api/events"),
        [
            "claude.session_start",
            "claude.user_prompt_submit",
            "claude.pre_tool_use",
            "claude.post_tool_use",
            "claude.notification",
            "claude.stop"
        ]
    );
}

#[test]
fn the_spool_is_watched() {
    let server = Server::start();
    let mut events = server.events("/api/events/stream");
    events.until("caught_up");
    spool::append(server.data(), &frame("s", &payload("Stop")), spool::DEFAULT_SPOOL_BYTES).unwrap();
    assert_eq!(events.next().unwrap().json()["type"], json!("claude.stop"));
}

#[test]
fn what_a_full_spool_dropped_is_told() {
    let folder = TempDir::new().unwrap();
    let bytes = frame("kept", &payload("Stop"));
    spool::append(folder.path(), &bytes, bytes.len() as u64 + 64).unwrap();
    for n in 0..3 {
        let more = frame(&format!("dropped-{n}"), &payload("Stop"));
        assert_eq!(spool::append(folder.path(), &more, 10).unwrap(), spool::Stored::Dropped);
    }
    let server = Server::start_with(Setup::default(), folder);
    let mut events = server.events("/api/events/stream?from=start&type=tacho.spool_overflow");
    let told = events.until("event").json();
    assert_eq!((&told["data"]["dropped"], &told["subject"]), (&json!(3), &json!("system/spool")));
}

#[test]
fn the_transcript_of_a_subagent_is_read_for_markers() {
    let server = Server::start();
    let projects = server.data().join("home/.claude/projects/demo");
    std::fs::create_dir_all(&projects).unwrap();
    let transcript = projects.join("agent-a1.jsonl");
    let text = "said <EVENT>{\"name\":\"urlCacher.urlCached\",\"attributes\":{\"file_path\":\"x\"}}</EVENT>";
    let line = json!({"type": "assistant", "uuid": "u1", "timestamp": "2026-01-01T00:00:00.000Z", "sessionId": "s-1", "agentId": "a1", "message": {"id": "m1", "role": "assistant", "content": [{"type": "text", "text": text}]}});
    std::fs::write(&transcript, format!("{line}\n")).unwrap();
    let mut events = server.events("/api/events/stream?type=urlCacher.*");
    events.until("caught_up");
    let stop = json!({"session_id": "s-1", "cwd": "/x", "hook_event_name": "SubagentStop", "agent_id": "a1", "agent_type": "url-cacher", "agent_transcript_path": transcript});
    assert_eq!(send(&server.socket(), &frame("stop-1", &stop)), b"A");
    let marker = events.next().unwrap().json();
    assert_eq!((&marker["type"], &marker["causationid"]), (&json!("urlCacher.urlCached"), &json!("stop-1")));
}
