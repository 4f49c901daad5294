//! Exports of OpenTelemetry: what Claude Code really sends, and what others may.

use crate::support::{NOW, fixtures, table, told};
use expect_test::{Expect, expect};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use tacho_event::schema::Registry;
use tacho_event::{Code, Event, Sameness};
use tacho_ingest::otlp::{self, Encoding, Export, Signal};
use tacho_ingest::{Door, Limits, Redactor, Refusal};

fn export(signal: Signal, encoding: Encoding, body: &[u8]) -> Result<Vec<Result<Event, Refusal>>, Refusal> {
    let redactor = Redactor::builtin();
    let door = Door::new(&redactor);
    Ok(Export::read(signal, encoding, body, &door.limits)?.events(&door, NOW).collect())
}

fn events(signal: Signal, body: &Value) -> Vec<Event> {
    let read = export(signal, Encoding::Json, body.to_string().as_bytes()).unwrap();
    read.into_iter().map(Result::unwrap).collect()
}

/// The events of the captures of one signal in one encoding.
fn captured(signal: Signal, encoding: Encoding) -> Vec<Event> {
    let folder = if encoding == Encoding::Json { "otlp/json" } else { "otlp/protobuf" };
    let mine = fixtures(folder).into_iter().filter(|path| path.to_string_lossy().contains(signal.name()));
    let read = mine.flat_map(|path| export(signal, encoding, &std::fs::read(path).unwrap()).unwrap());
    read.map(Result::unwrap).collect()
}

/// The event, a member a line.
fn check(event: &Event, expected: Expect) {
    let mut lines = String::new();
    for (name, value) in told(event).as_object().unwrap() {
        match (name.as_str(), value) {
            ("data", Value::Object(data)) => {
                lines.extend(data.iter().map(|(name, value)| {
                    format!(
                        "data {name}: {value}
"
                    )
                }));
            }
            _ => {
                lines += &format!(
                    "{name}: {value}
"
                )
            }
        }
    }
    expected.assert_eq(&lines);
}

/// A log record with these attributes, of a service.
fn log(attributes: &[(&str, Value)], more: &Value) -> Value {
    let mut record = json!({"timeUnixNano": "1767225600000000001", "attributes": list(attributes)});
    record.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"resourceLogs": [{
        "resource": {"attributes": list(&[("service.name", json!({"stringValue": "shop"}))])},
        "scopeLogs": [{"scope": {"name": "pay"}, "logRecords": [record]}]
    }]})
}

fn list(attributes: &[(&str, Value)]) -> Value {
    attributes.iter().map(|(key, value)| json!({"key": key, "value": value})).collect()
}

fn count(events: &[Event]) -> String {
    let mut counts = BTreeMap::new();
    for event in events {
        *counts.entry((event.kind(), event.stream())).or_insert(0) += 1;
    }
    counts.into_iter().map(|((kind, stream), count)| format!("{count} {kind} {stream}\n")).collect()
}

