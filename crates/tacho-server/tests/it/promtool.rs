//! What `/metrics` answers, judged by Prometheus' own `promtool`.

use crate::server::Server;
use crate::telemetry::capture;
use serde_json::{Value, json};
use std::io::Write;
use std::process::{Command, Stdio};

/// Every family has a line: hooks, requests with and without a price, an agent at work, a finished task.
fn work(server: &Server) {
    let hook = json!({"hook_event_name": "SessionStart", "session_id": "s1", "cwd": "/home/dev/demo"});
    assert_eq!(server.post("/hooks/claude-code", &hook).status, 200);
    let json = ("Content-Type", "application/json");
    assert_eq!(server.request("POST", "/v1/logs", &[json], &capture("json/013_logs.json")).status, 200);
    let event = |number: usize, kind: &str, data: Value| json!({"specversion": "1.0", "id": format!("e{number}"), "source": "/t", "type": kind, "subject": "task/t1", "data": data});
    let unknown =
        json!({"session.id": "s1", "model": "house \"model\" \\ é", "input_tokens": 5, "request_id": "r1"});
    let work = [
        ("task_queued", json!({"task_id": "t1"})),
        ("agent_started", json!({"agent": "scribe \"the\nquick\"", "task_id": "t1"})),
        ("claude_code.api_request", unknown),
        (
            "agent_completed",
            json!({"agent": "scribe \"the\nquick\"", "task_id": "t1", "status": "success", "duration_ms": 40, "cost_usd": 0.25}),
        ),
        (
            "agent_completed",
            json!({"agent": "critic", "task_id": "t1", "status": "approved", "duration_ms": 4}),
        ),
        ("validation_complete", json!({"task_id": "t1", "passed": true, "status": "passed", "cost": 0.01})),
        ("demo.\"quoted\"\\.é", json!({})),
    ];
    let events: Vec<_> =
        work.into_iter().enumerate().map(|(number, (kind, data))| event(number, kind, data)).collect();
    let answer = server.post("/api/events", &Value::Array(events));
    assert_eq!(answer.status, 201, "{answer:?}");
}

#[test]
fn promtool_finds_nothing() {
    let server = Server::start();
    check(&server);
    work(&server);
    // What was appended is folded before this is answered.
    assert_eq!(server.get("/api/metrics").status, 200);
    let text = check(&server);
    for family in ["tacho_hook_seconds_count 1", "tacho_average_retry 0", "tacho_validation_pass_rate 1"] {
        assert!(text.lines().any(|line| line == family), "{family} is not in\n{text}");
    }
    for labelled in [
        "tacho_events_total{source=\"t\",type=\"demo.\\\"quoted\\\"\\\\.é\"} 1",
        "tacho_unpriced_requests_total{model=\"house \\\"model\\\" \\\\ é\"} 1",
    ] {
        assert!(text.lines().any(|line| line == labelled), "{labelled} is not in\n{text}");
    }
    assert!(text.contains("tacho_agent_utilization{agent=\"scribe \\\"the\\nquick\\\""), "{text}");
}

/// Answers the metrics, which promtool takes without a word.
#[track_caller]
fn check(server: &Server) -> String {
    let answer = server.get("/metrics");
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool is installed: Debian's package `prometheus` brings it");
    promtool.stdin.take().unwrap().write_all(&answer.body).unwrap();
    let output = promtool.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success() && said.is_empty(), "{}", String::from_utf8_lossy(&said));
    String::from_utf8(answer.body).unwrap()
}
