//! `up` and `demo`: beginning, being found, ending.

use crate::place::Place;
use crate::server::{Server, documents};
use rustix::process::Signal;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;

#[test]
fn a_signal_drains_and_exits_with_0() {
    for signal in [Signal::TERM, Signal::INT] {
        let place = Place::new();
        let server = Server::start(&place);
        server.run(&["emit", "demo.one"]).ok();
        let (code, said) = server.stop(signal);
        assert_eq!(code, Some(0), "{said}");
        let data = place.path("data");
        assert!(
            said.contains(&format!("the log is in {}\n", data.display()))
                && said.contains("tacho connect claude-code"),
            "{said}"
        );
        assert!(!data.join("run/server.json").exists());
        assert_eq!(fs::metadata(&data).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(fs::read_to_string(data.join(".gitignore")).unwrap(), "*\n");
    }
}

#[test]
fn a_second_signal_does_not_wait_for_what_is_under_way() {
    let place = Place::new();
    let mut server = Server::start(&place);
    let mut request = TcpStream::connect(&server.address).unwrap();
    let head = "Content-Type: application/json\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n";
    write!(request, "POST /api/events HTTP/1.1\r\nHost: {}\r\n{head}", server.address).unwrap();
    let mut answer = [0; 12];
    request.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 100", "the server is waiting for the body");
    server.signal(Signal::TERM);
    let mut said = String::new();
    while !said.starts_with("stopping") {
        said = server.said();
        assert_ne!(said, "", "the server ended at the first signal");
    }
    server.signal(Signal::TERM);
    assert_eq!(server.exit_code(), Some(130));
}

#[test]
fn the_command_line_finds_the_server_of_a_folder() {
    let place = Place::new();
    let server = Server::start(&place);
    server.run(&["emit", "demo.one"]).ok();
    assert!(place.run(&["events"]).ok().stdout.contains("demo.one"));
    assert!(place.run(&["events", "--server", &server.address]).ok().stdout.contains("demo.one"));
}

#[test]
fn a_second_server_is_told_who_holds_the_folder() {
    let place = Place::new();
    let server = Server::start(&place);
    let told = place.run(&["up", "--listen", "127.0.0.1:0"]);
    assert_eq!(told.code, Some(1));
    assert!(
        told.stderr.contains(&format!("at http://{}: use that server, stop it, or", server.address)),
        "{}",
        told.stderr
    );
}

#[test]
fn a_taken_port_names_its_holder() {
    let (place, other) = (Place::new(), Place::new());
    let server = Server::start(&place);
    let told = other.run(&["up", "--listen", &server.address]);
    assert_eq!(told.code, Some(1));
    let begins = format!("error: {} is taken by another tacho server", server.address);
    assert!(told.stderr.starts_with(&begins), "{}", told.stderr);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let told = other.run(&["up", "--listen", &listener.local_addr().unwrap().to_string()]);
    assert!(told.stderr.contains("is taken by another program"), "{}", told.stderr);
}

#[test]
fn nothing_is_served_beyond_loopback_without_a_token() {
    let told = Place::new().run(&["up", "--listen", "0.0.0.0:0"]);
    assert_eq!(told.code, Some(1));
    assert!(told.stderr.contains("set TACHO_TOKEN or server.token_file"), "{}", told.stderr);
}

#[test]
fn the_demo_tells_its_story() {
    let place = Place::new();
    let data = place.path("demo").display().to_string();
    let told = place.run(&["demo", "--exit", "--listen", "127.0.0.1:0", "--data", &data]).ok().stdout;
    assert!(told.contains("SHOP-42 is done") && told.contains(" in 5 sessions, "), "{told}");
    for kind in [
        "     1  urlCacher.urlCached\n",
        "  claude.post_tool_use_failure\n",
        "  OrchestrationCompleted\n",
        "     1  OrchestrationFailed\n",
        "  RecoveryFailed\n",
        "  TestRunFailed\n",
        "  validation_complete\n",
        "  claude_code.api_request\n",
    ] {
        assert!(told.contains(kind), "{kind} is not in {told}");
    }
    assert!(!told.contains("tacho.marker_rejected") && !told.contains("tacho.hook_unreadable"), "{told}");
    // The page about deliveries has something to show, too.
    for sink in ["handler/jsonl", "handler/pager"] {
        let began =
            place.run(&["events", "--system", "--stream", sink, "--data", &data, "--json"]).ok().stdout;
        assert!(began.contains(sink), "{sink} has not begun");
    }
    let events = place.run(&["events", "--stream", "issue/PROJ-123", "--data", &data, "--json"]).ok().stdout;
    let events = documents(&events);
    let mut chain = vec!["OrchestrationFailed"];
    let mut event = events.iter().find(|event| event["type"] == chain[0]).unwrap();
    while event["type"] != "CommitCreated" {
        event = events.iter().find(|cause| cause["id"] == event["causationid"]).expect("a cause");
        chain.push(event["type"].as_str().unwrap());
    }
    assert_eq!(
        chain.join(" < "),
        "OrchestrationFailed < PhaseFailed < RecoveryFailed < RecoveryAttempted < ErrorOccurred < TestRunFailed < CommitCreated"
    );
    let again = place.run(&["demo", "--exit", "--data", &data]);
    assert!(again.code == Some(1) && again.stderr.contains("holds a log already"), "{again:?}");
}

#[test]
fn the_doctor_tells_what_is_and_what_to_do() {
    let place = Place::new();
    let fresh = place.run(&["doctor"]).ok().stdout;
    assert!(fresh.contains("warn  data folder"), "{fresh}");
    place.run(&["connect", "claude-code"]).ok();
    let server = Server::start(&place);
    let told = server.run(&["doctor", "--json"]).ok().stdout;
    for about in ["data folder", "log", "spool", "holder", "server", "clock", "claude-code hooks"] {
        assert!(told.contains(&format!("{{\"about\":\"{about}\",\"verdict\":\"ok\"")), "{about}: {told}");
    }
    drop(server);
    let segment = fs::read_dir(place.path("data/journal")).unwrap().map(|entry| entry.unwrap().path());
    let segment = segment.into_iter().find(|path| path.extension().is_some_and(|end| end == "log")).unwrap();
    fs::write(segment, "these are no bytes of a log").unwrap();
    let damaged = place.run(&["doctor"]);
    assert_eq!(damaged.code, Some(3));
    assert!(damaged.stdout.contains("FAIL  log"), "{}", damaged.stdout);
}
