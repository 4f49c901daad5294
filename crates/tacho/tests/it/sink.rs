//! `[[sink]]`: what is recorded goes out, over restarts.

use crate::place::Place;
use crate::server::{Server, eventually};
use expect_test::expect;
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
        let table = server.run(&["handler", "list"]).ok().stdout;
        assert!(table.contains("\njsonl   jsonl  running "), "{table}");
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

#[test]
fn traces_say_the_same_in_both_encodings() {
    let (place, elsewhere) = (Place::new(), Place::new());
    let receiver = Server::start(&elsewhere);
    let sinks = ["protobuf", "json"].map(|mode| {
        format!(
            "[[sink]]\nkind = \"otlp\"\nname = \"{mode}\"\nmode = \"{mode}\"\nsignals = \"traces\"\nurl = \"http://{}\"\n",
            receiver.address
        )
    });
    place.write("project/tacho.toml", &sinks.concat());
    let server = Server::start(&place);
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../tacho-testkit/fixtures");
    let session = fs::read_to_string(format!("{fixtures}/claude-code/sessions/full.jsonl")).unwrap();
    for line in session.lines() {
        let fired: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(server.post("/hooks/claude-code", &fired["payload"].to_string()).contains(" 200 "));
    }
    let logs = fs::read_to_string(format!("{fixtures}/otlp/json/013_logs.json")).unwrap();
    assert!(server.post("/v1/logs", &logs).contains(" 200 "));
    for sink in ["protobuf", "json"] {
        eventually("all is sent", || {
            let told = &server.json(&["handler", "show", sink, "--json"])[0];
            assert_eq!(told["dead"], 0, "{told}");
            told["pending"] == 0 && told["done"].as_u64() > Some(40)
        });
    }
    let spans = receiver.json(&["events", "--type", "otel.span", "--limit", "1000", "--json"]);
    let mut names: Vec<_> = spans.iter().map(|span| span["data"]["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    expect![[r#"
        [
            "chat claude-sonnet-4-5",
            "execute_tool Agent",
            "execute_tool Bash",
            "execute_tool Bash",
            "execute_tool Bash",
            "execute_tool Bash",
            "execute_tool Bash",
            "execute_tool Edit",
            "execute_tool Read",
            "execute_tool Read",
            "execute_tool Write",
            "invoke_agent general-purpose",
            "session",
            "turn",
        ]
    "#]]
    .assert_debug_eq(&names);
}
