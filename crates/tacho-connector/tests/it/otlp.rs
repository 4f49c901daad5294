use crate::bench::Bench;
use crate::receiver::Receiver;
use serde_json::Value;
use tacho_connector::{Secret, Settings};

fn spans(receiver: &Receiver) -> Vec<Value> {
    let mut spans = Vec::new();
    for request in receiver.requests().iter().filter(|request| request.head.contains("/v1/traces")) {
        let message: Value = serde_json::from_str(&request.body).unwrap();
        spans.extend(message["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap().clone());
    }
    spans
}

fn named<'a>(spans: &'a [Value], name: &str) -> &'a Value {
    spans.iter().find(|span| span["name"] == name).unwrap_or_else(|| panic!("{name} in {spans:?}"))
}

fn told<'a>(span: &'a Value, name: &str) -> &'a Value {
    let attributes = span["attributes"].as_array().unwrap();
    let found = attributes.iter().find(|attribute| attribute["key"] == name);
    found.map_or(&Value::Null, |attribute| &attribute["value"]["stringValue"])
}

#[test]
fn a_session_is_a_tree_of_spans_whatever_is_sent_twice() {
    let receiver = Receiver::start(&["200 OK\r\n", "500 Oops\r\n"]);
    let bench = Bench::new();
    let session = |id: u64, kind: &str, data: &str| {
        let data = format!("{{\"session_id\":\"s1\",\"prompt_id\":\"p1\"{data}}}");
        bench.append_to(&format!("claude.{kind}"), "session/s1", Some("s1"), id, &data);
    };
    session(1, "session_start", "");
    session(2, "user_prompt_submit", "");
    session(3, "subagent_start", ",\"agent_id\":\"a1\",\"agent_type\":\"Explore\"");
    session(4, "pre_tool_use", ",\"agent_id\":\"a1\",\"tool_use_id\":\"t1\",\"tool_name\":\"Bash\"");
    session(
        5,
        "post_tool_use_failure",
        ",\"agent_id\":\"a1\",\"tool_use_id\":\"t1\",\"tool_name\":\"Bash\",\"error\":\"exit 1\"",
    );
    session(6, "subagent_stop", ",\"agent_id\":\"a1\",\"agent_type\":\"Explore\"");
    session(7, "subagent_stop", ",\"agent_id\":\"compaction\",\"agent_type\":\"\"");
    session(8, "stop", "");
    session(9, "session_end", "");
    let url = receiver.url.trim_end_matches("/events").to_owned();
    let settings = Settings {
        url: Some(url),
        mode: Some("json".into()),
        secret: Some(Secret::new("hunter2")),
        ..Settings::default()
    };
    bench.start("otlp", settings, |policy| policy.batch.window_ms = 0);
    bench.until("it is delivered", |status| status.done == 9);
    bench.engine.close().unwrap();

    let all = spans(&receiver);
    // The log records of the first attempt were refused, so its spans came twice: they are the same ones.
    assert_eq!(all.len(), 8);
    assert_eq!(all[..4], all[4..]);
    let (tool, agent) = (named(&all, "execute_tool Bash"), named(&all, "invoke_agent Explore"));
    let (turn, root) = (named(&all, "turn"), named(&all, "session"));
    for (child, parent) in [(tool, agent), (agent, turn), (turn, root)] {
        assert_eq!((&child["parentSpanId"], &child["traceId"]), (&parent["spanId"], &parent["traceId"]));
        let number = |span: &Value, name: &str| span[name].as_str().unwrap().parse::<i64>().unwrap();
        assert!(number(child, "startTimeUnixNano") >= number(parent, "startTimeUnixNano"));
        assert!(number(child, "endTimeUnixNano") <= number(parent, "endTimeUnixNano"));
    }
    assert!(root.get("parentSpanId").is_none());
    assert_eq!((&tool["status"]["code"], &tool["status"]["message"]), (&2.into(), &"exit 1".into()));
    assert_eq!(
        (told(tool, "gen_ai.tool.name"), told(tool, "gen_ai.conversation.id")),
        (&"Bash".into(), &"s1".into())
    );
    assert_eq!(told(agent, "gen_ai.operation.name"), "invoke_agent");

    let logs: Vec<_> =
        receiver.requests().into_iter().filter(|request| request.head.contains("/v1/logs")).collect();
    let message: Value = serde_json::from_str(&logs[1].body).unwrap();
    let records = message["resourceLogs"][0]["scopeLogs"][0]["logRecords"].as_array().unwrap();
    assert_eq!((records.len(), &records[3]["eventName"]), (9, &"claude.pre_tool_use".into()));
    assert_eq!(records[3]["traceId"], tool["traceId"]);
    assert_eq!(logs[1].header("authorization"), Some("Bearer hunter2"));
}

#[test]
fn work_of_an_agent_without_an_id_is_a_span_each_time() {
    let receiver = Receiver::start(&[]);
    let bench = Bench::new();
    let of_critic = |id: u64, kind: &str, data: &str| {
        let data = format!("{{\"agent\":\"critic\",\"task_id\":\"t1\"{data}}}");
        bench.append_to(kind, "task/t1", None, id, &data);
    };
    of_critic(1, "agent_started", "");
    of_critic(2, "agent_completed", ",\"status\":\"failed\",\"duration_ms\":1");
    // This one told of its end alone.
    of_critic(3, "agent_completed", ",\"status\":\"success\",\"duration_ms\":1500");
    let url = receiver.url.trim_end_matches("/events").to_owned();
    let settings = Settings {
        url: Some(url),
        mode: Some("json".into()),
        signals: Some("traces".into()),
        ..Settings::default()
    };
    bench.start("otlp", settings, |_| {});
    bench.until("it is delivered", |status| status.done == 3);

    let all = spans(&receiver);
    assert_eq!(all.len(), 2);
    assert_ne!(all[0]["spanId"], all[1]["spanId"]);
    let codes = [&all[0]["status"]["code"], &all[1]["status"]["code"]];
    assert_eq!(codes, [&serde_json::json!(2), &serde_json::json!(1)]);
    let number = |name: &str| all[1][name].as_str().unwrap().parse::<i64>().unwrap();
    assert_eq!(number("endTimeUnixNano") - number("startTimeUnixNano"), 1_500_000_000);
    assert!(receiver.requests().iter().all(|request| request.head.starts_with("post /v1/traces")));
}
