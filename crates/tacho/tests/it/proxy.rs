//! The proxy between a client and a tool server: it changes and delays nothing, and tells of every call.

use crate::place::Place;
use crate::server::{PATIENCE, Server, eventually};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

const SERVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/tool_server.py");
const HELLO: &str = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"some-client","version":"2"}}}"#;

/// The interpreter itself: the binary under test finds nothing on its path.
fn python() -> String {
    let output = Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output();
    String::from_utf8(output.expect("python3 is installed").stdout).unwrap().trim().to_owned()
}

/// A client with a tool server behind the proxy, or without one between.
struct Client {
    process: Child,
    input: Option<ChildStdin>,
    lines: Receiver<Vec<u8>>,
}

impl Client {
    fn proxied(place: &Place, options: &[&str]) -> Self {
        let python = python();
        Self::of(place.tacho(&[&["mcp", "proxy"], options, &["--", &python, SERVER]].concat()))
    }

    fn direct() -> Self {
        let mut command = Command::new(python());
        command.arg(SERVER);
        Self::of(command)
    }

    fn of(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let (sender, lines) = channel();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        thread::spawn(move || {
            let mut line = Vec::new();
            while output.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
                let _ = sender.send(std::mem::take(&mut line));
            }
        });
        Self { input: process.stdin.take(), process, lines }
    }

    fn say(&mut self, line: &[u8]) {
        self.input.as_mut().unwrap().write_all(&[line, b"\n"].concat()).unwrap();
    }

    fn call(&mut self, id: u64, tool: &str, arguments: &Value) {
        let params = json!({"name": tool, "arguments": arguments});
        let call = json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params});
        self.say(call.to_string().as_bytes());
    }

    /// The next line that the server said.
    #[track_caller]
    fn hear(&self) -> Vec<u8> {
        self.lines.recv_timeout(PATIENCE).unwrap()
    }

    #[track_caller]
    fn hear_id(&self) -> u64 {
        serde_json::from_slice::<Value>(&self.hear()).unwrap()["id"].as_u64().unwrap()
    }

    /// Says no more; answers how the process ended and what it said on standard error.
    fn end(mut self) -> (ExitStatus, String) {
        drop(self.input.take());
        let mut said = String::new();
        self.process.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (self.process.wait().unwrap(), said)
    }
}

/// The events of type `kind`, once the end of the conversation is on the log.
fn told(server: &Server<'_>, kind: &str) -> Vec<Value> {
    eventually("the end of the conversation is on the log", || {
        !server.json(&["events", "--json", "--type", "mcp.session_ended"]).is_empty()
    });
    server.json(&["events", "--json", "--type", kind])
}

#[test]
fn every_call_is_on_the_log_as_it_ended() {
    let place = Place::new();
    let server = Server::start(&place);
    let mut client =
        Client::proxied(&place, &["--context", "c-7", "--correlation", "job-1", "--session", "s-1"]);
    client.say(HELLO.as_bytes());
    client.hear();
    client.call(1, "later", &json!({"n": 1}));
    client.call(2, "echo", &json!({"n": 2}));
    assert_eq!((client.hear_id(), client.hear_id()), (2, 1), "the answers come out of order");
    client.call(3, "fail", &json!({}));
    client.call(4, "unknown", &json!({}));
    client.call(5, "silence", &json!({}));
    assert_eq!((client.hear_id(), client.hear_id()), (3, 4));
    let (status, said) = client.end();
    assert_eq!((status.code(), said.as_str()), (Some(0), "the tool server is here\n"));

    let tools = told(&server, "tool.*");
    let kinds: Vec<_> = tools.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(
        kinds,
        [
            "tool.echo.completed",
            "tool.later.completed",
            "tool.fail.failed",
            "tool.unknown.failed",
            "tool.silence.failed"
        ]
    );
    for event in &tools {
        assert_eq!(
            (
                &event["source"],
                &event["subject"],
                &event["contextid"],
                &event["correlationid"],
                &event["sessionid"]
            ),
            (
                &"/mcp/com.example/search".into(),
                &"context/c-7".into(),
                &"c-7".into(),
                &"job-1".into(),
                &"s-1".into()
            )
        );
        let data = &event["data"];
        assert!(data["duration_ms"].as_f64().is_some_and(|took| took >= 0.0), "{event}");
        assert_eq!(
            (&data["serverId"], &event["actorid"]),
            (&"com.example/search".into(), &"some-client".into())
        );
    }
    let data = |index: usize, name: &str| tools[index]["data"][name].clone();
    assert_eq!((data(1, "arguments"), data(1, "request_id")), (json!({"n": 1}), json!(1)));
    assert_eq!(data(0, "result")["content"][0]["text"], "{\"n\": 2}");
    assert_eq!(
        (data(2, "error")["message"].clone(), data(2, "result")["isError"].clone()),
        ("it does not work".into(), true.into())
    );
    assert_eq!(data(3, "error"), json!({"code": -32602, "message": "unknown tool"}));
    assert_eq!(data(4, "error")["code"], "no_answer");
    the_conversation_is_told(&server);
}

