//! The captured payloads of real agents.

use crate::support::{NOW, fixtures, hook, input, table, told};
use expect_test::{expect, expect_file};
use serde_json::Value;
use tacho_event::TraceContext;
use tacho_event::trace::derived_trace_id;
use tacho_ingest::hook::{Agent, HookInput};
use tacho_ingest::{Door, Limits, Redactor, hook as door};

#[test]
fn every_captured_payload() {
    let mut rows = Vec::new();
    for (folder, agent) in [("claude-code/hooks", Agent::ClaudeCode), ("codex", Agent::Codex)] {
        for path in fixtures(folder) {
            let payload = std::fs::read(&path).unwrap();
            assert_eq!(Agent::of_payload(&minified(&payload)), agent, "{path:?}");
            let events = hook(agent, &payload);
            assert_eq!(events.len(), 1, "{path:?}");
            let event = told(&events[0]);
            let sent: Value = serde_json::from_slice(&payload).unwrap();
            assert_eq!(event["data"], sent);
            assert_eq!(
                event["type"].as_str().unwrap().split_once('.').unwrap().1.replace('_', ""),
                sent["hook_event_name"].as_str().unwrap().to_lowercase()
            );
            assert_eq!(event["subject"], format!("session/{}", sent["session_id"].as_str().unwrap()));
            rows.push(table(
                &events,
                &["type", "source", "actortype", "actorid", "actormodel", "correlationid"],
            ));
        }
    }
    expect_file!["hooks.txt"].assert_eq(&(rows.join("\n") + "\n"));
}

#[test]
fn whole_sessions_are_one_trace_each() {
    for path in fixtures("claude-code/sessions") {
        let text = std::fs::read_to_string(&path).unwrap();
        for line in text.lines() {
            let payload: Value = serde_json::from_str::<Value>(line).unwrap()["payload"].clone();
            let events = hook(Agent::ClaudeCode, payload.to_string().as_bytes());
            let event = told(&events[0]);
            let session = payload["session_id"].as_str().unwrap();
            let context = TraceContext::parse(event["traceparent"].as_str().unwrap()).unwrap();
            assert_eq!(
                (context.trace_id, event["sessionid"].as_str()),
                (derived_trace_id(session), Some(session))
            );
            let part = ["agent_id", "tool_use_id"]
                .iter()
                .find_map(|name| payload[*name].as_str())
                .unwrap_or("hook-1");
            assert_eq!(context, TraceContext::derived(session, part));
            let expected = match (payload["agent_id"].as_str(), payload["prompt"].as_str()) {
                (Some(agent), _) => ("agent", agent),
                (None, Some(prompt)) if prompt.starts_with("<task-notification>") => {
                    ("system", "claude-code")
                }
                (None, Some(_)) => ("user", "user"),
                (None, None) => ("agent", "claude-code"),
            };
            assert_eq!((event["actortype"].as_str().unwrap(), event["actorid"].as_str().unwrap()), expected);
        }
    }
}

#[test]
fn what_the_hook_process_knows() {
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let payload = br#"{"session_id":"s","hook_event_name":"BrandNewEvent","cwd":"/home/dev/demo"}"#;
    let input = HookInput {
        git_sha: Some("abc123"),
        branch: Some("feature/x"),
        traceparent: Some(parent),
        ..input(Agent::ClaudeCode, payload)
    };
    let redactor = Redactor::builtin();
    let events = door::parse(&input, &Door::new(&redactor));
    let names = ["type", "id", "time", "gitsha", "branch", "origintraceparent"];
    expect!["claude.brand_new_event hook-1 2026-01-01T00:00:00Z abc123 feature/x 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"]
        .assert_eq(&table(&events, &names));
    let later = door::parse(
        &HookInput { time: tacho_event::Timestamp(NOW.0 + 1), git_sha: None, ..input },
        &Door::new(&redactor),
    );
    assert_eq!(later[0].sameness(), events[0].sameness(), "the payload alone says whether it is the same");
}

#[test]
fn unreadable_input_is_kept() {
    let check = |payload: &[u8]| {
        let events = hook(Agent::ClaudeCode, payload);
        assert_eq!(events.len(), 1);
        table(&events, &["type", "source", "subject", "id", "data"])
    };
    let key = format!("AKIA{}", "IOSFODNN7EXAMPLE");
    let told = [
        check(b"this is not json {"),
        check(b"[1]"),
        check(b"{\"session_id\":\"s\"}"),
        check(b"{\"session_id\":\"a\\u0007\",\"hook_event_name\":\"Stop\"}"),
        check(b"\xff\xfe"),
        check(format!("broken {{ {key} password=hunter22").as_bytes()),
        check(b""),
    ]
    .join("\n");
    expect![[r#"
        tacho.hook_unreadable /claude-code system/hook hook-1 {"agent":"claude-code","bytes":18,"reason":"unexpected 't' at byte 0","text":"this is not json {"}
        tacho.hook_unreadable /claude-code system/hook hook-1 {"agent":"claude-code","bytes":3,"reason":"the input is no JSON object","text":"[1]"}
        tacho.hook_unreadable /claude-code system/hook hook-1 {"agent":"claude-code","bytes":18,"reason":"`hook_event_name` is missing or no string","text":"{\"session_id\":\"s\"}"}
        tacho.hook_unreadable /claude-code system/hook hook-1 {"agent":"claude-code","bytes":49,"reason":"`subject` contains a control character","text":"{\"session_id\":\"a\\u0007\",\"hook_event_name\":\"Stop\"}"}
        tacho.hook_unreadable /claude-code system/hook hook-1 {"agent":"claude-code","bytes":2,"reason":"not UTF-8 at byte 0","base64":"//4="}
        tacho.hook_unreadable /claude-code system/hook hook-1 {"agent":"claude-code","bytes":47,"reason":"unexpected 'b' at byte 0","text":"broken { [redacted:aws_key_id] password=[redacted:password]"}
        tacho.hook_unreadable /claude-code system/hook hook-1 {"agent":"claude-code","bytes":0,"reason":"the text ends at byte 0, in the middle of a value","text":""}"#]].assert_eq(&told);
    let large = hook(Agent::Codex, &vec![b'x'; 300_000]);
    assert!(large[0].bytes().len() < 70_000);
}

#[test]
fn a_payload_over_the_limit_is_cut() {
    let payload = format!(
        r#"{{"session_id":"s","hook_event_name":"PostToolUse","tool_name":"Bash","tool_use_id":"t","tool_response":{{"stdout":"{} <EVENT>{{\"name\":\"a.b\"}}</EVENT>"}}}}"#,
        "x".repeat(5000)
    );
    let redactor = Redactor::builtin();
    let door = Door { limits: Limits { event_bytes: 2000, ..Limits::default() }, ..Door::new(&redactor) };
    let events = door::parse(&input(Agent::ClaudeCode, payload.as_bytes()), &door);
    assert!(events.iter().all(|event| event.bytes().len() <= 2000));
    assert_eq!(told(&events[0])["data"]["tool_response"]["stdout"]["truncated_bytes"], 5030);
    assert_eq!(events[1].kind(), "a.b", "markers are read before the cut");
    let wide = format!(r#"{{"session_id":"s","hook_event_name":"Stop","list":[{}0]}}"#, "1,".repeat(5000));
    let events = door::parse(&input(Agent::ClaudeCode, wide.as_bytes()), &door);
    assert_eq!(told(&events[0])["data"]["truncated_bytes"], wide.len());
}

fn minified(payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    tacho_event::json::minify(payload, 100, &mut out).unwrap();
    out
}
