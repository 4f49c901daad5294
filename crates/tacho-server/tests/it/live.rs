//! Server-sent events and the WebSocket.

use crate::client::{Events, connect};
use crate::server::{Server, Setup};
use serde_json::{Value, json};
use std::io::{BufReader, Read, Write};
use std::net::TcpStream;
use tempfile::TempDir;

#[test]
fn history_then_live_without_loss_or_repeat() {
    let server = Server::start();
    server.append("demo.a", "task/x", 1000);
    server.append("demo.a", "task/x", 500);
    let mut events = server.events("/api/events/stream?from=start&type=demo.a");
    assert_eq!(events.status, 200);
    let first = events.next().unwrap();
    assert_eq!((first.id.as_str(), first.event.as_str()), ("1", "event"));
    server.append("demo.b", "task/x", 1);
    server.append("demo.a", "task/x", 500);
    let mut last = 1;
    let mut caught_up = 0;
    while last < 2001 {
        let sent = events.next().unwrap();
        match sent.event.as_str() {
            "caught_up" => caught_up += 1,
            "event" => {
                let position: u64 = sent.id.parse().unwrap();
                // Position 1501 is the event of another type.
                assert_eq!(position, if last == 1500 { 1502 } else { last + 1 });
                assert_eq!(sent.json()["position"].as_u64(), Some(position));
                last = position;
            }
            other => panic!("{other}"),
        }
    }
    if caught_up == 0 {
        assert_eq!(events.next().unwrap().event, "caught_up");
    } else {
        assert_eq!(caught_up, 1);
    }
}

#[test]
fn without_from_it_begins_at_the_head() {
    let server = Server::start();
    server.append("demo.a", "task/x", 10);
    let mut events = server.events("/api/events/stream");
    let caught_up = events.next().unwrap();
    assert_eq!((caught_up.event.as_str(), caught_up.id.as_str()), ("caught_up", "10"));
    assert_eq!(caught_up.json()["log"], json!(server.engine.log_name()));
    server.append("demo.a", "task/x", 1);
    assert_eq!(events.next().unwrap().id, "11");
}

#[test]
fn resumes_and_resets() {
    let server = Server::start();
    server.append("demo.a", "task/x", 5);
    let resume =
        |path: &str, headers: &[(&str, &str)]| Events::open(server.address, path, headers).next().unwrap();
    let path = "/api/events/stream";
    assert_eq!(resume(path, &[("Last-Event-ID", "3")]).id, "4");
    let beyond = resume(path, &[("Last-Event-ID", "99")]);
    assert_eq!((beyond.event.as_str(), beyond.id.as_str()), ("reset", "5"));
    let foreign = format!("{path}?from=3&log=0190a1b2-0000-7000-8000-000000000000");
    assert_eq!(resume(&foreign, &[]).event, "reset");
    let own = format!("{path}?from=3&log={}", server.engine.log_name());
    assert_eq!(resume(&own, &[]).id, "4");
    let bad = server.request("GET", path, &[("Last-Event-ID", "x")], b"");
    assert_eq!(bad.refusal(), (400, "invalid_header".into()));
}

#[test]
fn a_slow_subscriber_is_told_what_it_missed() {
    let setup = Setup {
        engine: Some(|config| {
            config.live.buffer_events = 10;
            config.journal.queue_batches = 64;
        }),
        server: None,
    };
    let server = Server::start_with(setup, TempDir::new().unwrap());
    let mut events = server.events("/api/events/stream");
    events.until("caught_up");
    // More than the sockets' buffers hold, while nothing is read.
    let text = "z".repeat(100_000);
    for batch in 0..20 {
        let many: Vec<Value> = (0..20)
            .map(|n| json!({"specversion": "1.0", "id": format!("{batch}-{n}"), "source": "/t", "type": "demo.large", "data": text}))
            .collect();
        assert_eq!(server.post("/api/events", &Value::from(many)).status, 201);
    }
    let mut last = 0;
    let (from, to) = loop {
        let sent = events.next().unwrap();
        if sent.event == "gap" {
            let gap = sent.json();
            break (gap["from"].as_u64().unwrap(), gap["to"].as_u64().unwrap());
        }
        last = sent.id.parse().unwrap();
    };
    assert_eq!(from, last + 1);
    assert!(to >= from && to <= 400);
    let missed = server.get(&format!("/api/events?after={last}&limit=1")).json();
    assert_eq!(missed["events"][0]["position"].as_u64(), Some(from));
}

#[test]
fn a_quiet_stream_has_a_heartbeat() {
    let setup = Setup { engine: None, server: Some(|config| config.limits.heartbeat_ms = 20) };
    let server = Server::start_with(setup, TempDir::new().unwrap());
    let mut events = server.events("/api/events/stream");
    assert_eq!(events.until("heartbeat").data, "{}");
    events.until("heartbeat");
}

#[test]
fn subscribers_are_bounded() {
    let setup = Setup { engine: Some(|config| config.live.subscribers = 1), server: None };
    let server = Server::start_with(setup, TempDir::new().unwrap());
    let mut first = server.events("/api/events/stream");
    first.until("caught_up");
    let refused = server.get("/api/events/stream");
    assert_eq!(refused.refusal(), (503, "too_many_subscribers".into()));
}

