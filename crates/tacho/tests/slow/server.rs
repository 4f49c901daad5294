//! A server of the test's own: `tacho up` on a free port of loopback.

use serde_json::Value;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const READY_WITHIN: Duration = Duration::from_secs(30);

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

pub struct Server {
    process: Child,
    port: u16,
    data: PathBuf,
}

impl Server {
    /// Starts the server and waits until it is ready.
    pub fn start(data: &Path) -> Server {
        Server::start_with(data, &[])
    }

    pub fn start_with(data: &Path, arguments: &[&str]) -> Server {
        let port = free_port();
        let process = Command::new(env!("CARGO_BIN_EXE_tacho"))
            .args(["up", "--listen", &format!("127.0.0.1:{port}"), "--data"])
            .arg(data)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut server = Server { process, port, data: data.to_owned() };
        let begun = Instant::now();
        while !server.is_ready() {
            assert_eq!(server.process.try_wait().unwrap(), None, "the server ended");
            assert!(begun.elapsed() < READY_WITHIN, "the server is not ready after {READY_WITHIN:?}");
            std::thread::yield_now();
        }
        server
    }

    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Ends the process as a power cut would: at once, without a word to it.
    pub fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// The process's memory, without the pages of the program itself: those of a build without optimisation are twice as
    /// many.
    pub fn resident_kib(&self) -> u64 {
        let program = std::fs::read_link(format!("/proc/{}/exe", self.process.id())).unwrap();
        let maps = std::fs::read_to_string(format!("/proc/{}/smaps", self.process.id())).unwrap();
        let (mut is_program, mut kib) = (false, 0);
        for line in maps.lines() {
            let first = line.split_whitespace().next().unwrap_or_default();
            if !first.ends_with(':') {
                is_program = line.ends_with(program.to_str().unwrap());
            } else if first == "Rss:" && !is_program {
                kib += line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap();
            }
        }
        kib
    }

    /// A session's events, oldest first.
    pub fn events_of_session(&self, session: &str) -> Vec<Value> {
        self.events(&["--limit", "100000", "--session", session])
    }

    /// What `tacho events` answers with these arguments.
    pub fn events(&self, arguments: &[&str]) -> Vec<Value> {
        self.answers(&[&["events"], arguments].concat())
    }

    /// The JSON documents that a command answers.
    pub fn answers(&self, arguments: &[&str]) -> Vec<Value> {
        let output = Command::new(env!("CARGO_BIN_EXE_tacho"))
            .args(arguments)
            .arg("--json")
            .env("TACHO_SERVER", format!("http://127.0.0.1:{}", self.port))
            .env("TACHO_DATA", &self.data)
            .output()
            .unwrap();
        assert!(output.status.success(), "tacho {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn is_ready(&self) -> bool {
        let answer = || -> std::io::Result<String> {
            let mut connection = TcpStream::connect(("127.0.0.1", self.port))?;
            let host = format!("127.0.0.1:{}", self.port);
            write!(connection, "GET /readyz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")?;
            let mut answer = String::new();
            connection.read_to_string(&mut answer)?;
            Ok(answer)
        };
        answer().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The test is over; what it proved is on the log already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
