use crate::handler_peer::{LONG, SHORT, Scripts, ask, fails, start, surroundings};
use crate::receiver::Receiver;
use serde_json::json;
use tacho_connector::{HandlerSettings, list_tools};
use tacho_engine::delivery::Verdict;

/// A server on stdio; it asks back, tells of progress, and wants to be greeted first.
const SERVER: &str = r#"
import json, os, sys
greeted = False
def say(**message):
    print(json.dumps({"jsonrpc": "2.0", **message}), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    method, params = request.get("method"), request.get("params")
    if method == "initialize":
        assert params["clientInfo"]["name"] == "tacho"
        say(id=request["id"], result={"protocolVersion": params["protocolVersion"], "capabilities": {"tools": {}},
            "serverInfo": {"name": "org.example/tools", "version": "1"}})
    elif method == "notifications/initialized":
        greeted = True
    elif not greeted:
        say(id=request["id"], error={"code": -32002, "message": "not greeted"})
    elif method == "tools/list":
        if params.get("cursor") is None:
            say(id=request["id"], result={"tools": [{"name": "add", "description": "Adds.", "inputSchema": {"type": "object"}}], "nextCursor": "2"})
        else:
            say(id=request["id"], result={"tools": [{"name": "fail"}]})
    elif method == "tools/call":
        arguments = params["arguments"]
        if params["name"] == "hang":
            while True:
                os.read(os.pipe()[0], 1)
        if params["name"] == "fail":
            say(id=request["id"], result={"isError": True, "content": [{"type": "text", "text": "no such page"}]})
            continue
        if params["name"] != "add":
            say(id=request["id"], error={"code": -32602, "message": "unknown tool"})
            continue
        say(id="ask-1", method="ping")
        assert json.loads(sys.stdin.readline()) == {"jsonrpc": "2.0", "id": "ask-1", "result": {}}
        say(method="notifications/progress", params={"progressToken": params["_meta"]["progressToken"], "progress": 1})
        total = arguments["a"] + arguments["b"]
        say(id=request["id"], result={"content": [{"type": "text", "text": str(total)}], "structuredContent": {"sum": total}})
"#;

fn settings(scripts: &Scripts, tool: &str) -> HandlerSettings {
    HandlerSettings { mcp: scripts.python(SERVER), tool: Some(tool.into()), ..HandlerSettings::default() }
}

#[test]
fn a_tool_is_called_with_what_the_event_says() {
    let scripts = Scripts::new();
    let mut worker = start(&settings(&scripts, "add"));
    let returned = ask(&mut worker, "{\"a\":1,\"b\":2}");
    let data = json!({
        "tool": "add", "arguments": {"a": 1, "b": 2}, "serverId": "org.example/tools",
        "result": {"content": [{"type": "text", "text": "3"}], "structuredContent": {"sum": 3}},
    });
    assert_eq!(returned, json!({"type": "tool.add.completed", "subject": "task/x", "data": data}));
    assert_eq!(ask(&mut worker, "{\"a\":3,\"b\":2}")["data"]["result"]["structuredContent"]["sum"], 5);
    let arguments = Some("{a: .data.n, b: (.id | length)}".into());
    let mut worker = start(&HandlerSettings { arguments, ..settings(&scripts, "add") });
    assert_eq!(ask(&mut worker, "{\"n\":40}")["data"]["arguments"], json!({"a": 40, "b": 2}));
}

#[test]
fn a_tool_that_fails_is_told() {
    let scripts = Scripts::new();
    let mut worker = start(&settings(&scripts, "fail"));
    let failed = fails(&mut worker, "{}", LONG);
    assert_eq!((failed.code.as_str(), failed.message.as_str()), ("tool_error", "no such page"));
    let failed = fails(&mut worker, "[]", LONG);
    assert_eq!((failed.code.as_str(), failed.verdict), ("jq_failed", Verdict::Reject));
    assert_eq!(fails(&mut start(&settings(&scripts, "none")), "{}", LONG).code, "error_-32602");
    assert_eq!(fails(&mut start(&settings(&scripts, "hang")), "{}", SHORT).code, "timeout");
}

#[test]
fn tools_are_listed() {
    let scripts = Scripts::new();
    let tools = list_tools(&settings(&scripts, "add"), &surroundings(), LONG).unwrap();
    assert_eq!(tools.iter().map(|tool| tool.name.as_str()).collect::<Vec<_>>(), ["add", "fail"]);
    assert_eq!(tools[0].description.as_deref(), Some("Adds."));
    assert_eq!(tools[0].input_schema.as_deref(), Some(&b"{\"type\":\"object\"}"[..]));
}

const HELLO: &str = "200 OK\r\ncontent-type: application/json\r\nmcp-session-id: s-1\r\n\r\n\
    {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"protocolVersion\":\"2025-03-26\",\"serverInfo\":{\"name\":\"web\"}}}";
const STREAM: &str = "200 OK\r\ncontent-type: text/event-stream\r\n\r\nevent: message\r\n\
    data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{}}\r\n\r\n: still here\r\n\r\n\
    id: 9\r\ndata: {\"jsonrpc\":\"2.0\",\"id\":2,\r\ndata: \"result\":{\"content\":[]}}\r\n\r\n";

#[test]
fn a_server_on_the_web_answers_as_json_or_as_a_stream() {
    let receiver = Receiver::start(&[
        HELLO,
        "202 Accepted\r\n",
        STREAM,
        "200 OK\r\ncontent-type: application/json\r\n\r\n{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":{\"content\":[{\"text\":\"hm\"}],\"isError\":true}}",
        "404 No\r\n",
        HELLO,
        "202 Accepted\r\n",
        STREAM,
    ]);
    let (url, tool) = (Some(receiver.url.clone()), Some("look".into()));
    let mut worker = start(&HandlerSettings { url, tool, ..HandlerSettings::default() });
    assert_eq!(ask(&mut worker, "{\"a\":1}")["data"]["serverId"], "web");
    let failed = fails(&mut worker, "{}", LONG);
    assert_eq!((failed.code.as_str(), failed.message.as_str()), ("tool_error", "hm"));
    let failed = fails(&mut worker, "{}", LONG);
    assert_eq!((failed.code.as_str(), failed.verdict), ("http_404", Verdict::Retry { after: None }));
    assert_eq!(ask(&mut worker, "{}")["type"], "tool.look.completed", "a new session was begun");
    let requests = receiver.requests();
    assert_eq!((requests.len(), requests[0].header("mcp-session-id")), (8, None));
    assert_eq!(requests[2].header("mcp-session-id"), Some("s-1"));
    assert_eq!(requests[2].header("mcp-protocol-version"), Some("2025-03-26"));
    assert_eq!(requests[2].header("accept"), Some("application/json, text/event-stream"));
    let call: serde_json::Value = serde_json::from_str(&requests[2].body).unwrap();
    assert_eq!((&call["method"], &call["params"]["arguments"]), (&"tools/call".into(), &json!({"a": 1})));
}
