//! Handlers over HTTP: how they are told, and what people have them do.

use crate::live::WebSocket;
use crate::server::{Server, Setup};
use serde_json::{Value, json};
use std::sync::Arc;
use tacho_engine::delivery::{Deliver, Delivered, Delivery, Failure, Returned, Workers};
use tacho_engine::handler::{Definition, Policy, Retry};
use tacho_event::{Filter, Pattern};
use tempfile::TempDir;

const TOKEN: (&str, &str) = ("x-tacho-control", "c0ffee");

/// Answers `work.ready`; refuses what says that it is bad.
struct Reviewer;

impl Workers for Reviewer {
    fn start(&self) -> Result<Box<dyn Deliver>, Failure> {
        Ok(Box::new(Self))
    }
}

impl Deliver for Reviewer {
    fn deliver(&mut self, delivery: &Delivery<'_>) -> Result<Delivered, Failure> {
        let data = String::from_utf8_lossy(delivery.events[0].data().unwrap_or_default()).into_owned();
        if data.contains("bad") {
            return Err(Failure::reject("refused", "it is bad"));
        }
        let ready = format!("{{\"type\":\"work.ready\",\"data\":{data}}}").into_bytes();
        Ok(Delivered { returned: vec![Returned(ready)], skipped: 0 })
    }
}

fn server() -> Server {
    let setup =
        Setup { server: Some(|config| config.control_token = Some("c0ffee".into())), ..Setup::default() };
    let server = Server::start_with(setup, TempDir::new().unwrap());
    let review = Definition {
        name: "review".into(),
        kind: "test",
        filter: Filter { types: vec![Pattern::new("work.requested")], ..Filter::default() },
        policy: Policy { retry: Retry { attempts: 1, ..Retry::default() }, ..Policy::default() },
        workers: Arc::new(Reviewer),
        capabilities: vec!["review".into()],
        version: Some("1.0.0".into()),
        digest: String::new(),
    };
    server.engine.start_reactions(vec![review]).unwrap();
    server
}

fn request(server: &Server, id: &str, data: &Value) {
    let event = json!({"specversion": "1.0", "id": id, "source": "/t", "type": "work.requested", "subject": "task/x", "data": data});
    assert_eq!(server.post("/api/events", &event).status, 201);
}

fn until(server: &Server, path: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    loop {
        let found = server.get(path).json();
        if is_so(&found) {
            return found;
        }
        std::thread::yield_now();
    }
}

fn control(server: &Server, path: &str, body: &Value) -> Value {
    let answer = server.post_with(path, body, &[TOKEN, ("x-tacho-actor", "ann")]);
    assert_eq!(answer.status, 200, "{path}: {}", answer.json());
    answer.json()
}

#[test]
fn who_asks_receives_the_answer_on_the_live_stream() {
    let server = server();
    let mut live = server.events("/api/events/stream?correlation=ask-1&type=work.*");
    let (status, mut socket) = WebSocket::open(&server, "/ws?correlation=ask-1&format=cloudevents", "");
    assert_eq!(status, 101);
    request(&server, "ask-1", &json!({"n": 7}));
    let ready = loop {
        let sent = live.next().unwrap();
        if sent.event == "event" {
            break sent.json();
        }
    };
    assert_eq!(socket.text()["id"], ready["id"]);
    assert_eq!((&ready["type"], &ready["data"]["n"]), (&json!("work.ready"), &json!(7)));
    assert_eq!((&ready["causationid"], &ready["hops"]), (&json!("ask-1"), &json!(1)));
    let told = until(&server, "/api/handlers/review", |told| told["done"] == 1);
    assert_eq!(
        (&told["role"], &told["matched"], &told["version"]),
        (&json!("handler"), &json!(1), &json!("1.0.0"))
    );
    assert!(told["latency_ms"]["p99"].is_number() && told["success_rate"] == 1.0, "{told}");
    let deliveries = server.get("/api/handlers/review/deliveries").json();
    assert_eq!(deliveries["deliveries"][0]["outcome"], "done");
    let map = until(&server, "/api/handlers/map?window=5m", |map| map["handlers"][0]["out"] != json!([]));
    assert_eq!(map["handlers"][0]["in"], json!([{"type": "work.requested", "count": 1}]));
    assert_eq!(map["handlers"][0]["out"], json!([{"type": "work.ready", "count": 1}]));
    assert_eq!(server.get("/api/handlers/map?window=2d").refusal(), (400, "invalid_filter".into()));
}

