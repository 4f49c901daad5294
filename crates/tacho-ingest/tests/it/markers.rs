use crate::support::{NOW, hook, input, table, told};
use expect_test::expect;
use serde_json::{Value, json};
use tacho_event::{Event, TraceContext};
use tacho_ingest::hook::Agent;
use tacho_ingest::marker::{self, Policy};
use tacho_ingest::{Door, Redactor};

fn send(payload: Value) -> Vec<Event> {
    hook(Agent::ClaudeCode, payload.to_string().as_bytes())
}

fn payload(hook: &str, more: Value) -> Value {
    let mut payload =
        json!({"session_id": "s", "cwd": "/home/dev/demo", "prompt_id": "p", "hook_event_name": hook});
    payload.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    payload
}

fn bash(tool: &str, output: &str) -> Value {
    payload(
        "PostToolUse",
        json!({"tool_name": "Bash", "tool_use_id": tool, "tool_response": {"stdout": output, "stderr": ""}}),
    )
}

fn keys(events: &[Event]) -> Vec<(String, String)> {
    events.iter().skip(1).map(|event| (event.source().to_owned(), event.id().to_owned())).collect()
}

#[test]
fn markers_in_an_agent_s_result() {
    let text = "working… <EVENT>{\"name\":\"urlCacher.cacheRequested\",\"timestamp\":\"2025-08-12T16:30:00.000Z\",\"attributes\":{\"url\":\"https://docs.astral.sh/uv/\"}}</EVENT> then \
        <EVENT>{\"name\":\"urlCacher.urlValidated\",\"attributes\":{\"n\":1.50},\"severity\":\"warning\"}</EVENT> and a broken one <EVENT>{\"name\": oops}</EVENT> end";
    let events = send(payload(
        "PostToolUse",
        json!({"tool_name": "Task", "tool_use_id": "toolu_1", "tool_input": {"prompt": "<EVENT>{\"name\":\"not.read\"}</EVENT>"}, "tool_response": {"content": [{"type": "text", "text": text}]}}),
    ));
    let names = ["type", "source", "subject", "time", "actorid", "causationid", "severity", "data"];
    expect![[r#"
        urlCacher.cacheRequested /claude-code/demo/marker session/s 2025-08-12T16:30:00.000Z claude-code hook-1 info {"url":"https://docs.astral.sh/uv/"}
        urlCacher.urlValidated /claude-code/demo/marker session/s 2026-01-01T00:00:00Z claude-code hook-1 warning {"n":1.5}
        tacho.marker_rejected /claude-code/demo/marker session/s 2026-01-01T00:00:00Z claude-code hook-1 warning {"reason":"unexpected 'o' at byte 9","bytes":29,"text":"<EVENT>{\"name\": oops}</EVENT>"}"#]].assert_eq(&table(&events[1..], &names));
    let marker = &events[1];
    let context = TraceContext::parse(told(marker)["traceparent"].as_str().unwrap()).unwrap();
    assert_eq!(context, TraceContext::derived("s", marker.id()));
}

#[test]
fn one_marker_through_several_carriers_is_one_event() {
    for timestamp in ["", "\"timestamp\":\"2025-08-12T16:30:00Z\","] {
        let text = format!(
            "done <EVENT>{{\"name\":\"a.b\",{timestamp}\"attributes\":{{\"x\":\"é\",\"y\":[1,{{\"z\":2}}]}}}}</EVENT>"
        );
        let escaped =
            text.replace("\"x\":\"é\",\"y\":[1,{\"z\":2}]", "\"y\": [1, {\"z\": 2}], \"x\": \"\\u00e9\"");
        assert_ne!(escaped, text);
        // A command's output, alone and in its batch.
        let alone = keys(&send(bash("t1", &text)));
        let batch =
            json!({"tool_calls": [{"tool_name": "Bash", "tool_use_id": "t1", "tool_response": escaped}]});
        assert_eq!(alone, keys(&send(payload("PostToolBatch", batch))));
        assert_eq!(alone.len(), 1);
        // What a subagent says: at its end, in its transcript, and in what it hands back.
        let stop = send(payload(
            "SubagentStop",
            json!({"agent_id": "a1", "agent_type": "x", "last_assistant_message": text}),
        ));
        let said = keys(&stop);
        assert_eq!(said.len(), 1);
        let result = json!({"tool_name": "Agent", "tool_use_id": "t2", "tool_response": {"agentId": "a1", "prompt": text, "content": [{"type": "text", "text": escaped}]}});
        assert_eq!(said, keys(&send(payload("PostToolUse", result))));
        let batch = json!({"tool_calls": [{"tool_name": "Agent", "tool_use_id": "t2", "tool_response": format!("report:\n  {text}\nagentId: a1 (use SendMessage)\n<usage>x</usage>")}]});
        assert_eq!(said, keys(&send(payload("PostToolBatch", batch))));
        let transcript = format!(
            "{}\nnot json\n{}\n",
            json!({"type": "user", "agentId": "a1", "message": {"content": text}}),
            json!({"type": "assistant", "agentId": "a1", "timestamp": "2026-01-01T00:00:01Z", "message": {"content": [{"type": "text", "text": text}]}})
        );
        let redactor = Redactor::builtin();
        let found = marker::from_transcript(&stop[0], transcript.as_bytes(), &Door::new(&redactor));
        assert_eq!(
            found.iter().map(|event| (event.source().to_owned(), event.id().to_owned())).collect::<Vec<_>>(),
            said
        );
        // What the main agent says: while it is shown, and at the end of the turn.
        let shown = keys(&send(payload("MessageDisplay", json!({"delta": text}))));
        assert_eq!(shown, keys(&send(payload("Stop", json!({"last_assistant_message": text})))));
        assert_eq!(shown.len(), 1);
    }
}

#[test]
fn equal_markers_that_are_two_stay_two() {
    let one = "<EVENT>{\"name\":\"a.b\",\"attributes\":{}}</EVENT>";
    let twice = keys(&send(bash("t1", &format!("{one} {one}"))));
    assert_eq!(twice.len(), 2);
    assert_ne!(twice[0], twice[1]);
    assert_ne!(keys(&send(bash("t1", one))), keys(&send(bash("t2", one))));
    assert_eq!(keys(&send(bash("t1", one)))[0], twice[0]);
    let dated = "<EVENT>{\"name\":\"a.b\",\"timestamp\":\"2026-01-01T00:00:00Z\"}</EVENT>";
    assert_eq!(
        keys(&send(bash("t1", dated))),
        keys(&send(bash("t2", dated))),
        "a moment says which one it is"
    );
}

#[test]
fn what_emit_printed_is_recognised() {
    let line = marker::line("a.b", "emitted-1", "/agents/a", NOW, b"{\"x\":1}");
    let events = send(bash("t1", &format!("noise\n{line}\n")));
    expect![[r#"a.b /agents/a emitted-1 2026-01-01T00:00:00Z {"x":1}"#]]
        .assert_eq(&table(&events[1..], &["type", "source", "id", "time", "data"]));
}

#[test]
fn only_what_an_agent_says_or_its_commands_print() {
    let text = "<EVENT>{\"name\":\"a.b\"}</EVENT>";
    let is_derived = |event: &Event| event.source().starts_with("/derived/");
    let none = |payload: Value| {
        let events = send(payload.clone());
        assert_eq!(events.iter().filter(|event| !is_derived(event)).count(), 1, "{payload}");
    };
    none(payload("UserPromptSubmit", json!({"prompt": text})));
    none(payload("PreToolUse", json!({"tool_name": "Bash", "tool_input": {"command": text}})));
    for tool in ["Read", "Grep", "WebFetch", "mcp__bus__read", "Write"] {
        none(payload(
            "PostToolUse",
            json!({"tool_name": tool, "tool_use_id": "t", "tool_response": {"content": text, "stdout": text}}),
        ));
        none(payload("PostToolBatch", json!({"tool_calls": [{"tool_name": tool, "tool_response": text}]})));
    }
    none(payload("SubagentStop", json!({"agent_id": "a", "agent_type": "", "last_assistant_message": text})));
    let failed = payload(
        "PostToolUseFailure",
        json!({"tool_name": "Bash", "tool_use_id": "t", "error": format!("Exit code 1\n{text}")}),
    );
    assert_eq!(send(failed).len(), 2);
    let codex = json!({"session_id": "s", "hook_event_name": "PostToolUse", "tool_name": "Bash", "tool_use_id": "t", "tool_response": text});
    assert_eq!(hook(Agent::Codex, codex.to_string().as_bytes())[1].source(), "/codex/marker");
}

#[test]
fn the_policy_decides() {
    let text = "<EVENT>{\"name\":\"a.b\"}</EVENT>";
    let redactor = Redactor::builtin();
    let count = |markers: Policy, payload: Value| {
        let door = Door { markers, derives: false, ..Door::new(&redactor) };
        tacho_ingest::hook::parse(&input(Agent::ClaudeCode, payload.to_string().as_bytes()), &door).len()
    };
    let mcp = payload(
        "PostToolUse",
        json!({"tool_name": "mcp__bus__read", "tool_use_id": "t", "tool_response": [{"type": "text", "text": text}]}),
    );
    assert_eq!(count(Policy::default(), mcp.clone()), 1);
    assert_eq!(
        count(Policy { tools: vec![tacho_event::Pattern::new("mcp__bus__*")], ..Policy::default() }, mcp),
        2
    );
    assert_eq!(count(Policy { command_output: false, ..Policy::default() }, bash("t", text)), 1);
}

#[test]
fn rejected_ones_say_why() {
    let reject = |marker: &str| {
        let events = send(bash("t1", &format!("<EVENT>{marker}</EVENT>")));
        assert_eq!(events[1].kind(), "tacho.marker_rejected", "{marker}");
        assert_eq!(events[1].source(), "/claude-code/demo/marker");
        told(&events[1])["data"]["reason"].as_str().unwrap().to_owned()
    };
    let told: Vec<String> = [
        r#"{"attributes":{}}"#,
        r#"{"name":"a b"}"#,
        r#"{"name":"tacho.x"}"#,
        r#"{"name":"claude.stop"}"#,
        r#"{"name":"budget_anything"}"#,
        r#"{"name":"OrchestrationStarted"}"#,
        r#"{"name":"task_queued"}"#,
        r#"{"name":"a.b","attributes":[]}"#,
        r#"{"name":"a.b","timestamp":"soon"}"#,
        r#"{"name":"a.b","severity":"bad"}"#,
        r#"{"name":"a.b","extra":{"x":1}}"#,
        r#"{"name":"a.b","sessionid":"other"}"#,
        r#"{"name":"a.b","name":"a.c"}"#,
        r#"{"name":"a.b","id":""}"#,
        r#"{"name":"a.b","sequence":"1"}"#,
    ]
    .into_iter()
    .map(reject)
    .collect();
    expect![[r#"
        `name` is missing or no string
        `name` contains white space
        "tacho.x" is a reserved name: name the event after its agent, such as urlCacher.urlCached
        "claude.stop" is a reserved name: name the event after its agent, such as urlCacher.urlCached
        "budget_anything" is a reserved name: name the event after its agent, such as urlCacher.urlCached
        "OrchestrationStarted" is a reserved name: name the event after its agent, such as urlCacher.urlCached
        "task_queued" is a reserved name: name the event after its agent, such as urlCacher.urlCached
        `attributes` is no object
        `timestamp` is "soon", but must be a moment of RFC 3339 or seconds since 1970
        `severity` is "bad", but must be info, warning or error
        attribute `extra` is no string, number or boolean: put it into `data`
        `sessionid` is that of the event that carries the marker: leave it out
        `name` stands twice in the event: send it once
        `id` is missing: every event needs one
        `sequence` is given by the log: leave it out"#]]
    .assert_eq(&told.join("\n"));
    let twice = send(bash("t1", "<EVENT>{x}</EVENT><EVENT>{x}</EVENT>"));
    assert_ne!(twice[1].id(), twice[2].id());
}

#[test]
fn spans_are_repaired() {
    let trace = |marker: &str| {
        let events = send(bash("t1", &format!("<EVENT>{marker}</EVENT>")));
        table(&events[1..], &["traceparent", "origintraceparent", "parentspanid"])
    };
    let told = [
        trace(r#"{"name":"a.b","span_id":"b7ad6b7169203331","parent_span_id":"00f067aa0ba902b7"}"#),
        trace(r#"{"name":"a.b","trace_id":"0af7651916cd43dd8448eb211c80319c","span_id":"b7ad6b7169203331"}"#),
        trace(r#"{"name":"a.b","trace_id":"none","span_id":7}"#),
    ];
    expect![[r#"
        00-eabbac911bd34e577ba6c5e571c64878-b7ad6b7169203331-01 - 00f067aa0ba902b7
        00-eabbac911bd34e577ba6c5e571c64878-b7ad6b7169203331-01 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01 -
        00-eabbac911bd34e577ba6c5e571c64878-05b7d10662607409-01 - -"#]].assert_eq(&told.join("\n"));
}

#[test]
fn secrets_in_markers() {
    let key = format!("ghp_{}", "aB3xY9kQ7z".repeat(4));
    let events = send(bash(
        "t1",
        &format!(
            "<EVENT>{{\"name\":\"a.b\",\"attributes\":{{\"note\":\"{key}\",\"password\":\"hunter2\"}}}}</EVENT>"
        ),
    ));
    expect![[r#"{"note":"[redacted:github_token]","password":"[redacted:password]"}"#]]
        .assert_eq(&table(&events[1..], &["data"]));
}
