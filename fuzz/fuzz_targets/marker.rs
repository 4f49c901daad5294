#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::json;
use tacho_event::{Event, Timestamp};
use tacho_ingest::hook::{self, Agent, HookInput};
use tacho_ingest::{Door, Redactor, marker};

fuzz_target!(|text: &str| {
    let redactor = Redactor::builtin();
    let door = Door::new(&redactor);
    let send = |payload: serde_json::Value| {
        let payload = payload.to_string();
        let input = HookInput {
            agent: Agent::ClaudeCode,
            id: "fuzz",
            time: Timestamp(0),
            git_sha: None,
            branch: None,
            traceparent: None,
            payload: payload.as_bytes(),
        };
        hook::parse(&input, &door)
    };
    let keys = |events: &[Event]| -> Vec<String> {
        events.iter().skip(1).map(|event| format!("{} {}", event.source(), event.id())).collect()
    };
    let stop = send(
        json!({"session_id": "s", "hook_event_name": "SubagentStop", "agent_id": "a", "last_assistant_message": text}),
    );
    let result = send(
        json!({"session_id": "s", "hook_event_name": "PostToolUse", "tool_name": "Agent", "tool_use_id": "t",
        "tool_response": {"agentId": "a", "content": text}}),
    );
    assert_eq!(keys(&stop), keys(&result));
    marker::from_transcript(&stop[0], text.as_bytes(), &door);
});
