//! Conditions in jq: evaluated in processes of their own, and ended there when they have no end.

use crate::place::Place;
use crate::server::Server;
use rustix::process::Signal;
use serde_json::{Value, json};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Longest that anything below may take: the limits of a condition are a second and 256 MiB.
const BOUND: Duration = Duration::from_secs(5);

const ENDLESS: &str = "def%20f:%20f;%20f";
const UNBOUNDED: [&str; 3] = [ENDLESS, "[range(1e9)]%7Clength%3E0", "def%20f:%201%2Bf;%20f"];

fn serving(place: &Place) -> Server<'_> {
    let server = Server::start(place);
    let events: Vec<Value> = (0..100)
        .map(|i| json!({"specversion": "1.0", "id": format!("e{i}"), "source": "/t", "type": "demo.a", "data": {"i": i}}))
        .collect();
    let answer = server.post("/api/events", &Value::Array(events).to_string());
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    server
}

fn body(answer: &str) -> Value {
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    serde_json::from_str(body).unwrap()
}

/// A connection on which the head of a request was sent.
fn open(server: &Server<'_>, request: &str) -> TcpStream {
    let mut connection = TcpStream::connect(&server.address).unwrap();
    connection.set_read_timeout(Some(BOUND)).unwrap();
    write!(connection, "GET {request} HTTP/1.1\r\nHost: {}\r\n", server.address).unwrap();
    connection
}

/// Reads until `end` came, or the connection ended.
fn read_until(connection: &mut TcpStream, end: &str) -> String {
    let (mut read, mut chunk) = (Vec::new(), [0; 4096]);
    while !String::from_utf8_lossy(&read).contains(end) {
        match connection.read(&mut chunk).unwrap() {
            0 => break,
            count => read.extend_from_slice(&chunk[..count]),
        }
    }
    String::from_utf8_lossy(&read).into_owned()
}

/// The processes that the server started, and their memory in KiB.
fn workers(server: &Server<'_>) -> Vec<(String, u64)> {
    let field = |status: &str, name: &str| {
        let line = status.lines().find(|line| line.starts_with(name))?;
        Some(line.split_whitespace().nth(1)?.to_owned())
    };
    let parent = server.pid().to_string();
    let processes = fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter_map(|process| {
            let status = fs::read_to_string(process.path().join("status")).ok()?;
            let memory = field(&status, "VmRSS:").and_then(|kib| kib.parse().ok()).unwrap_or(0);
            (field(&status, "PPid:")? == parent).then(|| (process.file_name().into_string().unwrap(), memory))
        })
        .collect()
}

#[test]
fn a_condition_without_end_is_refused() {
    let place = Place::new();
    let server = serving(&place);
    for program in UNBOUNDED {
        let begun = Instant::now();
        let answer = server.get(&format!("/api/events?where={program}"));
        assert!(begun.elapsed() < BOUND, "{program} took {:?}", begun.elapsed());
        assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
        let problem = body(&answer);
        assert_eq!((&problem["code"], &problem["parameter"]), (&json!("invalid_filter"), &json!("where")));
        assert!(problem["detail"].as_str().unwrap().starts_with("the condition "), "{problem}");
    }
    let deep = server.get(&format!("/api/events?where={}", "%5B".repeat(4096)));
    assert!(deep.starts_with("HTTP/1.1 400"), "{deep}");
    assert!(server.get("/api/events?limit=1").starts_with("HTTP/1.1 200"));
}

#[test]
fn conditions_without_end_take_nothing_from_others() {
    let place = Place::new();
    let server = serving(&place);
    let asked = |index: usize| {
        let path = ["/api/events?", "/api/events/stream?from=start&"][index % 2];
        let mut connection = open(&server, &format!("{path}where={}", UNBOUNDED[index % UNBOUNDED.len()]));
        connection.write_all(b"Connection: close\r\n\r\n").unwrap();
        thread::spawn(move || read_until(&mut connection, "invalid_filter"))
    };
    let waiting: Vec<JoinHandle<String>> = (0..12).map(asked).collect();
    let mut most_kib = 0;
    while waiting.iter().any(|answer| !answer.is_finished()) {
        let asked = Instant::now();
        assert!(server.get("/healthz").starts_with("HTTP/1.1 200"));
        assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
        // Those that two looks see were there at once.
        let (earlier, mut later) = (workers(&server), workers(&server));
        later.retain(|(process, _)| earlier.iter().any(|(known, _)| known == process));
        assert!(later.len() <= 8, "{later:?}");
        most_kib = later.iter().map(|(_, kib)| *kib).max().unwrap_or(0).max(most_kib);
    }
    assert!(most_kib < 256 << 10, "a worker took {most_kib} KiB");
    for answer in waiting {
        let answer = answer.join().unwrap();
        assert!(answer.contains("invalid_filter"), "{answer}");
    }
    assert!(server.get("/api/events?where=.data.i==7").starts_with("HTTP/1.1 200"));
}

