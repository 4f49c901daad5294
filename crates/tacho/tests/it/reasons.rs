//! `tacho causes`, `why` and `profile`, with a server and without one.

use crate::place::Place;
use crate::server::Server;
use rustix::process::Signal;
use serde_json::Value;

fn emit(server: &Server<'_>, kind: &str, id: &str, cause: Option<&str>, data: &str) {
    let mut arguments = vec!["emit", kind, "--id", id, "--stream", "issue/PROJ-1", "--data", data];
    arguments.extend(cause.into_iter().flat_map(|cause| ["--causation", cause]));
    server.run(&arguments).ok();
}

/// An orchestration whose tests fail, each event of which names its cause.
fn story(server: &Server<'_>) {
    emit(server, "OrchestrationStarted", "e1", None, "{}");
    emit(server, "PhaseStarted", "e2", Some("e1"), r#"{"phase":"TEST"}"#);
    emit(server, "TestRunFailed", "e3", Some("e2"), r#"{"test_suite":"unit","error_message":"no database"}"#);
    emit(server, "CommentPosted", "e4", Some("e3"), r#"{"comment_id":"1"}"#);
    emit(
        server,
        "OrchestrationFailed",
        "e5",
        Some("e3"),
        r#"{"failure_phase":"TEST","failure_reason":"tests failed","next_actions":["start the database"]}"#,
    );
}

/// What each way to ask prints; the same with a server and without one.
fn ask(run: &dyn Fn(&[&str]) -> String) -> [String; 6] {
    [
        run(&["causes", "e3"]),
        run(&["causes", "e3", "--json"]),
        run(&["why", "issue/PROJ"]),
        run(&["why", "issue/PROJ-1", "--json"]),
        run(&["profile", "issue/PROJ-1"]),
        run(&["profile", "issue/PROJ-1", "--json"]),
    ]
}

#[test]
fn a_failure_is_explained_with_a_server_and_without_one() {
    let place = Place::new();
    let server = Server::start(&place);
    story(&server);
    let told = ask(&|arguments| server.run(arguments).ok().stdout);

    let lines: Vec<&str> = told[0].lines().collect();
    assert_eq!(lines.len(), 10, "two lines an event: {}", told[0]);
    let begins = ["▸", "▸", "✗", "├─•", "✗"];
    for (line, begin) in lines.iter().step_by(2).zip(begins) {
        assert!(line.starts_with(begin), "{}", told[0]);
    }
    assert!(lines[4].ends_with("← asked"), "{}", told[0]);
    let graph: Value = serde_json::from_str(&told[1]).unwrap();
    assert_eq!((graph["nodes"].as_array().unwrap().len(), graph["edges"].as_array().unwrap().len()), (5, 4));

    let sentence = "PROJ-1 failed in TEST because tests failed; it began with tests unit (no database)";
    assert!(told[2].starts_with(sentence), "{}", told[2]);
    assert!(told[2].contains("What to do next\n  start the database\n  tacho causes e3\n"), "{}", told[2]);
    let why: Value = serde_json::from_str(&told[3]).unwrap();
    assert_eq!((&why["first_cause"]["id"], &why["failure"]["id"]), (&"e3".into(), &"e5".into()));

    assert!(told[4].starts_with("issue/PROJ-1  ") && told[4].contains("The critical path"), "{}", told[4]);
    let profile: Value = serde_json::from_str(&told[5]).unwrap();
    assert_eq!((&profile["events"], &profile["stream"]), (&5.into(), &"issue/PROJ-1".into()));

    let found = server.json(&["events", "--causation", "e3", "--json"]);
    assert_eq!(found.len(), 2);
    server.stop(Signal::TERM);
    assert_eq!(ask(&|arguments| place.run(arguments).ok().stdout), told, "without a server");
}

#[test]
fn a_flame_graph_is_a_file_and_stacks_are_lines() {
    let place = Place::new();
    let server = Server::start(&place);
    let data = r#"{"agent":"scribe","task_id":"t","status":"success","duration_ms":5000}"#;
    server.run(&["emit", "agent_completed", "--stream", "task/t", "--data", data]).ok();
    let folded = server.run(&["profile", "task/t", "--folded"]).ok().stdout;
    assert_eq!(folded, "task/t;scribe 5000\n");
    let file = place.path("flame.svg");
    let told = server.run(&["profile", "task/t", "--flame", file.to_str().unwrap()]).ok().stdout;
    assert!(told.starts_with("the flame graph of task/t is in "), "{told}");
    let picture = std::fs::read_to_string(&file).unwrap();
    assert!(picture.contains("<title>scribe: 5.0 s, 100.0 %</title>"), "{picture}");
}

#[test]
fn what_is_not_there_is_named() {
    let place = Place::new();
    let server = Server::start(&place);
    story(&server);
    let refused = |arguments: &[&str]| {
        let output = server.run(arguments);
        assert_eq!(output.code, Some(1), "{output:?}");
        output.stderr
    };
    assert!(refused(&["causes", "absent"]).contains("no event has the id \"absent\""));
    assert!(refused(&["why", "issue/X"]).contains("no event is in stream \"issue/X\""));
    emit(&server, "CommentPosted", "e6", None, "{}");
    server.run(&["emit", "demo.a", "--stream", "issue/PROJ-2"]).ok();
    assert!(
        refused(&["profile", "issue/PROJ"]).contains("fits 2 streams, such as issue/PROJ-1, issue/PROJ-2")
    );
    assert_eq!(server.run(&["why", "issue/PROJ-1", "--at", "whenever"]).code, Some(2));
    let nothing = server.run(&["why", "issue/PROJ-2"]).ok().stdout;
    assert_eq!(nothing, "nothing failed in issue/PROJ-2\n");
}