fn the_conversation_is_told(server: &Server<'_>) {
    let begun = told(server, "mcp.session_started").remove(0);
    assert_eq!(
        (&begun["data"]["client"], &begun["data"]["server_version"]),
        (&"some-client".into(), &"1.4".into())
    );
    let ended = told(server, "mcp.session_ended").remove(0)["data"].clone();
    for (name, count) in [("calls", 5), ("failed", 3), ("unanswered", 1), ("dropped", 0), ("exit_code", 0)] {
        assert_eq!(ended[name], count, "{name}: {ended}");
    }
}

#[test]
fn it_goes_on_when_the_recorder_s_server_is_killed() {
    let place = Place::new();
    let server = Server::start(&place);
    let mut client = Client::proxied(&place, &["--server-id", "stub"]);
    client.call(1, "echo", &json!({"n": 1}));
    assert_eq!(client.hear_id(), 1);
    eventually("the call is on the log", || {
        !server.json(&["events", "--json", "--type", "tool.*"]).is_empty()
    });
    server.stop(Signal::KILL);
    for id in 2..10 {
        client.call(id, "echo", &json!({"n": id}));
        assert_eq!(client.hear_id(), id);
    }
    assert_eq!(client.end().0.code(), Some(0));
    let server = Server::start(&place);
    let numbers: Vec<_> = told(&server, "tool.echo.completed")
        .iter()
        .map(|event| event["data"]["request_id"].clone())
        .collect();
    assert_eq!(json!(numbers), json!([1, 2, 3, 4, 5, 6, 7, 8, 9]));
    let event = told(&server, "tool.*").remove(0);
    assert_eq!((&event["source"], &event["subject"]), (&"/mcp/stub".into(), &"source/mcp/stub".into()));
}

#[test]
fn what_is_huge_and_what_is_rubbish_passes_unchanged() {
    let place = Place::new();
    let server = Server::start(&place);
    let rubbish: &[&[u8]] = &[b"rubbish {", b"", b"\xff\xfe\x00", b"[]", b"  \r"];
    let huge = vec![b'x'; 17 << 20];
    let large = "y".repeat(3 << 20);
    let said = |mut client: Client| {
        client.say(HELLO.as_bytes());
        rubbish.iter().for_each(|line| client.say(line));
        let mut heard: Vec<_> = (0..=5).map(|_| client.hear()).collect();
        client.say(&huge);
        heard.push(client.hear());
        client.call(1, "echo", &json!({"text": large}));
        heard.push(client.hear());
        client.input.as_mut().unwrap().write_all(b"no newline").unwrap();
        drop(client.input.take());
        heard.push(client.hear());
        assert_eq!(client.end().0.code(), Some(0));
        heard
    };
    let (proxied, direct) = (said(Client::proxied(&place, &[])), said(Client::direct()));
    assert_eq!(direct[6].len(), huge.len() + 1);
    assert!(proxied == direct, "what passed is not what was said");
    let tools = told(&server, "tool.*");
    assert_eq!((tools.len(), &tools[0]["type"]), (1, &"tool.echo.completed".into()));
    assert_eq!(tools[0]["data"]["arguments"]["text"]["truncated_bytes"], large.len());
    assert_eq!(
        told(&server, "mcp.session_ended")[0]["data"]["dropped"],
        2,
        "a line of 17 MiB, and its answer"
    );
}