/// A condition may take a minute, and the way down half a second.
const PATIENT: &str = "[view]\ncondition_ms = \"60s\"\n[server]\nshutdown_ms = 500\n";

#[test]
fn a_server_with_endless_conditions_ends_at_once() {
    let place = Place::new();
    place.write("project/tacho.toml", PATIENT);
    let server = serving(&place);
    let mut waiting: Vec<TcpStream> = Vec::new();
    for path in ["/api/events?", "/api/events/stream?from=start&"] {
        let mut connection = open(&server, &format!("{path}where={ENDLESS}"));
        connection.write_all(b"\r\n").unwrap();
        waiting.push(connection);
    }
    crate::server::eventually("both conditions run", || workers(&server).len() == 2);
    let workers = workers(&server);
    let begun = Instant::now();
    let (code, said) = server.stop(Signal::TERM);
    assert_eq!(code, Some(0), "{said}");
    assert!(begun.elapsed() < BOUND, "{:?}", begun.elapsed());
    for (process, _) in workers {
        assert!(!fs::exists(format!("/proc/{process}")).unwrap(), "worker {process} is still there");
    }
}

#[test]
fn workers_end_with_a_server_that_is_killed() {
    let place = Place::new();
    place.write("project/tacho.toml", PATIENT);
    let server = serving(&place);
    let mut connection = open(&server, &format!("/api/events?where={ENDLESS}"));
    connection.write_all(b"\r\n").unwrap();
    crate::server::eventually("the condition runs", || !workers(&server).is_empty());
    let workers = workers(&server);
    server.signal(Signal::KILL);
    assert_eq!(server.exit_code(), None);
    for (process, _) in workers {
        let file = format!("/proc/{process}/status");
        // Nobody may be there to reap it.
        crate::server::eventually("the worker is gone", || {
            fs::read_to_string(&file).map_or(true, |status| status.contains("State:\tZ"))
        });
    }
}

#[test]
fn a_query_takes_a_condition() {
    let place = Place::new();
    let server = serving(&place);
    let ids = |parameters: &str| {
        let (mut ids, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = body(&server.get(&format!("/api/events?{parameters}{cursor}")));
            let events = page["events"].as_array().unwrap();
            assert!(events.len() <= 4, "{page}");
            ids.extend(events.iter().map(|event| event["id"].as_str().unwrap().to_owned()));
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return ids.join(" "),
            }
        }
    };
    assert_eq!(ids("where=.data.i%3E=97"), "e97 e98 e99");
    assert_eq!(ids("where=.data.i%3C3&reverse=true&limit=2"), "e2 e1 e0");
    assert_eq!(ids("where=.data.i%2510==3&limit=4"), "e3 e13 e23 e33 e43 e53 e63 e73 e83 e93");
    assert_eq!(ids("where=.data.i%2510==3&limit=1&type=demo.b"), "");
}

#[test]
fn a_stream_takes_a_condition() {
    let place = Place::new();
    let server = serving(&place);
    let mut connection = open(&server, "/api/events/stream?from=start&where=.data.i%2550==7");
    connection.write_all(b"\r\n").unwrap();
    let history = read_until(&mut connection, "event: caught_up");
    let positions: Vec<&str> = history.lines().filter_map(|line| line.strip_prefix("id: ")).collect();
    assert_eq!(positions, ["8", "58", "100"]);
    for i in [6, 107] {
        let event = json!({"specversion": "1.0", "id": format!("live{i}"), "source": "/t", "type": "demo.a", "data": {"i": i}});
        server.post("/api/events", &event.to_string());
    }
    let live = read_until(&mut connection, "live107");
    assert!(!live.contains("live6"), "{live}");
}

#[test]
fn a_web_socket_takes_a_condition() {
    let place = Place::new();
    let server = serving(&place);
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let mut connection = open(&server, "/ws?from=start&where=.data.i==98");
    connection.write_all(upgrade.as_bytes()).unwrap();
    let messages = read_until(&mut connection, "\"i\":98");
    assert!(messages.contains("\"i\":98") && !messages.contains("\"i\":97"), "{messages}");

    let mut connection = open(&server, &format!("/ws?from=start&where={ENDLESS}"));
    connection.write_all(upgrade.as_bytes()).unwrap();
    let messages = read_until(&mut connection, "took longer than 1000 ms");
    assert!(messages.contains("the condition took longer than 1000 ms"), "{messages}");
}
