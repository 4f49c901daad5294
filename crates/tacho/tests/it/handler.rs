//! `[[handler]]` from the file to what came of it, and what its user does about it.

use crate::place::Place;
use crate::server::{Server, eventually};
use serde_json::Value;

/// One that answers, and one that breaks.
const CONFIG: &str = r#"
[[handler]]
name = "echo"
on = "demo.asked"
run = { command = ["/bin/sh", "-c", "read event; echo '{\"type\":\"demo.answered\"}'"] }

[[handler]]
name = "fragile"
on = "demo.asked"
retry = { attempts = 1 }
run = { command = ["/bin/sh", "-c", "read event; echo it broke >&2; exit 3"] }
"#;

fn start(place: &Place) -> Server<'_> {
    let config = place.write("handlers.toml", CONFIG);
    Server::start_with(place, &["--config", config.to_str().unwrap()])
}

fn shown(server: &Server<'_>, name: &str) -> Value {
    server.json(&["handler", "show", name, "--json"]).remove(0)
}

#[test]
fn a_configured_handler_answers_events() {
    let place = Place::new();
    let server = start(&place);
    server.run(&["emit", "demo.asked"]).ok();
    eventually("it is done", || shown(&server, "echo")["done"] == 1);
    let answers = server.json(&["events", "--type", "demo.answered", "--json"]);
    assert_eq!((answers.len(), &answers[0]["source"]), (1, &"/handlers/echo".into()));
    let event = place.write("project/event.json", r#"{"type":"demo.asked","data":{}}"#);
    let told = server.run(&["handler", "test", "echo", "--event", event.to_str().unwrap()]).ok().stdout;
    assert!(told.contains("\"demo.answered\"") && told.lines().count() == 1, "{told}");
    let told = server.run(&["handler", "test", "fragile", "--event", event.to_str().unwrap()]);
    assert_eq!(told.code, Some(1));
    assert!(told.stderr.starts_with("error: handler fragile failed: exit_3: "), "{}", told.stderr);
}

#[test]
fn a_replay_is_executed_once_for_a_name_and_needs_the_token() {
    let place = Place::new();
    let server = start(&place);
    server.run(&["emit", "demo.asked", "--stream", "task/x"]).ok();
    eventually("it is done", || shown(&server, "echo")["done"] == 1);
    let planned = server.json(&["replay", "task/x", "--json"]).remove(0);
    assert_eq!((&planned["dry_run"], &planned["replayed_count"]), (&true.into(), &1.into()));
    let execute = ["replay", "task/x", "--execute", "--as", "again", "--reason", "mended", "--json"];
    // `fragile` gives up on it a second time, so what was planned is not what happened.
    let first = server.run(&execute);
    assert_eq!(first.code, Some(3), "{first:?}");
    let done: Value = serde_json::from_str(&first.stdout).unwrap();
    assert_eq!(
        (&done["dry_run"], &done["failed_count"], &done["repeated"]),
        (&false.into(), &1.into(), &0.into())
    );
    let result = &done["results"][0];
    assert_eq!(
        (&result["as_before"], &result["returned"][0]["type"]),
        (&true.into(), &"demo.answered".into())
    );
    assert!(result["detail"].as_str().unwrap().starts_with("fragile: exit_3"), "{result}");
    let again: Value = serde_json::from_str(&server.run(&execute).stdout).unwrap();
    assert_eq!(again["repeated"], 1);
    assert_eq!(server.json(&["events", "--type", "demo.answered", "--json"]).len(), 2);
    let marks = server.json(&["events", "--type", "tacho.replayed", "--json"]);
    assert_eq!((marks.len(), &marks[0]["data"]["reason"]), (1, &"mended".into()));
}

#[test]
fn a_paused_handler_waits_until_it_is_resumed() {
    let place = Place::new();
    let server = start(&place);
    let told = server.run(&["handler", "pause", "echo", "--reason", "lunch"]).ok().stdout;
    assert_eq!(told, "echo is paused; 0 pending\n");
    server.run(&["emit", "demo.asked"]).ok();
    eventually("it waits", || shown(&server, "echo")["pending"] == 1);
    assert_eq!(shown(&server, "echo")["paused"]["reason"], "lunch");
    server.run(&["handler", "resume", "echo"]).ok();
    eventually("it is done", || shown(&server, "echo")["done"] == 1);
}

#[test]
fn what_it_gave_up_on_is_tried_again_or_discarded() {
    let place = Place::new();
    let server = start(&place);
    for _ in 0..2 {
        server.run(&["emit", "demo.asked"]).ok();
    }
    let letters = || server.json(&["dead", "list", "--handler", "fragile", "--json"]);
    eventually("both are dead", || letters().len() == 2);
    let cause = server.json(&["dead", "causes", "--json"]).remove(0);
    assert_eq!(
        (&cause["handler"], &cause["code"], &cause["count"]),
        (&"fragile".into(), &"exit_3".into(), &2.into())
    );
    let id = letters()[0]["id"].as_str().unwrap().to_owned();
    let told = server.run(&["dead", "show", &id]).ok().stdout;
    assert!(told.contains("exit_3: ") && told.contains("\"type\": \"demo.asked\""), "{told}");
    server.run(&["dead", "retry", &id, "--data", "{\"n\":2}"]).ok();
    eventually("it died again", || letters().iter().any(|letter| letter["event"]["data"]["n"] == 2));
    let told =
        server.run(&["dead", "discard", "--all", "--handler", "fragile", "--reason", "a test"]).ok().stdout;
    assert_eq!(told, "2 dead letters were discarded\n");
    eventually("none is left", || letters().is_empty());
}
