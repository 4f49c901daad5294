//! `kill -9` of the real server under load, a hundred times: no acknowledged event is lost, none is there twice.

use crate::server::Server;
use crate::wanted;
use serde_json::Value;
use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

const ROUNDS: u64 = 100;
const CLIENTS: u64 = 8;

#[test]
fn no_acknowledged_event_is_lost_to_a_killed_server() {
    if !wanted("no_acknowledged_event_is_lost_to_a_killed_server") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let acknowledged: Mutex<Vec<String>> = Mutex::default();
    let mut stored_before = 0;
    for round in 0..ROUNDS {
        let server = Server::start(folder.path());
        let address = server.address();
        // Now and then almost at once, else in the middle of the work; never at the same point twice.
        let life = Duration::from_millis(5 + round * 37 % 211);
        thread::scope(|scope| {
            for client in 0..CLIENTS {
                let acknowledged = &acknowledged;
                let address = &address;
                scope.spawn(move || append_until_it_dies(address, round, client, acknowledged));
            }
            let begun = Instant::now();
            while begun.elapsed() < life {
                thread::park_timeout(life - begun.elapsed());
            }
            server.kill();
        });
        if round % 10 == 9 {
            stored_before = check(folder.path(), &acknowledged.lock().unwrap(), stored_before);
        }
    }
    let told = acknowledged.lock().unwrap().len();
    assert!(told > 1000, "only {told} events were acknowledged: the load was none");
}

/// Appends alone and in batches, and remembers what was acknowledged.
fn append_until_it_dies(address: &str, round: u64, client: u64, acknowledged: &Mutex<Vec<String>>) {
    let Ok(stream) = TcpStream::connect(address) else { return };
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut writer = stream;
    for number in 0u64.. {
        let size = if client.is_multiple_of(2) { 1 } else { 1 + number % 20 };
        let ids: Vec<String> = (0..size).map(|part| format!("{round}-{client}-{number}-{part}")).collect();
        let event = |id: &String| {
            format!(
                r#"{{"specversion":"1.0","id":"{id}","source":"/kill","type":"kill.appended","subject":"task/{client}","data":{{"n":{number}}}}}"#
            )
        };
        let body = format!("[{}]", ids.iter().map(event).collect::<Vec<_>>().join(","));
        let length = body.len();
        let request = format!(
            "POST /api/events HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/cloudevents-batch+json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        if writer.write_all(request.as_bytes()).is_err() {
            return;
        }
        match read_status(&mut reader) {
            Some(201) => acknowledged.lock().unwrap().extend(ids),
            Some(other) => panic!("the server answered {other}"),
            None => return,
        }
    }
}

/// The status of one whole answer; `None` when the connection ended first.
fn read_status(reader: &mut impl BufRead) -> Option<u16> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
    let status = line.split(' ').nth(1)?.parse().ok()?;
    let mut length = 0;
    loop {
        line.clear();
        reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(status)
}

/// Reads the whole log back, and answers how many events it holds.
fn check(data: &std::path::Path, acknowledged: &[String], stored_before: usize) -> usize {
    let server = Server::start(data);
    let events: Vec<Value> = server.events(&["--type", "kill.appended", "--limit", "10000000"]);
    let stored: HashSet<&str> = events.iter().map(|event| event["id"].as_str().unwrap()).collect();
    assert_eq!(stored.len(), events.len(), "an event is there twice");
    let lost: Vec<_> = acknowledged.iter().filter(|id| !stored.contains(id.as_str())).take(5).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    let positions: Vec<u64> = events.iter().map(|event| event["position"].as_u64().unwrap()).collect();
    assert!(positions.windows(2).all(|pair| pair[0] < pair[1]), "positions do not ascend");
    assert!(events.len() >= stored_before, "the log became shorter");
    events.len()
}