#[test]
fn it_ends_as_the_tool_server_ends() {
    let place = Place::new();
    let ended = |tool: &str, arguments: Value| {
        let mut client = Client::proxied(&place, &[]);
        client.call(1, tool, &arguments);
        let mut said = String::new();
        client.process.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        client.process.wait().unwrap()
    };
    assert_eq!(ended("exit", json!({"code": 7})).code(), Some(7));
    for signal in [Signal::KILL, Signal::TERM] {
        assert_eq!(ended("die", json!({"signal": signal.as_raw()})).signal(), Some(signal.as_raw()));
    }
    let mut client = Client::proxied(&place, &[]);
    client.call(1, "echo", &json!({}));
    client.hear();
    kill_process(Pid::from_child(&client.process), Signal::TERM).unwrap();
    assert_eq!(client.process.wait().unwrap().signal(), Some(Signal::TERM.as_raw()));
    let server = Server::start(&place);
    let ends = || server.json(&["events", "--json", "--type", "mcp.session_ended"]);
    eventually("every end is on the log", || ends().len() == 4);
    let told: Vec<_> =
        ends().iter().map(|end| (end["data"]["exit_code"].clone(), end["data"]["signal"].clone())).collect();
    assert_eq!(json!(told), json!([[7, null], [null, 9], [null, 15], [null, 15]]));
}

#[test]
fn where_nothing_can_be_recorded_everything_passes() {
    let place = Place::new();
    for data in ["/dev/null/impossible", place.write("file", "").to_str().unwrap()] {
        let mut client = Client::proxied(&place, &["--data", data]);
        client.say(HELLO.as_bytes());
        client.hear();
        client.call(1, "echo", &json!({}));
        assert_eq!(client.hear_id(), 1);
        let (status, said) = client.end();
        assert_eq!((status.code(), said.as_str()), (Some(0), "the tool server is here\n"));
    }
    let answer = place.run(&["mcp", "proxy", "--", "no-such-program"]);
    assert_eq!(answer.code, Some(1));
    assert!(answer.stderr.starts_with("error: no-such-program cannot be started"), "{}", answer.stderr);
    assert_eq!(place.run(&["mcp", "proxy"]).code, Some(2));
}

#[test]
fn secrets_reach_neither_the_spool_nor_the_log() {
    let place = Place::new();
    let mut client = Client::proxied(&place, &[]);
    client.call(1, "secret", &json!({"password": "hunter2hunter2"}));
    assert!(
        String::from_utf8(client.hear()).unwrap().contains("AKIAIOSFODNN7EXAMPLE"),
        "the client has it whole"
    );
    client.end();
    let spooled = std::fs::read(place.path("data/spool/hooks.frames")).unwrap();
    let holds = |text: &str| spooled.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds("ToolCall") && !holds("AKIAIOSFODNN7EXAMPLE") && !holds("hunter2hunter2"));
    let server = Server::start(&place);
    let log = json!(told(&server, "*")).to_string();
    assert!(
        log.contains("tool.secret.completed")
            && !log.contains("AKIAIOSFODNN7EXAMPLE")
            && !log.contains("hunter2")
    );
}

/// The median of round trips, the two ways by turns, so that both have the same machine.
#[test]
fn a_round_trip_takes_less_than_two_milliseconds_more() {
    let place = Place::new();
    let _server = Server::start(&place);
    let mut ways = [Client::proxied(&place, &[]), Client::direct()].map(|client| (client, Vec::new()));
    for id in 0..300 {
        for (client, trips) in &mut ways {
            let began = Instant::now();
            client.call(id, "echo", &json!({"n": id}));
            assert_eq!(client.hear_id(), id);
            trips.push(began.elapsed());
        }
    }
    let [proxied, direct] = ways.map(|(client, mut trips)| {
        client.end();
        trips.sort_unstable();
        trips[trips.len() / 2]
    });
    let added = proxied.saturating_sub(direct);
    println!("a round trip takes {direct:?}, through the proxy {proxied:?}");
    assert!(added < Duration::from_millis(2), "the proxy adds {added:?} to {direct:?}");
}