#[test]
fn a_filter_by_phase_follows_the_stream() {
    let server = Server::start();
    let post = |kind: &str, data: Value| {
        let event =
            json!({"specversion": "1.0", "source": "/t", "type": kind, "subject": "issue/P", "data": data});
        assert_eq!(server.post("/api/events", &event).status, 201);
    };
    let mut events = server.events("/api/events/stream?phase=CODE&type=demo.*");
    events.until("caught_up");
    post("demo.a", json!({"n": 1}));
    post("demo.b", json!({"phase": "CODE"}));
    post("demo.c", json!({"n": 2}));
    assert_eq!(events.next().unwrap().json()["type"], json!("demo.b"));
    assert_eq!(events.next().unwrap().json()["type"], json!("demo.c"));
}

pub struct WebSocket(BufReader<TcpStream>);

impl WebSocket {
    pub fn open(server: &Server, path: &str, headers: &str) -> (u16, Self) {
        let mut stream = connect(server.address);
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut reader = BufReader::new(stream);
        let (status, _) = crate::client::read_head(&mut reader);
        (status, Self(reader))
    }

    /// The opcode and payload of the next frame.
    fn frame(&mut self) -> (u8, Vec<u8>) {
        let mut head = [0; 2];
        self.0.read_exact(&mut head).unwrap();
        let mut length = u64::from(head[1] & 127);
        if length >= 126 {
            let size = if length == 126 { 2 } else { 8 };
            let mut extended = [0; 8];
            self.0.read_exact(&mut extended[8 - size..]).unwrap();
            length = u64::from_be_bytes(extended);
        }
        let mut payload = vec![0; length as usize];
        self.0.read_exact(&mut payload).unwrap();
        (head[0] & 15, payload)
    }

    pub fn text(&mut self) -> Value {
        let (opcode, payload) = self.frame();
        assert_eq!(opcode, 1);
        serde_json::from_slice(&payload).unwrap()
    }
}

#[test]
fn the_websocket_speaks_the_simple_shape() {
    let server = Server::start();
    for path in ["/?type=task_queued", "/ws?type=task_queued", "/agent-events?type=task_queued"] {
        let (status, mut socket) = WebSocket::open(&server, path, "");
        assert_eq!(status, 101);
        let event = json!({"event_type": "task_queued", "timestamp": 1.5, "payload": {"task_id": path}});
        assert_eq!(server.post("/api/events", &event).status, 201);
        let told = socket.text();
        assert_eq!((&told["event_type"], &told["payload"]["task_id"]), (&json!("task_queued"), &json!(path)));
    }
    let (_, mut socket) = WebSocket::open(&server, "/ws?format=cloudevents&from=start", "");
    assert_eq!(socket.text()["position"], json!(1));
    let (_, mut reset) = WebSocket::open(&server, "/ws?from=99", "");
    assert_eq!(reset.text()["event_type"], json!("tacho.reset"));
}

#[test]
fn one_event_reaches_each_subscriber_in_its_own_shape() {
    let server = Server::start();
    let formats = ["cloudevents", "base", "simple", "otel", "mcp"];
    let mut streams = formats.map(|format| server.events(&format!("/api/events/stream?format={format}")));
    streams.iter_mut().for_each(|events| drop(events.until("caught_up")));
    let mut sockets = formats
        .iter()
        .chain(&formats)
        .map(|format| WebSocket::open(&server, &format!("/ws?format={format}"), "").1)
        .collect::<Vec<_>>();
    server.append("demo.a", "task/x", 1);
    for (index, (format, events)) in formats.iter().zip(&mut streams).enumerate() {
        let asked = server.get(&format!("/api/events?format={format}")).json()["events"][0].clone();
        assert_eq!(events.next().unwrap().json(), asked, "{format} over SSE");
        assert_eq!(sockets[index].text(), asked, "{format} over WebSocket");
        assert_eq!(sockets[formats.len() + index].text(), asked, "{format} over the second WebSocket");
    }
}

/// A frame as a client sends it: masked, with a mask that changes nothing.
fn client_text(text: &[u8]) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap().to_be_bytes();
    [&[0x81, 0xfe], &length[..], &[0; 4], text].concat()
}

#[test]
fn what_a_websocket_client_says_is_read_up_to_its_limit() {
    let server = Server::start();
    let (_, mut socket) = WebSocket::open(&server, "/ws?type=demo.a", "");
    // Larger than what is read at once, and than one packet.
    for _ in 0..3 {
        socket.0.get_mut().write_all(&client_text(&[b'x'; 60_000])).unwrap();
    }
    server.append("demo.a", "task/x", 1);
    assert_eq!(socket.text()["event_type"], json!("demo.a"));
}

#[test]
fn the_websocket_pings_and_says_goodbye() {
    let setup = Setup { engine: None, server: Some(|config| config.limits.heartbeat_ms = 20) };
    let server = Server::start_with(setup, TempDir::new().unwrap());
    let (status, mut socket) = WebSocket::open(&server, "/ws", "");
    assert_eq!((status, socket.frame().0), (101, 9));
    drop(server);
    let closing = loop {
        let (opcode, payload) = socket.frame();
        if opcode == 8 {
            break payload;
        }
    };
    assert_eq!(u16::from_be_bytes([closing[0], closing[1]]), 1001);
}

#[test]
fn a_foreign_page_opens_no_websocket() {
    let server = Server::start();
    let (status, _) = WebSocket::open(&server, "/ws", "Origin: http://evil.example\r\n");
    assert_eq!(status, 403);
}
