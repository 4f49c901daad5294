//! What waits for a person, and how it ends: escalations, and permission that an agent asks for.

use crate::place::Place;
use crate::server::Server;
use rustix::process::Signal;
use serde_json::{Value, json};

const SESSION: &str = "5f1e5a1e-0000-4000-8000-000000000001";

fn hook(server: &Server<'_>, name: &str, rest: Value) {
    let mut payload = json!({"session_id": SESSION, "cwd": "/home/dev/demo", "hook_event_name": name});
    payload.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    assert!(server.post("/hooks/claude-code", &payload.to_string()).starts_with("HTTP/1.1 200"));
}

fn ask(server: &Server<'_>, command: &str) {
    hook(server, "PermissionRequest", json!({"tool_name": "Bash", "tool_input": {"command": command}}));
}

fn escalate(server: &Server<'_>, task: &str) -> String {
    let data =
        json!({"task_id": task, "attempts": 3, "last_error": "selector not found", "priority": "high"});
    let stream = format!("task/{task}");
    let told =
        server.json(&["emit", "hitl_escalated", "--stream", &stream, "--data", &data.to_string(), "--json"]);
    told[0]["id"].as_str().unwrap().to_owned()
}

fn waits(server: &Server<'_>) -> Vec<Value> {
    server.json(&["waits", "--json"])
}

/// Status and body of an answer.
fn answered(answer: &str) -> (u16, Value) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), serde_json::from_str(body).unwrap())
}

