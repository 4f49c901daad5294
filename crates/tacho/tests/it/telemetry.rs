//! Exports of OpenTelemetry from files and over the wire: the same record is the same event.

use crate::place::Place;
use crate::server::Server;
use serde_json::json;
use std::path::PathBuf;

fn capture(name: &str) -> PathBuf {
    PathBuf::from(format!("{}/../tacho-testkit/fixtures/otlp/json/{name}", env!("CARGO_MANIFEST_DIR")))
}

#[test]
fn a_capture_that_was_imported_and_comes_again_is_there_once() {
    let place = Place::new();
    let server = Server::start(&place);
    let logs = capture("013_logs.json");
    let imported = |arguments: &[&str]| {
        let told =
            server.json(&[&["import", logs.to_str().unwrap(), "--json"], arguments].concat()).remove(0);
        (told["new"].as_u64().unwrap(), told["duplicates"].as_u64().unwrap(), told["skipped"] == json!(0))
    };
    assert_eq!(imported(&["--as", "otlp"]), (4, 0, true));
    assert_eq!(imported(&[]), (0, 4, true));
    let answer = server.post("/v1/logs", &std::fs::read_to_string(&logs).unwrap());
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("{}"), "{answer}");
    let events = server.json(&["events", "--limit", "1000", "--json"]);
    assert_eq!(events.len(), 4);
    assert!(events.iter().all(|event| event["type"].as_str().unwrap().starts_with("claude_code.")));
}

#[test]
fn an_export_in_protobuf_is_imported_when_its_signal_is_named() {
    let place = Place::new();
    let folder = format!("{}/../tacho-testkit/fixtures/otlp/protobuf", env!("CARGO_MANIFEST_DIR"));
    let import = |signal: &str, file: &str| {
        let path = format!("{folder}/{file}");
        place.run(&["import", "--as", &format!("otlp-{signal}"), &path, "--json"]).ok().stdout
    };
    for (signal, file) in
        [("logs", "001_logs.pb"), ("traces", "002_traces.pb"), ("metrics", "003_metrics.pb")]
    {
        let told = import(signal, file);
        assert!(told.contains("\"skipped\":0") && !told.contains("\"new\":0"), "{told}");
        assert!(import(signal, file).contains("\"new\":0"), "{signal} twice");
    }
}

#[test]
fn grpc_is_taken_where_the_configuration_says() {
    let place = Place::new();
    let file = place.write("tacho.toml", "[server]\notlp_grpc = \"127.0.0.1:0\"\n");
    let mut server = Server::start_with(&place, &["--config", file.to_str().unwrap()]);
    let told = server.said();
    let address = told.trim().strip_prefix("OTLP over gRPC is taken on ").unwrap_or_else(|| panic!("{told}"));
    std::net::TcpStream::connect(address).unwrap();
}
