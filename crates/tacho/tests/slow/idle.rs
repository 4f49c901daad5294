//! What a burst needed goes back to the system: an idle server is small.

use crate::server::Server;
use crate::wanted;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

const BATCHES: u64 = 400;
const BATCH_EVENTS: u64 = 1000;
/// 40 MiB with the program itself, of which some 15 are resident as it is shipped.
const IDLE_KIB: u64 = 25 << 10;
const SMALL_WITHIN: Duration = Duration::from_secs(60);

#[test]
fn a_server_is_small_again_after_a_burst_and_after_a_start() {
    if !wanted("a_server_is_small_again_after_a_burst_and_after_a_start") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    for batch in 0..BATCHES {
        append(&server.address(), batch);
    }
    is_small(&server);
    server.kill();
    is_small(&Server::start(folder.path()));
}

fn append(address: &str, batch: u64) {
    let text = "x".repeat(150);
    let event = |number: u64| {
        format!(
            r#"{{"specversion":"1.0","id":"{number}","source":"/burst","type":"burst.kind_{}","subject":"task/{}","data":{{"text":"{text}"}}}}"#,
            number % 30,
            number % 2000
        )
    };
    let events: Vec<String> = (0..BATCH_EVENTS).map(|number| event(batch * BATCH_EVENTS + number)).collect();
    let body = format!("[{}]", events.join(","));
    let length = body.len();
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "POST /api/events HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/cloudevents-batch+json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{}", answer.lines().next().unwrap_or_default());
}

/// Waits until the read side has all and the memory went back.
fn is_small(server: &Server) {
    let last = server.events(&["--limit", "1", "--reverse"]);
    assert_eq!(last.len(), 1);
    let begun = Instant::now();
    loop {
        let kib = server.resident_kib();
        if kib < IDLE_KIB {
            return;
        }
        assert!(begun.elapsed() < SMALL_WITHIN, "{kib} KiB are resident");
        std::thread::yield_now();
    }
}
