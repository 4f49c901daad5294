//! `POST /api/events`.

use crate::client;
use crate::server::Server;
use serde_json::{Value, json};
use std::io::Write;

fn event(id: &str, stream: &str) -> Value {
    json!({"specversion": "1.0", "id": id, "source": "/t", "type": "demo.a", "subject": stream, "data": {"n": 1}})
}

#[test]
fn one_event_is_appended_and_found() {
    let server = Server::start();
    let answer = server.post("/api/events", &event("a", "task/x"));
    assert_eq!(answer.status, 201);
    assert_eq!(
        answer.json(),
        json!({"appended": [{"id": "a", "subject": "task/x", "sequence": 1, "position": 1, "duplicate": false}]})
    );
    let found = server.get("/api/events/a").json();
    assert_eq!((found["position"].as_u64(), &found["data"]), (Some(1), &json!({"n": 1})));
}

#[test]
fn a_repeated_id_is_one_event() {
    let server = Server::start();
    server.post("/api/events", &event("a", "task/x"));
    let again = server.post("/api/events", &event("a", "task/x"));
    assert_eq!((again.status, &again.json()["appended"][0]["duplicate"]), (201, &json!(true)));
    let mut other = event("a", "task/x");
    other["data"] = json!({"n": 2});
    assert_eq!(server.post("/api/events", &other).refusal(), (409, "id_conflict".into()));
}

#[test]
fn expectations() {
    let server = Server::start();
    let expect = |id: &str, expected: &str| {
        let headers = [("Expected-Sequence", expected)];
        server.post_with("/api/events", &event(id, "task/x"), &headers)
    };
    assert_eq!(expect("a", "none").status, 201);
    let refused = expect("b", "5");
    assert_eq!(refused.refusal(), (409, "sequence_conflict".into()));
    let told = refused.json();
    assert_eq!((&told["expected"], &told["actual"]), (&json!(5), &json!(1)));
    assert_eq!(expect("b", "1").status, 201);
    assert_eq!(expect("c", "any").status, 201);
    assert_eq!(expect("d", "lease/l=none, task/x=3").status, 201);
    assert_eq!(expect("e", "task/x=4, lease/l=1").refusal().1, "sequence_conflict");
    assert_eq!(expect("f", "soon").refusal(), (400, "invalid_header".into()));
}

#[test]
fn a_batch_is_all_or_nothing() {
    let server = Server::start();
    let batch = json!([event("a", "task/x"), event("", "task/x")]);
    let refused = server.post("/api/events", &batch);
    assert_eq!((refused.status, refused.json()["index"].as_u64()), (422, Some(1)));
    assert!(server.types("/api/events").is_empty());
}

#[test]
fn bad_input_gets_its_code() {
    let server = Server::start();
    let post = |body: &[u8], kind: &str| {
        server.request("POST", "/api/events", &[("Content-Type", kind)], body).refusal()
    };
    assert_eq!(post(b"{nope", "application/json"), (400, "invalid_json".into()));
    assert_eq!(post(b"{}", "text/plain"), (415, "unsupported_media_type".into()));
    let mut reserved = event("a", "task/x");
    reserved["type"] = json!("tacho.alert_raised");
    assert_eq!(server.post("/api/events", &reserved).refusal(), (403, "reserved_type".into()));
    assert_eq!(server.post("/api/events?nope=1", &event("a", "task/x")).refusal().1, "invalid_filter");
    assert_eq!(server.engine.head().0, 0);
}

/// The client writes all of it before it reads: without a drain it would see a reset connection.
#[test]
fn a_body_over_the_limit_is_drained_and_refused() {
    let server = Server::start();
    let large =
        json!({"specversion": "1.0", "id": "l", "source": "/t", "type": "t", "data": "y".repeat(20_000_000)});
    assert_eq!(server.post("/api/events", &large).refusal(), (413, "batch_too_large".into()));

    let mut stream = client::connect(server.address);
    let head = "POST /api/events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n\
                Transfer-Encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    for _ in 0..100 {
        stream.write_all(b"10000\r\n").unwrap();
        stream.write_all(&[b' '; 0x10000]).unwrap();
        stream.write_all(b"\r\n").unwrap();
    }
    stream.write_all(b"0\r\n\r\n").unwrap();
    assert_eq!(client::read_answer(stream).refusal(), (413, "batch_too_large".into()));
}
