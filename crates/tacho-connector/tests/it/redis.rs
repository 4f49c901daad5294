use crate::bench::{Bench, eventually};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tacho_connector::{Secret, Settings};

/// A real server, on a port that was free a moment ago.
struct RedisServer {
    process: Child,
    port: u16,
}

impl RedisServer {
    fn start(folder: &Path, port: u16) -> Self {
        let port_text = port.to_string();
        let mut command = Command::new("redis-server");
        command.args(["--port", &port_text, "--bind", "127.0.0.1", "--save", "", "--requirepass", "hunter2"]);
        command.current_dir(folder).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().expect("redis-server is installed");
        let server = Self { process, port };
        eventually("redis answers", || server.ask("PING").filter(|answer| answer.contains("PONG")));
        server
    }

    /// The raw answers to AUTH, SELECT and a command.
    fn ask(&self, command: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.write_all(format!("AUTH hunter2\r\nSELECT 9\r\n{command}\r\nQUIT\r\n").as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }

    /// The JSON under the one key that begins so, and the seconds that it lives.
    fn value(&self, prefix: &str) -> Option<(serde_json::Value, u64)> {
        let keys = self.ask(&format!("KEYS {prefix}*"))?;
        let key = keys.lines().find(|line| line.starts_with(prefix))?;
        let value = self.ask(&format!("GET {key}"))?;
        let value = value.lines().find(|line| line.starts_with('{'))?;
        let seconds = self.ask(&format!("TTL {key}"))?;
        let seconds = seconds.lines().find_map(|line| line.strip_prefix(':')?.parse().ok())?;
        Some((serde_json::from_str(value).unwrap(), seconds))
    }

    fn events_of_the_day(&self) -> Option<u64> {
        self.value("metrics:daily:")?.0["events"].as_u64()
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn settings(port: u16) -> Settings {
    Settings {
        url: Some(format!("redis://127.0.0.1:{port}/9")),
        secret: Some(Secret::new("hunter2")),
        ..Settings::default()
    }
}

#[test]
fn a_redis_that_dies_and_comes_back_has_every_number() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut bench = Bench::new();
    let server = RedisServer::start(bench.folder.path(), port);
    bench.start("redis", settings(port), |_| {});
    bench.append("agent_completed", 0, 150, "{\"agent\":\"a\",\"task_id\":\"t\",\"status\":\"rejected\"}");
    eventually("the day is there", || server.events_of_the_day().filter(|events| *events == 150));
    let (hour, seconds) = server.value("metrics:hourly:").unwrap();
    assert!((1..=7 * 86_400).contains(&seconds), "{seconds}");
    assert_eq!((&hour["critic_rejection_rate"], &hour["cost_per_feature"]), (&1.0.into(), &().into()));
    drop(server);

    bench.append("agent_completed", 150, 150, "{\"agent\":\"a\",\"task_id\":\"t\",\"status\":\"approved\"}");
    let status = bench.until("it fails", |status| status.attempt >= 2);
    assert!(!status.last_error.unwrap().contains("hunter2"));
    // It comes back empty: what it held is folded from the log, and nothing is counted twice.
    let server = RedisServer::start(bench.folder.path(), port);
    eventually("the day is there again", || server.events_of_the_day().filter(|events| *events == 300));
    bench.until("it is well", |status| status.done == 300 && status.attempt == 0);

    // A restart in the middle of the day forgets nothing.
    bench.restart();
    bench.start("redis", settings(port), |_| {});
    bench.append("agent_completed", 300, 1, "{\"agent\":\"a\",\"task_id\":\"t\",\"status\":\"approved\"}");
    eventually("the day goes on", || server.events_of_the_day().filter(|events| *events == 301));
    bench.engine.close().unwrap();
}
