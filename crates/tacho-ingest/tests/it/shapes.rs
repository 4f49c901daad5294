//! Every input shape, every output shape.

use crate::support::{post, recorded, told};
use expect_test::{Expect, expect};
use serde_json::Value;
use tacho_ingest::shape::{self, Format};

const SIMPLE: &str = r#"{"event_type":"task_queued","timestamp":1729012418.123,"payload":{"task_id":"t_001","feature":"auth","est_cost":0.35}}"#;
const BASE: &str = r#"{"event_id":"6c1b8f0e-8a35-4f6e-9a55-0f0f0f0f0f0f","event_type":"OrchestrationStarted","event_version":"1.2.0","timestamp":"2025-12-22T10:30:00.123Z","event_sequence":9,"issue_key":"PROJ-123","session_id":"b-1","correlation_id":null,"actor":{"type":"user","id":"dev@example.com"},"metadata":{"issue_key":"PROJ-123","labels":[]},"git_sha":"abc","codebase_state":"h"}"#;
const OTEL: &str = r#"{"name":"urlCacher.downloadStarted","timestamp":"2024-01-15T14:30:00.000Z","trace_id":"0af7651916cd43dd8448eb211c80319c","span_id":"b7ad6b7169203331","parent_span_id":"00f067aa0ba902b7","kind":"SPAN_KIND_CLIENT","status":{"code":"STATUS_CODE_ERROR","message":"m"},"attributes":{"url":"https://x.example"},"type":"warning"}"#;
const MCP: &str = r#"{"event":"tool.browser_take_screenshot.completed","serverId":"com.microsoft.playwright/mcp","payload":{"tool":"x"},"timestamp":"2024-12-21T10:30:00Z","conversationId":"conv-1","correlationId":"corr-1"}"#;

fn render(event: &tacho_event::Event, format: Format) -> Value {
    let mut out = Vec::new();
    shape::render(&recorded(event), format, &mut out);
    serde_json::from_slice(&out).unwrap()
}

fn check(sent: &str, format: Format, expected: Expect) {
    let event = post(sent).unwrap().remove(0);
    expected.assert_eq(&serde_json::to_string(&told(&event)).unwrap());
    let back = render(&event, format);
    let sent: Value = serde_json::from_str(sent).unwrap();
    for (key, value) in sent.as_object().unwrap() {
        let is_log_s = matches!(key.as_str(), "timestamp" | "event_sequence" | "type");
        assert!(is_log_s || value.is_null() || back[key] == *value, "{key}: {back}");
    }
}

#[test]
fn simple() {
    check(
        SIMPLE,
        Format::Simple,
        expect![[
            r#"{"data":{"task_id":"t_001","feature":"auth","est_cost":0.35},"id":"id-1","source":"/api","type":"task_queued","subject":"task/t_001","time":"2024-10-15T17:13:38.123Z"}"#
        ]],
    );
}

#[test]
fn base() {
    check(
        BASE,
        Format::Base,
        expect![[
            r#"{"data":{"issue_key":"PROJ-123","labels":[]},"id":"6c1b8f0e-8a35-4f6e-9a55-0f0f0f0f0f0f","source":"/api","type":"OrchestrationStarted","subject":"issue/PROJ-123","traceparent":"00-5bd2b5a4c99a1f3d4d701ec1e94d1b19-d0bc4ce85a1462ac-01","actorid":"dev@example.com","actortype":"user","dataschema":"urn:tacho:schema:OrchestrationStarted:1.2.0","time":"2025-12-22T10:30:00.123Z","originsequence":9,"sessionid":"b-1","gitsha":"abc","codebasestate":"h"}"#
        ]],
    );
}

#[test]
fn otel() {
    check(
        OTEL,
        Format::Otel,
        expect![[
            r#"{"data":{"url":"https://x.example"},"id":"id-1","source":"/api","type":"urlCacher.downloadStarted","subject":"source/api","traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01","severity":"warning","otelstatusmessage":"m","time":"2024-01-15T14:30:00.000Z","parentspanid":"00f067aa0ba902b7","otelkind":"SPAN_KIND_CLIENT","otelstatus":"STATUS_CODE_ERROR"}"#
        ]],
    );
}

