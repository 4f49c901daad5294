//! What `/metrics` tells, and that the dashboard for Grafana asks for nothing else.

use crate::server::Server;
use serde_json::Value;
use std::collections::BTreeSet;
use tacho_engine::delivery::{Deliver, Delivered, Delivery, Failure, Handler, Policy, Start};
use tacho_event::Filter;

/// Fails once, then refuses one event and takes the others.
struct Moody {
    has_failed: bool,
}

impl Deliver for Moody {
    fn deliver(&mut self, delivery: &Delivery<'_>) -> Result<Delivered, Failure> {
        if !std::mem::replace(&mut self.has_failed, true) {
            return Err(Failure::retry("busy", "it is busy"));
        }
        match delivery.events.iter().any(|event| event.position.0 == 1) {
            true => Err(Failure::reject("first", "the first event is refused")),
            false => Ok(Delivered::default()),
        }
    }
}

fn numbers(server: &Server) -> String {
    String::from_utf8(server.get("/metrics").body).unwrap()
}

#[test]
fn traffic_and_handlers_are_told() {
    let server = Server::start();
    server.append("demo.a", "task/x", 3);
    let mut policy = Policy { start: Start::Beginning, ..Policy::default() };
    policy.retry.first_ms = 1;
    let handler = Handler {
        name: "moody".into(),
        kind: "test",
        filter: Filter { types: vec![tacho_event::Pattern::new("demo.a")], ..Filter::default() },
        policy,
        deliver: Box::new(Moody { has_failed: false }),
    };
    server.engine.start_handlers(vec![handler]).unwrap();
    while server.engine.handler("moody").is_none_or(|status| status.done + status.dead < 3) {
        std::thread::yield_now();
    }
    server.get("/api/events");
    let told = numbers(&server);
    for line in [
        "tacho_handler_lag_events{handler=\"moody\"} 0",
        "tacho_handler_lag_seconds{handler=\"moody\"} 0",
        "tacho_handler_delivered_total{handler=\"moody\"} 2",
        "tacho_handler_dead_letters_total{handler=\"moody\"} 1",
        "tacho_handler_retries_total{handler=\"moody\"} 1",
        "tacho_handler_broken{handler=\"moody\"} 0",
        "tacho_events_total{source=\"t\",type=\"demo.a\"} 3",
    ] {
        assert!(told.lines().any(|known| known == line), "{line} is not in\n{told}");
    }
    let bytes = told.lines().find_map(|line| {
        line.strip_prefix("tacho_event_bytes_total{source=\"t\",type=\"demo.a\"} ")?.parse::<u64>().ok()
    });
    assert!(bytes.is_some_and(|bytes| bytes > 300), "{told}");
    let view = told.lines().find_map(|line| line.strip_prefix("tacho_view_bytes ")?.parse::<u64>().ok());
    assert!(view.is_some_and(|bytes| bytes > 4096), "{told}");
}

/// Each family has its kind, and a name that says its unit and whether it counts up.
#[test]
fn names_keep_the_rules_of_prometheus() {
    let told = numbers(&Server::start());
    let mut seen = BTreeSet::new();
    for line in told.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, kind) = line.split_once(' ').unwrap();
        assert!(seen.insert(name), "{name} is told twice");
        assert_eq!(name.ends_with("_total"), kind == "counter", "{line}");
        assert!(name.starts_with("tacho_") && !name.ends_with("_ms"), "{line}");
        assert!(told.contains(&format!("# HELP {name} ")), "{name} has no help");
    }
    assert!(seen.len() > 30, "{seen:?}");
}

#[test]
fn the_grafana_dashboard_asks_for_what_is_told() {
    let told = numbers(&Server::start());
    let dashboard = include_str!("../../../../integrations/grafana/tachograph.json");
    let dashboard: Value = serde_json::from_str(dashboard).unwrap();
    let mut asked = 0;
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().unwrap() {
            for name in names(target["expr"].as_str().unwrap()) {
                let family = name.strip_suffix("_bucket").unwrap_or(name);
                assert!(told.contains(&format!("# TYPE {family} ")), "{} asks for {name}", panel["title"]);
                asked += 1;
            }
        }
    }
    assert!(asked > 20, "only {asked} names are asked for");
}

fn names(query: &str) -> impl Iterator<Item = &str> {
    let words = query.split(|character: char| !character.is_ascii_alphanumeric() && character != '_');
    words.filter(|word| word.starts_with("tacho_"))
}
