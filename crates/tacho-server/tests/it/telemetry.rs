//! Exports of OpenTelemetry at the door: encodings, compression, limits, answers.

use crate::client::Answer;
use crate::server::{Server, Setup};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use std::io::Write;
use tacho_event::Pattern;
use tacho_ingest::rules::{Action, Rule, Rules};
use tempfile::TempDir;

const JSON: (&str, &str) = ("Content-Type", "application/json");
const PROTOBUF: (&str, &str) = ("Content-Type", "application/x-protobuf");
const GZIP: (&str, &str) = ("Content-Encoding", "gzip");
/// The session of the captures in JSON, and of the hooks that were captured with them.
const SESSION: &str = "6de14646-dff7-4706-a66d-b9884b862135";

pub fn capture(name: &str) -> Vec<u8> {
    let path = format!("{}/../tacho-testkit/fixtures/otlp/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(path).unwrap()
}

pub fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn chunked(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for chunk in body.chunks(1000) {
        out.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        out.extend_from_slice(chunk);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"0\r\n\r\n");
    out
}

/// An export of log records with numbers from `range`.
fn logs(range: std::ops::Range<usize>) -> Vec<u8> {
    let records: Vec<Value> = range
        .map(|n| json!({"timeUnixNano": format!("{}", 1_767_225_600_000_000_000 + n), "body": {"intValue": n}}))
        .collect();
    json!({"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}).to_string().into_bytes()
}

fn taken(answer: &Answer) -> (u16, &[u8]) {
    (answer.status, &answer.body)
}

#[test]
fn captures_are_taken_in_every_form_and_once() {
    let server = Server::start();
    let post =
        |path: &str, headers: &[(&str, &str)], body: &[u8]| server.request("POST", path, headers, body);
    let body = capture("json/001_logs.json");
    assert_eq!(taken(&post("/v1/logs", &[JSON], &body)), (200, &b"{}"[..]));
    let head = server.engine.head().0;
    assert!(head > 50, "{head}");
    let again = [
        post("/v1/logs", &[JSON, GZIP], &gzip(&body)),
        post("/v1/logs", &[JSON, ("Transfer-Encoding", "chunked")], &chunked(&body)),
        post("/v1/logs", &[JSON, GZIP, ("Transfer-Encoding", "chunked")], &chunked(&gzip(&body))),
    ];
    assert!(again.iter().all(|answer| taken(answer) == (200, b"{}")), "{again:?}");
    assert_eq!(server.engine.head().0, head);

    for (path, name) in
        [("/v1/logs", "001_logs"), ("/v1/traces", "002_traces"), ("/v1/metrics", "003_metrics")]
    {
        let answer = post(path, &[PROTOBUF], &capture(&format!("protobuf/{name}.pb")));
        assert_eq!(taken(&answer), (200, &b""[..]));
        assert_eq!(answer.header("content-type"), Some("application/x-protobuf"));
    }
    for kind in ["claude_code.api_request", "otel.span", "otel.metric"] {
        assert!(!server.types(&format!("/api/events?type={kind}")).is_empty(), "{kind}");
    }
}

#[test]
fn telemetry_joins_the_session_of_the_hooks() {
    let server = Server::start();
    let hook = json!({"hook_event_name": "SessionStart", "session_id": SESSION, "cwd": "/home/dev/demo"});
    assert_eq!(server.post("/hooks/claude-code", &hook).status, 200);
    server.request("POST", "/v1/traces", &[JSON], &capture("json/012_traces.json"));
    server.request("POST", "/v1/logs", &[JSON], &capture("json/013_logs.json"));
    let types = server.types(&format!("/api/events?stream=session/{SESSION}"));
    for kind in ["claude.session_start", "claude_code.api_request", "otel.span"] {
        assert!(types.iter().any(|known| known == kind), "{kind} is not in {types:?}");
    }
    assert_eq!(server.types(&format!("/api/events?session={SESSION}")), types);
}

#[test]
fn an_export_of_more_than_a_batch_is_taken_whole() {
    let server = Server::start();
    assert_eq!(server.request("POST", "/v1/logs", &[JSON], &logs(0..2_500)).status, 200);
    assert_eq!(server.engine.head().0, 2_500);
    // The overlap is there already.
    assert_eq!(server.request("POST", "/v1/logs", &[JSON], &logs(2_000..2_600)).status, 200);
    assert_eq!(server.engine.head().0, 2_600);
}

#[test]
fn records_that_are_no_events_are_told() {
    let server = Server::start();
    let export =
        json!({"resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": {"stringValue": "a"}}, 7]}]}]});
    let answer = server.post("/v1/logs", &export).json();
    let reason = "a log record is no JSON object";
    assert_eq!(answer, json!({"partialSuccess": {"rejectedLogRecords": "1", "errorMessage": reason}}));
    assert_eq!(server.types("/api/events"), ["otel.log"]);
}