#[test]
fn captured_exports_join_the_session() {
    let all: Vec<Event> =
        Signal::ALL.into_iter().flat_map(|signal| captured(signal, Encoding::Json)).collect();
    expect![[r#"
        11 claude_code.api_request session/6de14646-dff7-4706-a66d-b9884b862135
        3 claude_code.assistant_response session/6de14646-dff7-4706-a66d-b9884b862135
        34 claude_code.hook_execution_complete session/6de14646-dff7-4706-a66d-b9884b862135
        34 claude_code.hook_execution_start session/6de14646-dff7-4706-a66d-b9884b862135
        35 claude_code.hook_registered session/6de14646-dff7-4706-a66d-b9884b862135
        1 claude_code.managed_settings_resolved session/6de14646-dff7-4706-a66d-b9884b862135
        3 claude_code.plugin_loaded session/6de14646-dff7-4706-a66d-b9884b862135
        1 claude_code.subagent_completed session/6de14646-dff7-4706-a66d-b9884b862135
        10 claude_code.tool_decision session/6de14646-dff7-4706-a66d-b9884b862135
        10 claude_code.tool_result session/6de14646-dff7-4706-a66d-b9884b862135
        1 claude_code.user_prompt session/6de14646-dff7-4706-a66d-b9884b862135
        28 otel.metric session/6de14646-dff7-4706-a66d-b9884b862135
        42 otel.span session/6de14646-dff7-4706-a66d-b9884b862135
    "#]]
    .assert_eq(&count(&all));
    let all: Vec<Event> =
        Signal::ALL.into_iter().flat_map(|signal| captured(signal, Encoding::Protobuf)).collect();
    expect![[r#"
        5 claude_code.api_request session/c5fe367d-fe07-4db3-ab92-7d4858c0b601
        2 claude_code.assistant_response session/c5fe367d-fe07-4db3-ab92-7d4858c0b601
        21 claude_code.hook_execution_complete session/c5fe367d-fe07-4db3-ab92-7d4858c0b601
        20 claude_code.hook_execution_start session/c5fe367d-fe07-4db3-ab92-7d4858c0b601
        35 claude_code.hook_registered session/c5fe367d-fe07-4db3-ab92-7d4858c0b601
        1 claude_code.managed_settings_resolved session/c5fe367d-fe07-4db3-ab92-7d4858c0b601
        3 claude_code.plugin_loaded session/c5fe367d-fe07-4db3-ab92-7d4858c0b601
        1 claude_code.subagent_completed session/c5fe367d-fe07-4db3-ab92-7d4858c0b601
        6 claude_code.tool_decision session/c5fe367d-fe07-4db3-ab92-7d4858c0b601
        6 claude_code.tool_result session/c5fe367d-fe07-4db3-ab92-7d4858c0b601
        1 claude_code.user_prompt session/c5fe367d-fe07-4db3-ab92-7d4858c0b601
        9 otel.metric session/c5fe367d-fe07-4db3-ab92-7d4858c0b601
        12 otel.span session/c5fe367d-fe07-4db3-ab92-7d4858c0b601
    "#]]
    .assert_eq(&count(&all));
}

#[test]
fn what_was_captured_fits_the_catalogue() {
    let registry = Registry::with_catalogue();
    for encoding in [Encoding::Json, Encoding::Protobuf] {
        for event in Signal::ALL.into_iter().flat_map(|signal| captured(signal, encoding)) {
            let data = tacho_event::json::member(event.body(), "data");
            let found = registry.validate(event.kind(), None, data);
            let found = found.unwrap_or_else(|violations| panic!("{}: {violations}", event.kind()));
            assert_eq!(found.expect("it is known").registration.kind, event.kind());
        }
    }
}

#[test]
fn every_captured_record_is_an_event_of_its_own_and_the_same_each_time() {
    for encoding in [Encoding::Json, Encoding::Protobuf] {
        for signal in Signal::ALL {
            let (first, again) = (captured(signal, encoding), captured(signal, encoding));
            assert_eq!(first, again);
            let ids: BTreeSet<&str> = first.iter().map(Event::id).collect();
            assert_eq!(ids.len(), first.len());
            assert!(first.iter().all(|event| *event.sameness() == Sameness::FirstWins));
        }
    }
}

#[test]
fn a_request_to_the_model() {
    let events = captured(Signal::Logs, Encoding::Json);
    let request = events.iter().find(|event| event.kind() == "claude_code.api_request").unwrap();
    check(
        request,
        expect![[r#"
        data team: "demo"
        data feature: "greet"
        data user.id: "0000000000000000000000000000000000000000000000000000000000000000"
        data session.id: "6de14646-dff7-4706-a66d-b9884b862135"
        data anthropic.provider: "firstParty"
        data anthropic.custom_base_url: true
        data terminal.type: "xterm"
        data event.name: "api_request"
        data event.timestamp: "2026-11-20T02:54:46.272Z"
        data event.sequence: 45
        data prompt.id: "df73dba5-2ff5-4705-9a5f-4e1f786107c7"
        data model: "claude-sonnet-4-5"
        data input_tokens: 1200
        data output_tokens: 42
        data cache_read_tokens: 5000
        data cache_creation_tokens: 300
        data cache_creation_5m_tokens: 300
        data cache_creation_1h_tokens: 0
        data cost_usd: 0.006854999999999999
        data cost_usd_micros: 6855
        data duration_ms: 128
        data ttft_ms: 61
        data request_id: "req_d9b3b592639e42579f46d6ab"
        data speed: "normal"
        data query_source: "sdk"
        data resource: {"team":"demo","feature":"greet","service.name":"claude-code","service.version":"2.1.328"}
        id: "c7c7f1e00f535da058b4b2c49f2e6b70"
        source: "/otel/claude-code"
        type: "claude_code.api_request"
        subject: "session/6de14646-dff7-4706-a66d-b9884b862135"
        correlationid: "df73dba5-2ff5-4705-9a5f-4e1f786107c7"
        traceparent: "00-d4ef918ff20c9c25337e6c9e13c59dff-12a6a2aa91acd65f-01"
        sessionid: "6de14646-dff7-4706-a66d-b9884b862135"
        time: "2026-11-20T02:54:46.272Z"
        actortype: "agent"
        actorid: "claude-code"
        actormodel: "claude-sonnet-4-5"
    "#]],
    );
}

#[test]
fn both_encodings_give_the_same_numbers() {
    for encoding in [Encoding::Json, Encoding::Protobuf] {
        let events = captured(Signal::Logs, encoding);
        let request = events.iter().find(|event| event.kind() == "claude_code.api_request").unwrap();
        let data = &told(request)["data"];
        let numbers = ["input_tokens", "output_tokens", "cache_read_tokens", "cost_usd", "event.sequence"];
        let numbers = numbers.map(|name| data[name].to_string());
        assert_eq!(numbers, ["1200", "42", "5000", "0.006854999999999999", "45"]);
    }
}

#[test]
fn actors_of_claude_code() {
    let events = captured(Signal::Logs, Encoding::Json);
    let mut rows: Vec<String> =
        table(&events, &["type", "actortype", "actorid"]).lines().map(str::to_owned).collect();
    rows.sort();
    rows.dedup();
    expect![[r#"
        claude_code.api_request agent afd80d6c36420fd4b
        claude_code.api_request agent claude-code
        claude_code.assistant_response agent afd80d6c36420fd4b
        claude_code.assistant_response agent claude-code
        claude_code.hook_execution_complete agent afd80d6c36420fd4b
        claude_code.hook_execution_complete agent claude-code
        claude_code.hook_execution_start agent afd80d6c36420fd4b
        claude_code.hook_execution_start agent claude-code
        claude_code.hook_registered agent claude-code
        claude_code.managed_settings_resolved agent claude-code
        claude_code.plugin_loaded agent claude-code
        claude_code.subagent_completed agent afd80d6c36420fd4b
        claude_code.tool_decision agent afd80d6c36420fd4b
        claude_code.tool_decision agent claude-code
        claude_code.tool_result agent afd80d6c36420fd4b
        claude_code.tool_result agent claude-code
        claude_code.user_prompt user user
    "#]]
    .assert_eq(&(rows.join("\n") + "\n"));
}

#[test]
fn numbers_that_were_sent_as_strings_are_numbers() {
    let events = captured(Signal::Logs, Encoding::Json);
    let result = events.iter().find(|event| event.kind() == "claude_code.tool_result").unwrap();
    let data = &told(result)["data"];
    let kept =
        ["duration_ms", "tool_result_size_bytes", "success", "event.sequence"].map(|name| data[name].clone());
    expect![[r#"
        [Number(42), Number(15), String("true"), Number(49)]
    "#]]
    .assert_eq(&format!("{kept:?}\n"));
}

#[test]
fn a_span_of_claude_code() {
    let events = captured(Signal::Traces, Encoding::Protobuf);
    let span = events.iter().find(|event| told(event)["data"]["name"] == "claude_code.llm_request").unwrap();
    check(
        span,
        expect![[r#"
        data name: "claude_code.llm_request"
        data kind: "SPAN_KIND_INTERNAL"
        data start: "2026-11-20T02:55:38.981Z"
        data end: "2026-11-20T02:55:39.100522068Z"
        data duration_ms: 119.522068
        data status: {"code":"STATUS_CODE_UNSET"}
        data parent_span_id: "62bdf3dd450518cf"
        data usage: {"input_tokens":1200,"output_tokens":42,"cache_read_tokens":5000,"cache_creation_tokens":300}
        data attributes: {"team":"demo","feature":"greet","user.id":"0000000000000000000000000000000000000000000000000000000000000000","session.id":"c5fe367d-fe07-4db3-ab92-7d4858c0b601","app.version":"2.1.328","anthropic.provider":"firstParty","anthropic.custom_base_url":true,"terminal.type":"xterm","gen_ai.provider.name":"anthropic","span.type":"llm_request","model":"claude-sonnet-4-5","gen_ai.system":"anthropic","gen_ai.request.model":"claude-sonnet-4-5","llm_request.context":"interaction","speed":"normal","gen_ai.conversation.id":"c5fe367d-fe07-4db3-ab92-7d4858c0b601","query_source_safe":"sdk","duration_ms":119,"input_tokens":1200,"output_tokens":42,"cache_read_tokens":5000,"cache_creation_tokens":300,"success":true,"attempt":1,"request_id":"req_5a41225c8c4b4fdc83457250","gen_ai.response.id":"req_5a41225c8c4b4fdc83457250","ttft_ms":61,"first_content_ms":61,"stop_reason":"tool_use","gen_ai.response.finish_reasons":["tool_use"]}
        data events: [{"name":"gen_ai.request.attempt","time":"2026-11-20T02:55:38.986148864Z","attributes":{"attempt":1}}]
        data resource: {"team":"demo","feature":"greet","service.name":"claude-code","service.version":"2.1.328"}
        id: "da973cfcd8dcf690770f81cc14531a00"
        source: "/otel/claude-code"
        type: "otel.span"
        subject: "session/c5fe367d-fe07-4db3-ab92-7d4858c0b601"
        parentspanid: "62bdf3dd450518cf"
        otelstatus: "STATUS_CODE_UNSET"
        otelkind: "SPAN_KIND_INTERNAL"
        time: "2026-11-20T02:55:39.100522068Z"
        actortype: "agent"
        actorid: "claude-code"
        actormodel: "claude-sonnet-4-5"
        sessionid: "c5fe367d-fe07-4db3-ab92-7d4858c0b601"
        traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-a7ee5b464b81d135-01"
    "#]],
    );
}

#[test]
fn a_metric_of_claude_code() {
    let events = captured(Signal::Metrics, Encoding::Protobuf);
    let metric = events.iter().find(|event| told(event)["data"]["name"] == "claude_code.cost.usage").unwrap();
    check(
        metric,
        expect![[r#"
        data name: "claude_code.cost.usage"
        data unit: "USD"
        data kind: "sum"
        data temporality: "delta"
        data monotonic: true
        data value: 0.020564999999999996
        data start: "2026-11-20T02:55:39.097Z"
        data attributes: {"team":"demo","feature":"greet","user.id":"0000000000000000000000000000000000000000000000000000000000000000","session.id":"c5fe367d-fe07-4db3-ab92-7d4858c0b601","app.version":"2.1.328","anthropic.provider":"firstParty","anthropic.custom_base_url":true,"terminal.type":"xterm","model":"claude-sonnet-4-5","query_source":"main"}
        data resource: {"team":"demo","feature":"greet","service.name":"claude-code","service.version":"2.1.328"}
        id: "d47aaefa422ed159ac05063c946feb44"
        source: "/otel/claude-code"
        type: "otel.metric"
        subject: "session/c5fe367d-fe07-4db3-ab92-7d4858c0b601"
        traceparent: "00-1e3a6f1594dff0f05f66452ffd9e869b-7437911e7d8b1a49-01"
        sessionid: "c5fe367d-fe07-4db3-ab92-7d4858c0b601"
        actormodel: "claude-sonnet-4-5"
        time: "2026-11-20T02:55:39.724Z"
        actortype: "agent"
        actorid: "claude-code"
    "#]],
    );
}

#[test]
fn a_model_called_by_another_program() {
    let attributes = list(&[
        ("gen_ai.operation.name", json!({"stringValue": "chat"})),
        ("gen_ai.request.model", json!({"stringValue": "gpt-5"})),
        ("gen_ai.agent.name", json!({"stringValue": "scribe"})),
        ("gen_ai.usage.input_tokens", json!({"intValue": "6200"})),
        ("gen_ai.usage.output_tokens", json!({"intValue": 42})),
        ("gen_ai.usage.cache_read.input_tokens", json!({"intValue": "5000"})),
        ("gen_ai.conversation.id", json!({"stringValue": "conversation-1"})),
        ("mcp.method.name", json!({"stringValue": "tools/call"})),
    ]);
    let span = json!({
        "traceId": "0AF7651916CD43DD8448EB211C80319C", "spanId": "b7ad6b7169203331", "parentSpanId": "00f067aa0ba902b7",
        "flags": 256, "name": "chat gpt-5", "kind": "SPAN_KIND_CLIENT", "futureField": {"x": [1]},
        "startTimeUnixNano": "1767225600000000000", "endTimeUnixNano": 1_767_225_601_500_000_001u64,
        "attributes": attributes, "status": {"code": 2, "message": "rate limited"},
        "events": [{"name": "retry", "timeUnixNano": "1767225601000000000", "attributes": list(&[("n", json!({"intValue": "1"}))])}],
        "links": [{"traceId": "1af7651916cd43dd8448eb211c80319c", "spanId": "c7ad6b7169203331"}]
    });
    let export = json!({"resourceSpans": [{
        "resource": {"attributes": list(&[("service.name", json!({"stringValue": "my shop"})), ("os.type", json!({"stringValue": "linux"}))])},
        "scopeSpans": [{"scope": {"name": "instrumentation"}, "spans": [span]}]
    }]});
    check(
        &events(Signal::Traces, &export)[0],
        expect![[r#"
        data name: "chat gpt-5"
        data kind: "SPAN_KIND_CLIENT"
        data start: "2026-01-01T00:00:00Z"
        data end: "2026-01-01T00:00:01.500000001Z"
        data duration_ms: 1500.000001
        data status: {"code":"STATUS_CODE_ERROR","message":"rate limited"}
        data parent_span_id: "00f067aa0ba902b7"
        data usage: {"input_tokens":1200,"output_tokens":42,"cache_read_tokens":5000,"cache_creation_tokens":0}
        data attributes: {"gen_ai.operation.name":"chat","gen_ai.request.model":"gpt-5","gen_ai.agent.name":"scribe","gen_ai.usage.input_tokens":6200,"gen_ai.usage.output_tokens":42,"gen_ai.usage.cache_read.input_tokens":5000,"gen_ai.conversation.id":"conversation-1","mcp.method.name":"tools/call"}
        data events: [{"name":"retry","time":"2026-01-01T00:00:01Z","attributes":{"n":1}}]
        data links: [{"trace_id":"1af7651916cd43dd8448eb211c80319c","span_id":"c7ad6b7169203331"}]
        data scope: "instrumentation"
        data resource: {"service.name":"my shop"}
        id: "20e612aa2f6e0424a6a8d9207203dfcc"
        source: "/otel/my%20shop"
        type: "otel.span"
        subject: "source/otel/my%20shop"
        parentspanid: "00f067aa0ba902b7"
        otelstatus: "STATUS_CODE_ERROR"
        otelkind: "SPAN_KIND_CLIENT"
        time: "2026-01-01T00:00:01.500000001Z"
        actortype: "agent"
        actorid: "scribe"
        actormodel: "gpt-5"
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        contextid: "conversation-1"
        severity: "error"
    "#]],
    );
}

#[test]
fn a_log_record_of_another_program() {
    let more = json!({"body": {"kvlistValue": {"values": list(&[("a", json!({"boolValue": true}))])}}, "severityNumber": 17, "severityText": "ERROR"});
    let export = log(&[("duration_ms", json!({"stringValue": "7"}))], &more);
    check(
        &events(Signal::Logs, &export)[0],
        expect![[r#"
        data duration_ms: "7"
        data body: {"a":true}
        data severity_text: "ERROR"
        data scope: "pay"
        data resource: {"service.name":"shop"}
        id: "841c170d5995538b9f08ab170762d40e"
        source: "/otel/shop"
        type: "otel.log"
        subject: "source/otel/shop"
        severity: "error"
        actorid: "shop"
        actortype: "system"
        time: "2026-01-01T00:00:00.000000001Z"
    "#]],
    );
}

#[test]
fn a_body_is_a_type_only_where_it_says_whose() {
    let mut export = log(&[], &json!({"body": {"stringValue": "claude_code.new_event"}}));
    assert_eq!(events(Signal::Logs, &export)[0].kind(), "claude_code.new_event");
    let of_claude_code = list(&[("service.name", json!({"stringValue": "claude-code"}))]);
    export["resourceLogs"][0]["resource"]["attributes"] = of_claude_code;
    export["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0]["body"] = json!({"stringValue": "hello"});
    assert_eq!(events(Signal::Logs, &export)[0].kind(), "otel.log");
}

#[test]
fn distributions_are_objects() {
    let point = json!({"timeUnixNano": "1767225600000000001", "count": "3", "sum": 1.5, "bucketCounts": ["1", "2"], "explicitBounds": [0.5]});
    let export = json!({"resourceMetrics": [{"scopeMetrics": [{"metrics": [
        {"name": "latency", "unit": "s", "histogram": {"aggregationTemporality": 2, "dataPoints": [point]}},
        {"name": "depth", "gauge": {"dataPoints": [{"asInt": "-7"}, {}]}},
        {"name": "nothing"}
    ]}]}]});
    let values: Vec<Value> =
        events(Signal::Metrics, &export).iter().map(|event| told(event)["data"]["value"].clone()).collect();
    let histogram = json!({"count": 3, "sum": 1.5, "bucket_counts": [1, 2], "explicit_bounds": [0.5]});
    assert_eq!(values, [histogram, json!(-7), Value::Null]);
}

#[test]
fn secrets_are_cut_out_of_every_part() {
    let secret = json!({"stringValue": "sk-ant-api03-abcdefghijklmnopqrstuvwxyz0123456789"});
    let body = json!({"body": {"stringValue": "password=hunter2hunter2"}});
    let export =
        log(&[("api_key", json!({"stringValue": "plain-but-named"})), ("note", secret.clone())], &body);
    let mut export = export;
    export["resourceLogs"][0]["resource"]["attributes"]
        .as_array_mut()
        .unwrap()
        .push(json!({"key": "session.id", "value": secret}));
    let event = &events(Signal::Logs, &export)[0];
    let all = String::from_utf8_lossy(event.bytes()).into_owned();
    for secret in ["hunter2", "plain-but-named", "abcdefghijklmnop"] {
        assert!(!all.contains(secret), "{all}");
    }
}

#[test]
fn a_record_over_the_limit_is_cut_and_one_that_is_none_is_told() {
    let redactor = Redactor::builtin();
    let door = Door { limits: Limits { event_bytes: 2048, ..Limits::default() }, ..Door::new(&redactor) };
    let mut export = log(&[("long", json!({"stringValue": "x".repeat(5000)}))], &json!({}));
    export["resourceLogs"][0]["scopeLogs"][0]["logRecords"].as_array_mut().unwrap().push(json!(7));
    let body = export.to_string();
    let export = Export::read(Signal::Logs, Encoding::Json, body.as_bytes(), &door.limits).unwrap();
    let read: Vec<_> = export.events(&door, NOW).collect();
    assert_eq!(told(read[0].as_ref().unwrap())["data"]["long"]["truncated_bytes"], 5000);
    assert_eq!(read[1].as_ref().unwrap_err().detail, "a log record is no JSON object");
}

#[test]
fn malformed_bodies_are_refused_whole() {
    let refused = |encoding, body: &[u8]| export(Signal::Logs, encoding, body).unwrap_err();
    for (encoding, body, code) in [
        (Encoding::Json, &b"{\"resourceLogs\":["[..], Code::InvalidJson),
        (Encoding::Json, b"[]", Code::InvalidJson),
        (Encoding::Json, b"\xff", Code::InvalidUtf8),
        (Encoding::Protobuf, b"{}", Code::InvalidProtobuf),
        (Encoding::Protobuf, b"\x0a\x7f", Code::InvalidProtobuf),
    ] {
        assert_eq!(refused(encoding, body).code, code);
    }
    let deep = "{\"resourceLogs\":".repeat(101) + "1" + &"}".repeat(101);
    assert_eq!(refused(Encoding::Json, deep.as_bytes()).code, Code::TooDeep);
    assert_eq!(export(Signal::Logs, Encoding::Json, b"{\"resourceSpans\":[{}]}").unwrap().len(), 0);
    assert_eq!(export(Signal::Logs, Encoding::Protobuf, b"").unwrap().len(), 0);
}

#[test]
fn files_hold_a_document_or_one_a_line() {
    let redactor = Redactor::builtin();
    let door = Door::new(&redactor);
    let (first, second) = (log(&[], &json!({})), log(&[("n", json!({"intValue": 1}))], &json!({})));
    let import = |file: &str| otlp::import(file.as_bytes(), &door, NOW);
    assert_eq!(import(&format!("{first:#}")).events.len(), 1);
    let lines = import(&format!("{first}\n\n{second}\n{{\"torn\":\n{{\"else\":1}}"));
    let skipped: Vec<usize> = lines.skipped.iter().map(|skipped| skipped.line).collect();
    assert_eq!((lines.events.len(), skipped), (2, vec![4, 5]));
    assert_eq!(lines.events[0], events(Signal::Logs, &first)[0]);
}