#[test]
fn control_needs_the_token_and_is_on_the_log() {
    let server = server();
    let refused = server.post("/api/handlers/review/pause", &json!({}));
    assert_eq!(refused.refusal(), (401, "control_token".into()));
    let paused = control(&server, "/api/handlers/review/pause", &json!({"reason": "deploying"}));
    assert_eq!((&paused["state"], &paused["paused"]["by"]), (&json!("paused"), &json!("user:ann")));
    request(&server, "w1", &json!({"n": 1}));
    let pending = until(&server, "/api/handlers/review/pending", |pending| pending["total"] == 1);
    assert_eq!(
        (&pending["pending"][0]["event_id"], &pending["pending"][0]["state"]),
        (&json!("w1"), &json!("waiting"))
    );
    control(&server, "/api/handlers/review/resume", &json!({}));
    until(&server, "/api/handlers/review", |told| told["done"] == 1);
    let told = server.get("/api/events?type=tacho.handler_paused").json();
    assert_eq!(
        told["events"][0]["data"],
        json!({"handler": "review", "by": "user:ann", "reason": "deploying"})
    );
    for (path, body, refusal) in [
        ("/api/handlers/nobody/pause", json!({}), (404, "not_found")),
        ("/api/handlers/review/pause", json!({"why": 1}), (422, "invalid_event")),
        ("/api/handlers/review/test", json!({}), (422, "invalid_event")),
        ("/api/handlers/review/test", json!({"position": 99_999}), (404, "event_not_found")),
    ] {
        let answer = server.post_with(path, &body, &[TOKEN]);
        assert_eq!(answer.refusal(), (refusal.0, refusal.1.into()), "{path} {body}");
    }
    let tested = control(
        &server,
        "/api/handlers/review/test",
        &json!({"event": {"type": "work.requested", "source": "/t", "data": {"n": 9}}}),
    );
    assert_eq!((&tested["outcome"], &tested["returned"][0]["data"]["n"]), (&json!("done"), &json!(9)));
}

#[test]
fn dead_letters_are_found_by_cause_edited_and_given_up() {
    let server = server();
    for n in 0..5 {
        request(&server, &format!("b{n}"), &json!({"bad": n}));
    }
    let causes = until(&server, "/api/dead-letters/causes", |causes| causes["total"] == 5);
    let cause = &causes["causes"][0];
    assert_eq!(
        (&cause["handler"], &cause["code"], &cause["count"]),
        (&json!("review"), &json!("refused"), &json!(5))
    );
    let page = server.get("/api/dead-letters?code=refused&limit=2").json();
    assert_eq!((&page["total"], page["dead_letters"].as_array().unwrap().len()), (&json!(5), 2));
    let bus = &server.get("/api/dead-letters?format=mcp&limit=1").json()["dead_letters"][0];
    assert_eq!((&bus["error"]["code"], &bus["retryCount"]), (&json!("refused"), &json!(0)));
    assert_eq!(
        (&bus["originalEvent"]["event"], &bus["originalEvent"]["payload"]["bad"]),
        (&json!("work.requested"), &json!(0))
    );
    let id = page["dead_letters"][0]["id"].as_str().unwrap().to_owned();
    control(
        &server,
        &format!("/api/dead-letters/{id}/retry"),
        &json!({"data": {"n": 888}, "reason": "mended"}),
    );
    until(&server, "/api/handlers/review", |told| told["done"] == 1);
    assert_eq!(server.get(&format!("/api/dead-letters/{id}")).json()["state"], "retried");
    let again = server.post_with(&format!("/api/dead-letters/{id}/retry"), &json!({}), &[TOKEN]);
    assert_eq!(again.refusal(), (409, "already_settled".into()));
    let ready = server.get("/api/events?type=work.ready").json();
    assert_eq!(ready["events"][0]["data"]["n"], 888);
    let without = server.post_with("/api/dead-letters/discard", &json!({"handler": "review"}), &[TOKEN]);
    assert_eq!(without.refusal(), (422, "invalid_event".into()));
    let discarded =
        control(&server, "/api/dead-letters/discard", &json!({"handler": "review", "reason": "a test"}));
    assert_eq!(discarded, json!({"count": 4, "left": 0}));
    assert_eq!(until(&server, "/api/dead-letters", |page| page["total"] == 0)["dead_letters"], json!([]));
}