#[test]
fn malformed_exports_are_refused_with_a_code() {
    let server = Server::start();
    let refusal =
        |headers: &[(&str, &str)], body: &[u8]| server.request("POST", "/v1/logs", headers, body).refusal();
    assert_eq!(refusal(&[JSON], b"{\"resourceLogs\":["), (400, "invalid_json".into()));
    assert_eq!(refusal(&[PROTOBUF], b"{}"), (400, "invalid_protobuf".into()));
    assert_eq!(refusal(&[JSON, GZIP], b"{}"), (400, "invalid_encoding".into()));
    assert_eq!(
        refusal(&[JSON, GZIP], &gzip(b"{\"resourceLogs\":[]}")[..20]),
        (400, "invalid_encoding".into())
    );
    assert_eq!(refusal(&[JSON, ("Content-Encoding", "br")], b"{}"), (415, "unsupported_media_type".into()));
    assert_eq!(refusal(&[("Content-Type", "text/plain")], b"{}"), (415, "unsupported_media_type".into()));
    assert_eq!(server.engine.head().0, 0);
}

#[test]
fn an_export_is_bounded_in_its_expanded_size() {
    let shrink = |config: &mut tacho_server::Config| config.limits.telemetry_bytes = 10_000;
    let server = Server::start_with(Setup { engine: None, server: Some(shrink) }, TempDir::new().unwrap());
    let refusal =
        |headers: &[(&str, &str)], body: &[u8]| server.request("POST", "/v1/logs", headers, body).refusal();
    let large = logs(0..200);
    assert!(gzip(&large).len() < 10_000);
    assert_eq!(refusal(&[JSON], &large), (413, "batch_too_large".into()));
    assert_eq!(refusal(&[JSON, GZIP], &gzip(&large)), (413, "batch_too_large".into()));
    assert_eq!(server.request("POST", "/v1/logs", &[JSON, GZIP], &gzip(&logs(0..50))).status, 200);
    assert_eq!(server.engine.head().0, 50);
}

#[test]
fn a_bomb_of_300_mib_is_refused() {
    let server = Server::start();
    let bomb = gzip(&vec![b' '; 1 << 20]).repeat(300);
    let answer = server.request("POST", "/v1/logs", &[JSON, GZIP], &bomb);
    assert_eq!(answer.refusal(), (413, "batch_too_large".into()));
    assert_eq!(server.request("POST", "/v1/logs", &[JSON], &logs(0..1)).status, 200);
}

#[test]
fn rules_hold_for_telemetry() {
    let drop_hooks = |config: &mut tacho_server::Config| {
        let pattern = Pattern::new("claude_code.hook_*");
        config.intake.rules = Rules(vec![Rule { pattern, action: Action::Drop }]);
    };
    let server =
        Server::start_with(Setup { engine: None, server: Some(drop_hooks) }, TempDir::new().unwrap());
    server.request("POST", "/v1/logs", &[JSON], &capture("json/013_logs.json"));
    let types = server.types("/api/events");
    assert!(types.iter().any(|kind| kind == "claude_code.api_request"), "{types:?}");
    assert!(!types.iter().any(|kind| kind.starts_with("claude_code.hook_")), "{types:?}");
}