#[test]
fn mcp() {
    check(
        MCP,
        Format::Mcp,
        expect![[
            r#"{"data":{"tool":"x"},"id":"id-1","source":"com.microsoft.playwright/mcp","type":"tool.browser_take_screenshot.completed","subject":"context/conv-1","correlationid":"corr-1","contextid":"conv-1","time":"2024-12-21T10:30:00Z"}"#
        ]],
    );
}

#[test]
fn every_event_has_every_shape() {
    for sent in [
        SIMPLE,
        BASE,
        OTEL,
        MCP,
        r#"{"specversion":"1.0","source":"/t","type":"a"}"#,
        r#"{"specversion":"1.0","source":"/t","type":"a","data_base64":"AA=="}"#,
    ] {
        let event = post(sent).unwrap().remove(0);
        for format in Format::ALL {
            assert!(render(&event, format).is_object());
            assert_eq!(Format::from_name(format.name()), Some(format));
        }
    }
    let event = post(SIMPLE).unwrap().remove(0);
    expect![[r#"{"event_id":"id-1","event_type":"task_queued","event_version":"1.0.0","timestamp":"2024-10-15T17:13:38.123Z","event_sequence":7,"issue_key":null,"session_id":null,"actor":{"type":"system","id":"/api"},"metadata":{"task_id":"t_001","feature":"auth","est_cost":0.35}}"#]].assert_eq(&render(&event, Format::Base).to_string());
    expect![[r#"{"timestamp":"2024-10-15T17:13:38.123Z","trace_id":"3c5ded62615157983918dfe4e7f4c50f","span_id":"baed1f65fbf1d627","name":"task_queued","kind":"SPAN_KIND_INTERNAL","status":{"code":"STATUS_CODE_OK"},"attributes":{"task_id":"t_001","feature":"auth","est_cost":0.35}}"#]].assert_eq(&render(&event, Format::Otel).to_string());
    expect![[r#"{"event":"task_queued","serverId":"/api","payload":{"task_id":"t_001","feature":"auth","est_cost":0.35},"timestamp":"2024-10-15T17:13:38.123Z"}"#]].assert_eq(&render(&event, Format::Mcp).to_string());
    let event = post(BASE).unwrap().remove(0);
    expect![[r#"{"event_type":"OrchestrationStarted","timestamp":1766399400.123,"payload":{"issue_key":"PROJ-123","labels":[]}}"#]].assert_eq(&render(&event, Format::Simple).to_string());
}

#[test]
fn streams() {
    let stream = |sent: &str| post(sent).unwrap()[0].stream().to_owned();
    let base = r#"{"event_type":"X","event_id":"1","metadata":{}}"#;
    assert_eq!(stream(base), "source/api");
    assert_eq!(stream(&base.replace("{}", r#"{"issue_key":"P-1"}"#)), "issue/P-1");
    assert_eq!(stream(&base.replace("\"1\"", r#""1","session_id":"s""#)), "session/s");
    assert_eq!(stream(&base.replace("\"1\"", r#""1","issue_key":"P-2","subject":"issue/x""#)), "issue/x");
    assert_eq!(stream(r#"{"event_type":"x","payload":{}}"#), "source/api");
    assert_eq!(stream(r#"{"event_type":"x","payload":{"task_id":"t"},"subject":"a/b"}"#), "a/b");
    assert_eq!(stream(r#"{"event":"x","serverId":"s/mcp","payload":1}"#), "source/s/mcp");
    assert_eq!(stream(r#"{"event":"x","serverId":"s/mcp","context_id":"c"}"#), "context/c");
    assert_eq!(stream(r#"{"name":"a.b","attributes":{},"session_id":"s"}"#), "source/api");
    assert_eq!(stream(r#"{"session_id":"s","hook_event_name":"Stop"}"#), "session/s");
}

#[test]
fn an_issue_of_another_stream_is_kept() {
    let event =
        post(r#"{"event_type":"X","event_id":"1","issue_key":"P-2","subject":"task/x","metadata":{}}"#)
            .unwrap()
            .remove(0);
    assert_eq!(render(&event, Format::Base)["issue_key"], "P-2");
}
