//! What is told without a rule.

use crate::place::Place;
use crate::server::{Server, eventually};
use serde_json::{Value, json};

#[test]
fn an_agent_that_makes_the_same_call_again_and_again_is_told_of() {
    let place = Place::new();
    let server = Server::start(&place);
    for number in 0..5 {
        let payload = json!({
            "session_id": "s-1", "cwd": "/home/dev/demo", "hook_event_name": "PreToolUse", "tool_name": "Bash",
            "tool_input": {"command": "make smoke"}, "tool_use_id": format!("t{number}")
        });
        assert!(server.post("/hooks/claude-code", &payload.to_string()).starts_with("HTTP/1.1 200"));
    }
    let anomalies = || {
        let answer = server.get("/api/alerts");
        let body = answer.split_once("\r\n\r\n").unwrap().1;
        serde_json::from_str::<Value>(body).unwrap()["anomalies"].take()
    };
    eventually("it is told", || anomalies().as_array().is_some_and(|told| !told.is_empty()));
    let told = anomalies();
    assert_eq!(told[0]["metric"], "repeated_call_count");
    assert_eq!((&told[0]["session"], &told[0]["agent"]), (&json!("s-1"), &json!("claude-code")));
    assert_eq!(told[0]["message"], "claude-code made the same call of Bash 5 times in a row");
    let history = server.json(&["alerts", "history", "--json"]);
    assert_eq!((history.len(), &history[0]["data"]), (1, &told[0]));
}

#[test]
fn alerts_go_to_the_channels_that_are_named() {
    let place = Place::new();
    let mail = "[alerts.mail]\nurl = \"smtp+plain://127.0.0.1:1\"\nfrom = \"a@example.com\"\nto = \"b@example.com\"\n";
    let webhook = "[alerts.webhook]\nurl = \"http://127.0.0.1:1/hook\"\n";
    place.write("project/tacho.toml", &format!("{webhook}{mail}"));
    let server = Server::start(&place);
    let listed = server.json(&["handler", "list", "--json"]);
    let names: Vec<_> = listed.iter().map(|sink| (&sink["name"], &sink["kind"])).collect();
    assert_eq!(names, [(&json!("alerts-mail"), &json!("mail")), (&json!("alerts-webhook"), &json!("http"))]);
    place.write("project/tacho.toml", &mail.replace("from", "form"));
    let answer = place.run(&["config", "check"]);
    assert_eq!(answer.code, Some(3));
    assert!(answer.stderr.contains("form") && answer.stderr.contains("`from`"), "{}", answer.stderr);
}
