//! What is told of deliveries.

use crate::server::Server;
use serde_json::json;
use tacho_engine::delivery::{Deliver, Delivered, Delivery, Failure, Handler, Policy, Start};
use tacho_engine::heal::{Action, On, Rule};
use tacho_event::{Filter, Pattern};

/// Refuses every event whose number is odd.
struct Picky;

impl Deliver for Picky {
    fn deliver(&mut self, delivery: &Delivery<'_>) -> Result<Delivered, Failure> {
        let is_odd = |data: &[u8]| !data.ends_with(b"0}") && !data.ends_with(b"2}");
        match delivery.events.iter().any(|event| event.data().is_some_and(is_odd)) {
            true => Err(Failure::reject("odd", "odd numbers are refused")),
            false => Ok(Delivered::default()),
        }
    }
}

fn picky() -> Handler {
    let policy = Policy { start: Start::Beginning, ..Policy::default() };
    Handler {
        name: "picky".into(),
        kind: "test",
        filter: Filter::default(),
        policy,
        deliver: Box::new(Picky),
    }
}

#[test]
fn deliveries_and_dead_letters_are_told() {
    let server = Server::start();
    server.append("demo.a", "task/x", 4);
    assert_eq!(server.get("/api/handlers").json(), json!({"handlers": []}));
    server.engine.start_handlers(vec![picky()]).unwrap();
    let status = loop {
        let status = server.get("/api/handlers/picky").json();
        if status["done"] == 2 && status["dead"] == 2 {
            break status;
        }
        std::thread::yield_now();
    };
    for (name, value) in [("kind", json!("test")), ("state", json!("running")), ("breaker", json!("closed"))]
    {
        assert_eq!(status[name], value, "{status}");
    }
    assert_eq!(
        (&status["pending"], &status["skipped"], &status["attempt"]),
        (&json!(0), &json!(0), &json!(0))
    );
    assert_eq!(server.get("/api/handlers").json()["handlers"][0]["name"], "picky");
    assert_eq!(server.get("/api/handlers/nobody").json()["code"], "not_found");

    let page = server.get("/api/dead-letters?handler=picky&limit=1").json();
    let letter = &page["dead_letters"][0];
    assert_eq!((&letter["handler"], &letter["error"]["code"]), (&json!("picky"), &json!("odd")));
    assert_eq!((&letter["event"]["type"], &letter["event"]["data"]["n"]), (&json!("demo.a"), &json!(1)));
    assert!(letter["id"].is_string() && letter["failedAt"].is_string());
    let rest = server.get(&format!("/api/dead-letters?cursor={}", page["next"].as_str().unwrap())).json();
    assert_eq!(rest["dead_letters"][0]["event"]["data"]["n"], 3);
    assert_eq!(server.get("/api/dead-letters?handler=other").json()["dead_letters"], json!([]));
    // The cursor is bookkeeping, which nobody sees unless they ask; dead letters are seen when they are named.
    assert_eq!(server.types("/api/events?type=tacho.dead_letter").len(), 2);
    assert!(server.types("/api/events?type=tacho.sys.*").is_empty());
    assert!(!server.types("/api/events?type=tacho.sys.*&system=true").is_empty());
}

#[test]
fn what_heals_and_what_was_tried_is_told() {
    let server = Server::start();
    assert_eq!(server.get("/api/heal").json(), json!({"rules": [], "attempts": []}));
    server.engine.start_handlers(vec![picky()]).unwrap();
    let on = On { handler: Some(Pattern::new("pick*")), ..On::default() };
    let rule = Rule { name: "wait".into(), on, action: Action::Later, attempts: 2, after_ms: 1 };
    server.engine.start_healer(vec![rule]).unwrap();
    server.append("demo.a", "task/x", 2);
    let told = loop {
        let told = server.get("/api/heal").json();
        if told["attempts"][0]["state"] == "given_up" {
            break told;
        }
        std::thread::yield_now();
    };
    let rule = json!({"name": "wait", "on": {"handler": "pick*"}, "do": "later", "attempts": 2});
    assert_eq!(told["rules"], json!([rule]));
    assert_eq!(told["attempts"].as_array().unwrap().len(), 2, "{told}");
    for (name, value) in [("handler", json!("picky")), ("rule", json!("wait")), ("action", json!("later"))] {
        assert_eq!(told["attempts"][0][name], value, "{told}");
    }
    assert_eq!((&told["attempts"][0]["attempt"], &told["attempts"][1]["attempt"]), (&json!(2), &json!(1)));
    assert_eq!(told["attempts"][1]["state"], "tried");
}
