//! A server of the test's own, on a free port of loopback.

use crate::place::{Answer, Place};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

/// Nothing that a test waits for takes longer, whatever else the machine does.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub struct Server<'a> {
    pub place: &'a Place,
    pub address: String,
    process: Child,
    stderr: BufReader<ChildStderr>,
}

impl<'a> Server<'a> {
    /// Starts `tacho up` in the place's data folder and waits until it says where it listens.
    pub fn start(place: &'a Place) -> Self {
        Self::start_with(place, &[])
    }

    pub fn start_with(place: &'a Place, arguments: &[&str]) -> Self {
        Self::start_at(place, "127.0.0.1:0", arguments)
    }

    pub fn start_at(place: &'a Place, address: &str, arguments: &[&str]) -> Self {
        let mut command = place.tacho(&[&["up", "--listen", address], arguments].concat());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut stderr = BufReader::new(process.stderr.take().unwrap());
        let mut line = String::new();
        stderr.read_line(&mut line).unwrap();
        let Some((_, address)) = line.trim().split_once(" listens on http://") else {
            stderr.read_to_string(&mut line).unwrap();
            panic!("the server did not start: {line}");
        };
        let server = Self { place, address: address.to_owned(), process, stderr };
        server.wait_until_ready();
        server
    }

    fn wait_until_ready(&self) {
        eventually("the server is ready", || self.get("/readyz").starts_with("HTTP/1.1 200"));
    }

    /// The whole answer to a GET, head and body.
    pub fn get(&self, path: &str) -> String {
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address))
    }

    /// The whole answer to a POST of JSON.
    pub fn post(&self, path: &str, body: &str) -> String {
        self.send(&format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        ))
    }

    /// The whole answer to a request as it is written.
    pub fn send(&self, request: &str) -> String {
        let mut connection = TcpStream::connect(&self.address).unwrap();
        connection.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        answer
    }

    /// A command that talks to this server.
    pub fn tacho(&self, arguments: &[&str]) -> Command {
        let mut command = self.place.tacho(arguments);
        command.env("TACHO_SERVER", format!("http://{}", self.address));
        command
    }

    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> Answer {
        Answer::of(self.tacho(arguments).output().unwrap())
    }

    /// The JSON documents that a command prints.
    #[track_caller]
    pub fn json(&self, arguments: &[&str]) -> Vec<Value> {
        documents(&self.run(arguments).ok().stdout)
    }

    pub fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.process), signal).unwrap();
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// The next line that the server says.
    pub fn said(&mut self) -> String {
        let mut line = String::new();
        self.stderr.read_line(&mut line).unwrap();
        line
    }

    pub fn exit_code(mut self) -> Option<i32> {
        self.process.wait().unwrap().code()
    }

    /// Asks the server to end, and answers its exit code and what it said since it was ready.
    pub fn stop(mut self, signal: rustix::process::Signal) -> (Option<i32>, String) {
        self.signal(signal);
        let mut said = String::new();
        self.stderr.read_to_string(&mut said).unwrap();
        (self.process.wait().unwrap().code(), said)
    }
}

impl Drop for Server<'_> {
    fn drop(&mut self) {
        // The test is over; what it proved is on the log already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub fn documents(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Asks again until it is so.
#[track_caller]
pub fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        std::thread::yield_now();
    }
}
