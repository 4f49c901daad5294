//! Lists, pages, streams, timelines, the rebuilt read side.

use crate::server::{Server, Setup};
use serde_json::{Value, json};
use tempfile::TempDir;

#[test]
fn pages_neither_repeat_nor_skip() {
    let server = Server::start();
    server.append("demo.a", "task/x", 250);
    server.append("demo.b", "task/x", 250);
    for reverse in [false, true] {
        let mut seen: Vec<u64> = Vec::new();
        let mut cursor = String::new();
        loop {
            let path = format!("/api/events?type=demo.*&limit=70&reverse={reverse}{cursor}");
            let page = server.get(&path).json();
            let events = page["events"].as_array().unwrap();
            assert!(events.len() <= 70);
            seen.extend(events.iter().map(|event| event["position"].as_u64().unwrap()));
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        let mut expected: Vec<u64> = (1..=500).collect();
        if reverse {
            expected.reverse();
        }
        assert_eq!(seen, expected);
    }
}

#[test]
fn filters_and_what_they_refuse() {
    let server = Server::start();
    server.append("demo.a", "task/x", 2);
    server.append("demo.b", "task/y", 1);
    assert_eq!(server.types("/api/events?type=demo.b"), ["demo.b"]);
    assert_eq!(server.types("/api/events?stream=task%2Fx&limit=1"), ["demo.a"]);
    assert_eq!(server.types("/api/events?type=demo.a&type=demo.b").len(), 3);
    assert_eq!(server.types("/api/events?where=.data.n%20%3D%3D%201"), ["demo.a"]);
    assert_eq!(server.types("/api/events?after=2"), ["demo.b"]);
    for bad in
        ["since=whenever", "limit=0", "limit=many", "nope=1", "format=xml", "wait=soon", "reverse=maybe"]
    {
        let path = format!("/api/events?{bad}");
        assert_eq!(server.get(&path).refusal(), (400, "invalid_filter".into()), "{bad}");
    }
    assert_eq!(server.get("/api/events?cursor=zz").refusal(), (400, "invalid_cursor".into()));
}

#[test]
fn a_cursor_of_another_log_or_direction_is_refused() {
    let (one, other) = (Server::start(), Server::start());
    one.append("demo.a", "task/x", 5);
    other.append("demo.a", "task/x", 5);
    let next = one.get("/api/events?limit=2").json()["next"].as_str().unwrap().to_owned();
    assert_eq!(one.get(&format!("/api/events?cursor={next}")).status, 200);
    let turned = one.get(&format!("/api/events?cursor={next}&reverse=true"));
    assert_eq!(turned.refusal(), (400, "invalid_cursor".into()));
    let foreign = other.get(&format!("/api/events?cursor={next}"));
    assert_eq!(foreign.refusal(), (400, "invalid_cursor".into()));
}

#[test]
fn one_id_of_two_sources_is_ambiguous() {
    let server = Server::start();
    for source in ["/a", "/b"] {
        let event = json!({"specversion": "1.0", "id": "same/id", "source": source, "type": "demo.a"});
        assert_eq!(server.post("/api/events", &event).status, 201);
    }
    let ambiguous = server.get("/api/events/same%2Fid");
    assert_eq!(ambiguous.refusal(), (409, "ambiguous_id".into()));
    assert_eq!(ambiguous.json()["sources"], json!(["/a", "/b"]));
    assert_eq!(server.get("/api/events/same%2Fid?source=%2Fb").json()["source"], json!("/b"));
    assert_eq!(server.get("/api/events/none").refusal(), (404, "event_not_found".into()));
    let simple = server.get("/api/events/same%2Fid?source=%2Fb&format=simple").json();
    assert_eq!(simple["event_type"], json!("demo.a"));
}

#[test]
fn streams_and_timelines() {
    let server = Server::start();
    server.append("demo.a", "task/x", 2);
    server.append("demo.b", "task/a%2Fb", 1);
    server.append("demo.b", "issue/P-1", 3);
    let names = |path: &str| -> Vec<Value> {
        let page = server.get(path).json();
        page["streams"].as_array().unwrap().iter().map(|stream| stream["stream"].clone()).collect()
    };
    assert_eq!(names("/api/streams"), ["issue/P-1", "task/a%2Fb", "task/x"]);
    assert_eq!(names("/api/streams?category=task"), ["task/a%2Fb", "task/x"]);
    let page = server.get("/api/streams?limit=1").json();
    assert_eq!(page["next"], json!("issue/P-1"));
    assert_eq!(names("/api/streams?limit=1&after=issue%2FP-1"), ["task/a%2Fb"]);

    let stream = server.get("/api/streams/issue/P-1").json();
    assert_eq!((&stream["sequence"], &stream["first"]["position"]), (&json!(3), &json!(4)));
    assert_eq!(server.get("/api/streams/issue/none").refusal(), (404, "stream_not_found".into()));

    for path in ["/api/streams/task/x/timeline", "/api/state/task/x/timeline"] {
        let timeline = server.get(path).json();
        let entries = timeline["entries"].as_array().unwrap();
        assert_eq!(entries.len(), 2);
        assert_eq!((&entries[1]["sequence"], &entries[1]["summary"]), (&json!(2), &json!("n=1")));
    }
    assert_eq!(server.get("/api/streams/task/none/timeline").refusal(), (404, "stream_not_found".into()));
}

#[test]
fn the_read_side_is_made_anew() {
    let server = Server::start();
    server.append("demo.a", "task/x", 100);
    let before = server.get("/api/events?limit=1000").json();
    let rebuilt = server.request("POST", "/api/admin/rebuild", &[], b"");
    assert_eq!((rebuilt.status, rebuilt.json()["position"].as_u64()), (202, Some(100)));
    assert_eq!(server.get("/api/events?limit=1000").json(), before);
}

#[test]
fn a_view_that_cannot_come_in_time_says_so() {
    let setup = Setup { engine: Some(|config| config.query.wait_ms = 0), server: None };
    let server = Server::start_with(setup, TempDir::new().unwrap());
    server.append("demo.a", "task/x", 1);
    let behind = server.get("/api/events?wait=1000");
    assert_eq!(behind.refusal(), (503, "view_behind".into()));
    assert_eq!((behind.header("retry-after"), &behind.json()["wanted"]), (Some("1"), &json!(1000)));
    assert_eq!(server.get("/api/events?wait=0").status, 200);
}