#[test]
fn an_escalation_is_acknowledged_answered_and_gone() {
    let place = Place::new();
    let server = Server::start(&place);
    let (first, second) = (escalate(&server, "t_1"), escalate(&server, "t_2"));
    let open = waits(&server);
    assert_eq!((&open[0]["id"], &open[1]["id"]), (&json!(first), &json!(second)), "the oldest first");
    let wait = &open[0];
    assert_eq!(
        (&wait["kind"], &wait["state"], &wait["task"]),
        (&json!("escalation"), &json!("open"), &json!("t_1"))
    );
    assert_eq!((&wait["stream"], &wait["priority"]), (&json!("task/t_1"), &json!("high")));
    assert_eq!(wait["asks"], "gave up after 3 attempts: selector not found");
    let listed = server.run(&["waits"]).ok().stdout;
    assert!(listed.starts_with("escalation t_1 (high)  gave up after 3 attempts"), "{listed}");
    let (_, since) = listed.lines().nth(1).unwrap().split_once("  since ").unwrap();
    // As a person reads it: 2026-11-20 14:03:07, in the zone of the machine.
    assert_eq!((since.as_bytes()[10], &since[19..]), (b' ', "  in task/t_1"), "{since}");

    let told = server.run(&["waits", "acknowledge", &first, "--by", "ada", "--note", "on it"]).ok();
    assert_eq!(told.stdout, format!("{first} is acknowledged by ada\n"));
    let told = server.run(&["waits", "acknowledge", &first, "--by", "bob"]).ok();
    assert_eq!(told.stdout, format!("{first} is already acknowledged by ada\n"));
    assert_eq!(waits(&server)[0]["acknowledged"]["said"], "on it");

    let told = server.run(&["waits", "answer", &first, "--by", "ada", "--answer", "use the other one"]).ok();
    assert_eq!(told.stdout, format!("{first} is answered by ada\n"));
    assert_eq!(waits(&server).len(), 1);
    let (status, body) =
        answered(&server.post(&format!("/api/waits/{second}/resolve"), r#"{"note":"done by hand"}"#));
    assert_eq!((status, &body["changed"], &body["wait"]["state"]), (201, &json!(true), &json!("resolved")));
    let (status, body) = answered(&server.post(&format!("/api/waits/{second}/acknowledge"), "{}"));
    assert_eq!((status, &body["changed"], &body["wait"]["state"]), (200, &json!(false), &json!("resolved")));
    assert_eq!(server.run(&["waits"]).ok().stdout, "nothing waits for you\n");

    let deeds = server.json(&["events", "--type", "hitl_a*", "--type", "hitl_r*", "--json"]);
    assert_eq!(deeds.len(), 3, "{deeds:?}");
    assert_eq!((&deeds[0]["actortype"], &deeds[0]["actorid"]), (&json!("user"), &json!("ada")));
    assert_eq!((&deeds[0]["causationid"], &deeds[0]["subject"]), (&json!(first), &json!("task/t_1")));
    assert_eq!(
        deeds[1]["data"],
        json!({"task_id": "t_1", "wait": first, "by": "ada", "answer": "use the other one"})
    );
    server.stop(Signal::TERM);
    assert_eq!(place.run(&["waits"]).ok().stdout, "nothing waits for you\n", "without a server too");
}

#[test]
fn a_task_that_goes_on_or_is_told_of_elsewhere_waits_no_longer() {
    let place = Place::new();
    let server = Server::start(&place);
    for task in ["t_1", "t_2", "t_3"] {
        escalate(&server, task);
    }
    let again = escalate(&server, "t_3");
    let ids: Vec<Value> = waits(&server).iter().map(|wait| wait["task"].clone()).collect();
    assert_eq!(ids, ["t_1", "t_2", "t_3"], "an escalation again is the same wait");
    assert_eq!(waits(&server)[2]["id"], json!(again));
    server.run(&["emit", "hitl_resolved", "--data", r#"{"task_id":"t_1"}"#]).ok();
    server
        .run(&["emit", "validation_complete", "--data", r#"{"task_id":"t_2","result":{"passed":true}}"#])
        .ok();
    server
        .run(&["emit", "validation_complete", "--data", r#"{"task_id":"t_3","result":{"passed":false}}"#])
        .ok();
    let left = waits(&server);
    assert_eq!((left.len(), &left[0]["task"]), (1, &json!("t_3")));
}

#[test]
fn permission_waits_until_the_agent_goes_on_or_a_person_takes_it_off() {
    let place = Place::new();
    let server = Server::start(&place);
    for command in ["make a", "make b", "make c"] {
        ask(&server, command);
    }
    let open = waits(&server);
    assert_eq!(open.len(), 3, "{open:?}");
    assert_eq!((&open[0]["kind"], &open[0]["session"]), (&json!("permission"), &json!(SESSION)));
    assert_eq!((&open[0]["asks"], &open[0]["agent"]), (&json!("Bash: make a"), &json!("claude-code")));
    let granted =
        json!({"tool_name": "Bash", "tool_input": {"command": "make a"}, "tool_response": {"stdout": ""}});
    hook(&server, "PostToolUse", granted);
    let id = open[1]["id"].as_str().unwrap();
    assert_eq!(waits(&server)[0]["id"], json!(id), "what was granted is gone, the others wait");
    server.run(&["waits", "resolve", id, "--note", "token=ghp_0123456789abcdefghijABCDEFGHIJ012345"]).ok();
    assert_eq!(waits(&server).len(), 1);
    let deed = &server.json(&["events", "--type", "hitl_resolved", "--json"])[0];
    assert_eq!((&deed["sessionid"], &deed["data"]["wait"]), (&json!(SESSION), &json!(id)));
    assert!(!deed.to_string().contains("ghp_0123456789"), "what is secret is cut out: {deed}");
    hook(&server, "UserPromptSubmit", json!({"prompt": "never mind"}));
    assert!(waits(&server).is_empty());
    let (_, body) =
        answered(&server.post(&format!("/api/waits/{}/resolve", open[2]["id"].as_str().unwrap()), "{}"));
    assert_eq!((&body["changed"], &body["wait"]["state"]), (&json!(false), &json!("over")));
}

#[test]
fn what_cannot_be_done_is_refused_plainly() {
    let place = Place::new();
    let server = Server::start(&place);
    let id = escalate(&server, "t_1");
    let emitted = server.json(&["emit", "task_queued", "--data", r#"{"task_id":"t_9"}"#, "--json"]);
    let other = emitted[0]["id"].as_str().unwrap();
    for (path, body, status, code) in [
        (format!("/api/waits/{id}/answer"), "{}", 422, "invalid_event"),
        (format!("/api/waits/{id}/resolve"), r#"{"nota":"x"}"#, 422, "invalid_event"),
        (format!("/api/waits/{id}/resolve"), "[]", 422, "invalid_event"),
        (format!("/api/waits/{id}/resolve"), "{", 400, "invalid_json"),
        (format!("/api/waits/{other}/resolve"), "{}", 404, "not_found"),
        ("/api/waits/nobody/resolve".to_owned(), "{}", 404, "event_not_found"),
        (format!("/api/waits/{id}/explode"), "{}", 404, "not_found"),
    ] {
        let (told, problem) = answered(&server.post(&path, body));
        assert_eq!((told, &problem["code"]), (status, &json!(code)), "{path} {body}: {problem}");
    }
    for (header, status) in [
        ("Content-Type: text/plain", 415),
        ("Content-Type: application/json\r\nOrigin: http://evil.example", 403),
    ] {
        let answer = server.send(&format!(
            "POST /api/waits/{id}/resolve HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{header}\r\nContent-Length: 2\r\n\r\n{{}}",
            server.address
        ));
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{header}: {answer}");
    }
    assert_eq!(waits(&server).len(), 1);
    let answer = server.run(&["waits", "resolve", "nobody"]);
    assert_eq!(answer.code, Some(1));
    assert!(answer.stderr.starts_with("error: "), "{answer:?}");
}
