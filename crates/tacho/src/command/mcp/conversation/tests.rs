use super::*;
use expect_test::{Expect, expect};
use std::fmt::Write;

/// Lines, each with who says it (`>` the client, `<` the server), a millisecond apart.
fn check(about: About, lines: &[&str], expected: Expect) {
    let mut conversation = Conversation::new(about);
    let (mut told, mut at) = (Vec::new(), Moment::default());
    for line in lines {
        at.elapsed += Duration::from_millis(1);
        let (side, said) = line.split_at(1);
        let side = if side == ">" { Side::Client } else { Side::Server };
        told.extend(conversation.hear(side, said.as_bytes(), at));
    }
    told.extend(conversation.end(End { exit_code: Some(0), signal: None }, 2, at));
    let mut text = String::new();
    for told in told {
        let _ = writeln!(text, "{}", String::from_utf8(told.payload).unwrap());
    }
    expected.assert_eq(&text);
}

fn about() -> About {
    About { server_id: "stub.py".to_owned(), ..About::default() }
}

const HELLO: &str = r#">{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","clientInfo":{"name":"claude-code","version":"2"}}}"#;
const WELCOME: &str = r#"<{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-06-18","serverInfo":{"name":"search","version":"1"}}}"#;

#[test]
fn calls_and_their_answers() {
    let about = About {
        context: Some("c-7".to_owned()),
        session: Some("s-1".to_owned()),
        correlation: Some("job".to_owned()),
        ..about()
    };
    check(
        about,
        &[
            HELLO,
            WELCOME,
            r#">{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
            r#">{"jsonrpc":"2.0","id":"1","method":"tools\/call","params":{"name":"find","arguments":{"n":12345678901234567890123}}}"#,
            r#"<{"jsonrpc":"2.0","id":"1","result":{"content":[{"type":"text","text":"\u00e9"}]}}"#,
        ],
        expect![[r#"
            {"server_id":"search","client":"claude-code","context_id":"c-7","session_id":"s-1","correlation_id":"job","hook_event_name":"SessionStarted","data":{"serverId":"search","server_name":"search","server_version":"1","client":"claude-code","client_version":"2","protocol_version":"2025-06-18"}}
            {"server_id":"search","client":"claude-code","context_id":"c-7","session_id":"s-1","correlation_id":"job","hook_event_name":"ToolCall","tool_name":"find","request_id":"1","duration_ms":1.0,"tool_input":{"n":12345678901234567890123},"tool_response":{"content":[{"type":"text","text":"\u00e9"}]}}
            {"server_id":"search","client":"claude-code","context_id":"c-7","session_id":"s-1","correlation_id":"job","hook_event_name":"SessionEnded","data":{"serverId":"search","calls":1,"failed":0,"unanswered":0,"dropped":2,"duration_ms":5.0,"exit_code":0}}
        "#]],
    );
}

#[test]
fn failures_of_every_kind() {
    check(
        about(),
        &[
            r#">{"id":1,"method":"tools/call","params":{"name":"a"}}"#,
            r#">{"id":2,"method":"tools/call","params":{"name":"b","arguments":{}}}"#,
            r#">[{"id":3,"method":"tools/call","params":{"name":"c"}},{"id":4,"method":"tools/call","params":{"name":"d"}}]"#,
            r#"<{"id":2,"error":{"code":-32602,"message":"unknown tool"}}"#,
            r#"<{"id":1,"result":{"isError":true,"content":[]}}"#,
            r#">{"method":"notifications/cancelled","params":{"requestId":4,"reason":"the user said so"}}"#,
            r#"<{"id":4,"result":{"content":[]}}"#,
        ],
        expect![[r#"
            {"server_id":"stub.py","hook_event_name":"ToolCall","tool_name":"b","request_id":2,"duration_ms":2.0,"tool_input":{},"error":{"code":-32602,"message":"unknown tool"}}
            {"server_id":"stub.py","hook_event_name":"ToolCall","tool_name":"a","request_id":1,"duration_ms":4.0,"tool_response":{"isError":true,"content":[]}}
            {"server_id":"stub.py","hook_event_name":"ToolCall","tool_name":"d","request_id":4,"duration_ms":3.0,"error":{"message":"the user said so","code":"cancelled"}}
            {"server_id":"stub.py","hook_event_name":"ToolCall","tool_name":"c","request_id":3,"duration_ms":4.0,"error":{"message":"no answer was seen before the tool server ended","code":"no_answer"}}
            {"server_id":"stub.py","hook_event_name":"SessionEnded","data":{"serverId":"stub.py","calls":4,"failed":4,"unanswered":1,"dropped":2,"duration_ms":7.0,"exit_code":0}}
        "#]],
    );
}

#[test]
fn what_is_no_call_is_passed_over() {
    check(
        about(),
        &[
            ">rubbish",
            "<{\"id\":",
            ">{\"id\":1,\"method\":\"tools/call\"}",
            ">{\"id\":null,\"method\":\"tools/call\",\"params\":{\"name\":\"x\"}}",
            ">{\"id\":2,\"method\":\"tools/list\"}",
            "<{\"id\":2,\"result\":{\"tools\":[]}}",
            "<{\"id\":3,\"method\":\"roots/list\"}",
            "<\u{feff}\u{0}",
            "<[]",
            "<7",
        ],
        expect![[r#"
            {"server_id":"stub.py","hook_event_name":"SessionEnded","data":{"serverId":"stub.py","calls":0,"failed":0,"unanswered":0,"dropped":2,"duration_ms":10.0,"exit_code":0}}
        "#]],
    );
}

#[test]
fn what_is_remembered_has_a_limit() {
    let mut conversation = Conversation::new(about());
    for id in 0..CALLS_MAX + 3 {
        let line = format!(r#"{{"id":{id},"method":"tools/call","params":{{"name":"x"}}}}"#);
        assert_eq!(conversation.hear(Side::Client, line.as_bytes(), Moment::default()), []);
    }
    let told = conversation.end(End::default(), 0, Moment::default());
    assert_eq!(told.len(), CALLS_MAX + 1);
    let last: Value = serde_json::from_slice(&told[CALLS_MAX].payload).unwrap();
    assert_eq!((&last["data"]["calls"], &last["data"]["dropped"]), (&1_027.into(), &3.into()));
}
