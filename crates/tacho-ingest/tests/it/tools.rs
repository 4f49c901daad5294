//! Calls of tool servers' tools: what follows from a hook that tells of one, and what the proxy tells.

use crate::support::{fixtures, input, table, told};
use expect_test::{Expect, expect};
use serde_json::{Value, json};
use tacho_event::Event;
use tacho_event::schema::Registry;
use tacho_ingest::hook::{self, Agent};
use tacho_ingest::{Door, Limits, Redactor};

fn parse(agent: Agent, payload: &Value) -> Vec<Event> {
    let redactor = Redactor::builtin();
    hook::parse(&input(agent, payload.to_string().as_bytes()), &Door::new(&redactor))
}

/// A captured payload whose tool is a tool server's.
fn captured(folder: &str, name: &str, tool: &str, more: Value) -> Value {
    let path = fixtures(folder).into_iter().find(|path| path.to_string_lossy().ends_with(name)).unwrap();
    let mut payload: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let object = payload.as_object_mut().unwrap();
    for (name, value) in [("tool_name", json!(tool)), ("tool_use_id", json!("toolu_1"))] {
        object.insert(name.to_owned(), value);
    }
    object.extend(more.as_object().unwrap().clone());
    payload
}

/// Type and payload of what follows from a hook; it fits the catalogue.
fn check(payload: &Value, expected: Expect) {
    let events = parse(Agent::ClaudeCode, payload);
    for event in &events {
        let data = tacho_event::json::member(event.body(), "data");
        Registry::with_catalogue().validate(event.kind(), None, data).unwrap();
    }
    expected.assert_eq(&table(&events[1..], &["type", "data"]));
}

#[test]
fn a_call_of_a_tool_server_follows_from_its_hook() {
    let input = json!({"query": "brick house", "context_id": "c-7"});
    let completed =
        |tool: &str, more: Value| captured("claude-code/hooks", "__PostToolUse__Bash.json", tool, more);
    check(
        &completed(
            "mcp__search__find_pages",
            json!({"tool_input": input, "tool_response": [{"type": "text", "text": "two floors"}], "prompt_id": "turn-1", "duration_ms": 12}),
        ),
        expect![[
            r#"tool.find_pages.completed {"tool":"find_pages","arguments":{"query":"brick house","context_id":"c-7"},"result":[{"type":"text","text":"two floors"}],"serverId":"search","duration_ms":12,"context_id":"c-7","correlationId":"turn-1","confidence":1.0,"derived_from":"toolu_1"}"#
        ]],
    );
    check(
        &completed(
            "mcp__a__b__c",
            json!({"tool_input": {}, "tool_response": {"content": [{"type": "text", "text": "no such page"}], "isError": true}, "prompt_id": "turn-1", "duration_ms": 12}),
        ),
        expect![[
            r#"tool.b__c.failed {"tool":"b__c","arguments":{},"result":{"content":[{"type":"text","text":"no such page"}],"isError":true},"error":{"message":"no such page"},"serverId":"a","duration_ms":12,"correlationId":"turn-1","confidence":1.0,"derived_from":"toolu_1"}"#
        ]],
    );
    check(
        &captured(
            "claude-code/hooks",
            "__PostToolUseFailure__Bash.json",
            "mcp__search__find pages\u{e9}",
            json!({"tool_input": input, "error": "the server is away", "prompt_id": "turn-1", "duration_ms": 12}),
        ),
        expect![[
            r#"tool.find_pages_.failed {"tool":"find pagesé","arguments":{"query":"brick house","context_id":"c-7"},"error":{"message":"the server is away"},"serverId":"search","duration_ms":12,"context_id":"c-7","correlationId":"turn-1","confidence":1.0,"derived_from":"toolu_1"}"#
        ]],
    );
}

#[test]
fn it_stands_beside_the_hook_with_it_as_its_cause() {
    let more = json!({"tool_input": {"conversationId": "c-7"}, "tool_response": "ok", "session_id": "s-1", "cwd": "/home/dev/shop",
        "transcript_path": "", "prompt_id": "turn-1"});
    let names =
        ["id", "source", "subject", "causationid", "correlationid", "contextid", "severity", "actorid"];
    for agent in [Agent::ClaudeCode, Agent::Codex] {
        let payload = captured("codex", "__PostToolUse__Bash.json", "mcp__search__find", more.clone());
        let events = parse(agent, &payload);
        let ids = |events: &[Event]| events.iter().map(|event| event.id().to_owned()).collect::<Vec<_>>();
        assert_eq!((events.len(), ids(&events)), (2, ids(&parse(agent, &payload))));
        let expected = match agent {
            Agent::ClaudeCode => expect![
                "842a98dfaacc02b40c856622f36d02df /derived/claude-code/shop session/s-1 hook-1 turn-1 c-7 info claude-code"
            ],
            _ => expect![
                "842a98dfaacc02b40c856622f36d02df /derived/codex/shop session/s-1 hook-1 turn-1 c-7 info codex"
            ],
        };
        expected.assert_eq(&table(&events[1..], &names));
    }
}

