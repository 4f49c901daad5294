//! Messages with a process that stays: JSON objects, a line each.

use super::launch::Launch;
use super::output;
use super::running::{Running, Step};
use std::time::{Duration, Instant};
use tacho_engine::delivery::Failure;

/// After any failure of it the process has ended, and another one must be started.
pub(super) struct Conversation {
    running: Running,
    program: String,
    /// What was read; taken lines are cut off when more is read.
    read: Vec<u8>,
    taken: usize,
    /// Up to here no newline was found.
    searched: usize,
    line_bytes: usize,
    began: Instant,
}

impl Conversation {
    pub(super) fn start(launch: &Launch, line_bytes: usize) -> Result<Self, Failure> {
        Ok(Self {
            running: launch.start(&[])?,
            program: launch.program().to_owned(),
            read: Vec::new(),
            taken: 0,
            searched: 0,
            line_bytes,
            began: Instant::now(),
        })
    }

    /// A message with the newline behind it.
    pub(super) fn send(&mut self, line: Vec<u8>) {
        self.running.send(line);
    }

    /// The next message, minified.
    pub(super) fn message(&mut self, until: Instant) -> Result<Vec<u8>, Failure> {
        loop {
            if let Some(line) = self.line(until)? {
                return output::object(&line).map_err(|reason| {
                    self.broken(
                        "bad_answer",
                        &format!("wrote a line that is no message: {reason}; logs belong to standard error"),
                    )
                });
            }
        }
    }

    /// The next line; `None` for an empty one.
    fn line(&mut self, until: Instant) -> Result<Option<Vec<u8>>, Failure> {
        loop {
            if let Some(length) = self.read[self.searched..].iter().position(|byte| *byte == b'\n') {
                let end = self.searched + length;
                let line = self.read[self.taken..end].trim_ascii();
                let line = (!line.is_empty()).then(|| line.to_vec());
                (self.taken, self.searched) = (end + 1, end + 1);
                return Ok(line);
            }
            self.read.drain(..self.taken);
            (self.taken, self.searched) = (0, self.read.len());
            if self.read.len() > self.line_bytes {
                let message =
                    format!("wrote a line of more than {} bytes; raise `output_bytes`", self.line_bytes);
                return Err(self.broken("output_too_large", &message));
            }
            match self.running.step(&mut self.read, until) {
                Step::Output if Instant::now() < until => {}
                Step::Output | Step::Quiet => return Err(self.broken("timeout", "did not answer in time")),
                Step::Closed | Step::Exited => return Err(self.died()),
            }
        }
    }

    /// Kills the process; the failure says why.
    pub(super) fn broken(&mut self, code: &str, what: &str) -> Failure {
        let last = self.running.last_line();
        self.running.kill();
        Failure::retry(code, format!("{:?} {what}; it was killed{last}", self.program))
    }

    fn died(&mut self) -> Failure {
        let status = self.running.close();
        let status = status.map_or("nobody knows how".to_owned(), |status| status.to_string());
        let message = format!("{:?} ended: {status}{}", self.program, self.running.last_line());
        Failure::retry("worker_died", message)
    }

    pub(super) fn is_alive(&self) -> bool {
        self.running.is_alive()
    }

    pub(super) fn age(&self) -> Duration {
        self.began.elapsed()
    }

    /// Its resident memory in bytes; `None` where the system does not tell.
    pub(super) fn memory_bytes(&self) -> Option<u64> {
        let pages = std::fs::read_to_string(format!("/proc/{}/statm", self.running.id())).ok()?;
        let resident: u64 = pages.split(' ').nth(1)?.parse().ok()?;
        Some(resident * rustix::param::page_size() as u64)
    }
}
