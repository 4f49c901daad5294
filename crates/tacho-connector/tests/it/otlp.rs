use crate::bench::{Bench, ManualClock, eventually};
use crate::receiver::Receiver;
use serde_json::Value;
use std::time::Duration;
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

/// A session in which an agent and its tool never end; then it says nothing more.
fn abandon(bench: &Bench, id: u64, session: &str) {
    let append = |number: u64, kind: &str, data: &str| {
        let data = format!("{{\"session_id\":\"{session}\",\"prompt_id\":\"p1\"{data}}}");
        let stream = format!("session/{session}");
        bench.append_to(&format!("claude.{kind}"), &stream, Some(session), id + number, &data);
    };
    append(0, "session_start", "");
    append(1, "user_prompt_submit", "");
    append(2, "subagent_start", ",\"agent_id\":\"a1\",\"agent_type\":\"Explore\"");
    append(3, "pre_tool_use", ",\"tool_use_id\":\"t0\",\"tool_name\":\"Read\"");
    append(4, "post_tool_use", ",\"tool_use_id\":\"t0\",\"tool_name\":\"Read\"");
    append(5, "pre_tool_use", ",\"agent_id\":\"a1\",\"tool_use_id\":\"t1\",\"tool_name\":\"Bash\"");
}

fn unfinished(spans: &[Value]) -> Vec<&str> {
    let is_unfinished = |span: &&Value| {
        let attributes = span["attributes"].as_array().unwrap();
        attributes.iter().any(|one| one["key"] == "tacho.unfinished" && one["value"]["boolValue"] == true)
    };
    spans.iter().filter(is_unfinished).map(|span| span["name"].as_str().unwrap()).collect()
}

fn settings(receiver: &Receiver) -> Settings {
    let url = receiver.url.trim_end_matches("/events").to_owned();
    Settings { url: Some(url), mode: Some("json".into()), ..Settings::default() }
}

const ABANDONED: [&str; 4] = ["session", "turn", "invoke_agent Explore", "execute_tool Bash"];

#[test]
fn what_never_ends_is_told_once_when_its_session_falls_quiet() {
    let receiver = Receiver::start(&[]);
    let clock = ManualClock::default();
    let mut bench = Bench::with_clock(clock.clone());
    bench.start("otlp", settings(&receiver), |policy| policy.batch.window_ms = 0);
    abandon(&bench, 1, "s1");
    let began = bench.engine.now();
    clock.pass(Duration::from_secs(29 * 60));
    bench.append_to("claude.notification", "session/s2", Some("s2"), 20, "{}");
    bench.until("it is delivered", |status| status.done == 7);
    // Another event is a reason to look at the clock.
    bench.append_to("claude.notification", "session/s2", Some("s2"), 21, "{}");
    bench.until("it is delivered", |status| status.done == 8);
    assert_eq!(unfinished(&spans(&receiver)), [""; 0], "it is not quiet for long enough");

    clock.pass(Duration::from_secs(60));
    bench.append_to("claude.notification", "session/s2", Some("s2"), 22, "{}");
    let told = eventually("the spans are told", || Some(spans(&receiver)).filter(|all| all.len() >= 5));
    assert_eq!(unfinished(&told), ABANDONED);
    let (tool, agent) = (named(&told, "execute_tool Bash"), named(&told, "invoke_agent Explore"));
    assert_eq!((&tool["parentSpanId"], &tool["traceId"]), (&agent["spanId"], &agent["traceId"]));
    assert_eq!(
        (&tool["status"]["code"], &agent["endTimeUnixNano"]),
        (&0.into(), &began.0.to_string().into())
    );

    // What it says later and what falls quiet then is told, not what was told before; an end that comes is an end.
    let late = "{\"session_id\":\"s1\",\"prompt_id\":\"p2\"}";
    bench.append_to("claude.user_prompt_submit", "session/s1", Some("s1"), 30, late);
    let end = "{\"agent_id\":\"a1\",\"tool_use_id\":\"t1\",\"tool_name\":\"Bash\"}";
    bench.append_to("claude.post_tool_use", "session/s1", Some("s1"), 31, end);
    bench.until("it is delivered", |status| status.done == 11);
    clock.pass(Duration::from_secs(40 * 60));
    bench.append_to("claude.notification", "session/s2", Some("s2"), 32, "{}");
    let told = eventually("the turn is told", || Some(spans(&receiver)).filter(|all| all.len() >= 7));
    assert_eq!(unfinished(&told), [&ABANDONED[..], &["turn"]].concat());
    assert_eq!(told[5]["spanId"], tool["spanId"]);
    assert_eq!(told[5]["status"]["code"], 1);

    // One that began shortly before a restart is told behind it, the others are not told again.
    abandon(&bench, 40, "s3");
    bench.until("it is delivered", |status| status.done == 18);
    bench.restart_with(clock.clone());
    bench.start_after("otlp", settings(&receiver), |bench| {
        clock.pass(Duration::from_secs(30 * 60));
        bench.append_to("claude.notification", "session/s2", Some("s2"), 50, "{}");
    });
    let told = eventually("the spans are told", || Some(spans(&receiver)).filter(|all| all.len() >= 12));
    assert_eq!(unfinished(&told), [&ABANDONED[..], &["turn"], &ABANDONED[..]].concat());
    bench.engine.close().unwrap();
}

#[test]
fn a_stop_tells_what_has_not_ended_by_then() {
    let receiver = Receiver::start(&[]);
    let bench = Bench::new();
    abandon(&bench, 1, "s1");
    bench.append_to("claude.session_end", "session/s1", Some("s1"), 7, "{\"session_id\":\"s1\"}");
    bench.start("otlp", settings(&receiver), |policy| policy.batch.window_ms = 0);
    bench.until("it is delivered", |status| status.done == 7);
    bench.engine.close().unwrap();
    let told = spans(&receiver);
    assert_eq!(unfinished(&told), ABANDONED[1..]);
    assert_eq!((told.len(), &named(&told, "session")["status"]["code"]), (5, &1.into()));
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
