//! What is told of deliveries.

use crate::server::Server;
use serde_json::json;
use tacho_engine::delivery::{Deliver, Delivered, Delivery, Failure, Handler, Policy, Start};
use tacho_event::Filter;

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