#[test]
fn other_tools_and_other_hooks_give_none() {
    for tool in ["Read", "mcp__", "mcp__x", "mcp__x__", "mcp____x", "xmcp__a__b"] {
        let payload = captured("claude-code/hooks", "__PostToolUse__Bash.json", tool, json!({}));
        assert_eq!(parse(Agent::ClaudeCode, &payload).len(), 1, "{tool}");
    }
    let before = json!({"hook_event_name": "PreToolUse"});
    let payload = captured("claude-code/hooks", "__PostToolUse__Bash.json", "mcp__a__b", before);
    assert_eq!(parse(Agent::ClaudeCode, &payload).len(), 1);
}

#[test]
fn secrets_are_taken_out_and_a_large_result_is_cut() {
    let text = format!("AKIAIOSFODNN7EXAMPLE {}", "x".repeat(50_000));
    let response = json!({"tool_input": {"token": "hunter2hunter2"}, "tool_response": text});
    let payload = captured("claude-code/hooks", "__PostToolUse__Bash.json", "mcp__a__b", response);
    let redactor = Redactor::builtin();
    let limits = Limits { event_bytes: 8 << 10, ..Limits::default() };
    let door = Door { limits, ..Door::new(&redactor) };
    let bytes = payload.to_string();
    let events = hook::parse(&input(Agent::ClaudeCode, bytes.as_bytes()), &door);
    let event = told(&events[1]);
    assert_eq!(event["type"], "tool.b.completed");
    assert!(event["data"]["result"]["truncated_bytes"].as_u64() > Some(50_000), "{event}");
    let door = Door::new(&redactor);
    let events = hook::parse(&input(Agent::ClaudeCode, bytes.as_bytes()), &door);
    let event = told(&events[1]).to_string();
    assert!(!event.contains("AKIAIOSFODNN7EXAMPLE") && !event.contains("hunter2hunter2"));
}

#[test]
fn what_the_proxy_tells() {
    let call = json!({"hook_event_name": "ToolCall", "server_id": "com.example/search", "client": "claude-code",
        "context_id": "c-7", "correlation_id": "job-1", "session_id": "s-1", "tool_name": "find", "tool_input": {"q": 1},
        "tool_response": {"content": []}, "request_id": "r-1", "duration_ms": 1.5});
    let mut failed = call.clone();
    failed
        .as_object_mut()
        .unwrap()
        .retain(|name, _| !["context_id", "tool_response", "correlation_id"].contains(&name.as_str()));
    failed["error"] = json!({"code": -32602, "message": "unknown tool"});
    let ended =
        json!({"hook_event_name": "SessionEnded", "server_id": "x", "data": {"serverId": "x", "calls": 1}});
    let names = [
        "type",
        "source",
        "subject",
        "actorid",
        "contextid",
        "correlationid",
        "sessionid",
        "severity",
        "data",
    ];
    let told: Vec<String> = [call, failed, ended]
        .iter()
        .map(|payload| {
            let events = parse(Agent::Mcp, payload);
            for event in &events {
                let data = tacho_event::json::member(event.body(), "data");
                Registry::with_catalogue().validate(event.kind(), None, data).unwrap();
            }
            table(&events, &names)
        })
        .collect();
    expect![[r#"
        tool.find.completed /mcp/com.example/search context/c-7 claude-code c-7 job-1 s-1 info {"tool":"find","arguments":{"q":1},"result":{"content":[]},"serverId":"com.example/search","request_id":"r-1","duration_ms":1.5,"context_id":"c-7","correlationId":"job-1"}
        tool.find.failed /mcp/com.example/search session/s-1 claude-code - - s-1 error {"tool":"find","arguments":{"q":1},"error":{"code":-32602,"message":"unknown tool"},"serverId":"com.example/search","request_id":"r-1","duration_ms":1.5}
        mcp.session_ended /mcp/x source/mcp/x - - - - info {"serverId":"x","calls":1}"#]].assert_eq(&told.join("\n"));
    for odd in [
        json!({}),
        json!({"server_id": "x", "hook_event_name": "Later"}),
        json!({"server_id": "x", "hook_event_name": "ToolCall"}),
    ] {
        assert_eq!(parse(Agent::Mcp, &odd)[0].kind(), "tacho.hook_unreadable", "{odd}");
    }
}
