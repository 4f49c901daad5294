//! `[[sink]]`: what is recorded goes out, over restarts.

use crate::place::Place;
use crate::server::{Server, eventually};
use rustix::process::Signal;
use std::fs;

const CONFIG: &str = r#"
[[sink]]
kind = "jsonl"
path = "logs/agent-events.jsonl"

[[sink]]
kind = "files"
name = "picked"
path = ".events"
on = { type = "demo.b", where = ".data.n > 1" }
"#;

#[test]
fn what_is_recorded_goes_out_once_over_a_restart() {
    let place = Place::new();
    place.write("project/tacho.toml", CONFIG);
    let lines = || fs::read_to_string(place.path("project/logs/agent-events.jsonl")).unwrap_or_default();
    for round in 1..=2 {
        let server = Server::start(&place);
        for (kind, data) in [("demo.a", "{}"), ("demo.b", "{\"n\":1}"), ("demo.b", "{\"n\":2}")] {
            server.run(&["emit", kind, "--data", data]).ok();
        }
        eventually("every event is a line", || lines().lines().count() == 3 * round);
        eventually("the picked one is a file", || {
            let picked = &server.json(&["handler", "show", "picked", "--json"])[0];
            picked["done"] == round && picked["pending"] == 0
        });
        let listed = server.json(&["handler", "list", "--json"]);
        assert_eq!(listed.len(), 2, "{listed:?}");
        assert_eq!((&listed[0]["name"], &listed[0]["done"]), (&"jsonl".into(), &(3 * round).into()));
        assert!(server.run(&["handler", "list"]).ok().stdout.contains("jsonl                running"));
        let files = fs::read_dir(place.path("project/.events")).unwrap().count();
        assert_eq!(files, round);
        let (code, said) = server.stop(Signal::TERM);
        assert_eq!(code, Some(0), "{said}");
    }
    assert_eq!(lines().lines().count(), 6, "nothing came twice");
}

#[test]
fn a_sink_that_cannot_be_used_is_refused_with_its_line() {
    let place = Place::new();
    place.write(
        "project/tacho.toml",
        "[[sink]]\nkind = \"http\"\nurl = \"http://127.0.0.1:1/\"\nsecret_env = \"NOBODY_SET_THIS\"\n",
    );
    let answer = place.run(&["up", "--listen", "127.0.0.1:0"]);
    assert_eq!(answer.code, Some(1));
    assert!(answer.stderr.contains("NOBODY_SET_THIS is not set"), "{}", answer.stderr);
    place.write("project/tacho.toml", "[[sink]]\nkind = \"htp\"\n");
    let answer = place.run(&["config", "check"]);
    assert_eq!(answer.code, Some(3));
    assert!(
        answer.stderr.contains("tacho.toml:2: there is no kind `htp`: did you mean `http`?"),
        "{}",
        answer.stderr
    );
}
