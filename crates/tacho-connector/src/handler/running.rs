//! A process and its pipes, on the thread that uses it: what is to be written is written and what comes is read while
//! it waits, so that neither side can block the other.

use super::exit::Exit;
use super::tail::Tail;
use rustix::buffer::spare_capacity;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, BorrowedFd};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process_group};
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, ExitStatus};
use std::time::{Duration, Instant};

/// What is read at once, in bytes.
const CHUNK: usize = 64 << 10;
/// How long a process may take to leave once its standard input is closed ...
const LEAVE: Duration = Duration::from_millis(200);
/// ... and once it was told to end (SIGTERM); then it is killed.
const END: Duration = Duration::from_secs(1);

pub(super) struct Running {
    child: Child,
    group: Option<Pid>,
    exit: Exit,
    has_exited: bool,
    is_reaped: bool,
    stdin: Option<ChildStdin>,
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
    outgoing: Vec<u8>,
    sent: usize,
    /// Nothing follows what is outgoing.
    is_last: bool,
    tail: Tail,
}

/// What one step brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Bytes on standard output.
    Output,
    /// Standard output has ended, and nothing comes any more; told once.
    Closed,
    /// The process has ended, its group is killed, all it wrote was read.
    Exited,
    /// The time is over.
    Quiet,
}

#[derive(Default)]
struct Ready {
    input: bool,
    output: bool,
    errors: bool,
    exit: bool,
}

impl Running {
    pub(super) fn new(mut child: Child) -> io::Result<Self> {
        let process = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let exit = Exit::of(process.ok_or_else(|| io::Error::other("a process without a number"))?);
        let running = Self {
            child,
            group: process,
            exit,
            has_exited: false,
            is_reaped: false,
            stdin,
            stdout,
            stderr,
            outgoing: Vec::new(),
            sent: 0,
            is_last: false,
            tail: Tail::default(),
        };
        let pipes = [
            running.stdin.as_ref().map(AsFd::as_fd),
            running.stdout.as_ref().map(AsFd::as_fd),
            running.stderr.as_ref().map(AsFd::as_fd),
        ];
        for pipe in pipes.into_iter().flatten() {
            fcntl_setfl(pipe, fcntl_getfl(pipe)? | OFlags::NONBLOCK)?;
        }
        Ok(running)
    }

    /// Begins to write to its standard input; [`Self::step`] goes on.
    pub(super) fn send(&mut self, bytes: Vec<u8>) {
        if self.sent == self.outgoing.len() {
            (self.outgoing, self.sent) = (bytes, 0);
        } else {
            self.outgoing.extend_from_slice(&bytes);
        }
        self.write();
    }

    /// Closes its standard input behind what was sent.
    pub(super) fn send_no_more(&mut self) {
        self.is_last = true;
        self.write();
    }

    /// Waits until something happens, at most until then. What it wrote is appended to `output`.
    pub(super) fn step(&mut self, output: &mut Vec<u8>, until: Instant) -> Step {
        loop {
            if self.has_exited {
                let more = self.read_output(output);
                self.read_errors();
                return if more { Step::Output } else { Step::Exited };
            }
            let ready = self.wait(until);
            if ready.errors {
                self.read_errors();
            }
            if ready.input {
                self.write();
            }
            if ready.output {
                let was_open = self.stdout.is_some();
                if self.read_output(output) {
                    return Step::Output;
                }
                if was_open && self.stdout.is_none() {
                    return Step::Closed;
                }
            }
            if ready.exit {
                self.has_exited = true;
                // What it left behind in its group goes with it, and holds no pipe open.
                self.signal(Signal::KILL);
            } else if Instant::now() >= until {
                return Step::Quiet;
            }
        }
    }

    /// The end of what it said on standard error, for a message.
    pub(super) fn last_line(&mut self) -> String {
        self.read_errors();
        self.tail.last_line()
    }

    pub(super) fn is_alive(&self) -> bool {
        !self.has_exited && !self.is_reaped && !self.exit.has_happened()
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Kills it and its group; answers how it ended.
    pub(super) fn kill(&mut self) -> Option<ExitStatus> {
        if !self.is_reaped {
            self.signal(Signal::KILL);
        }
        let status = self.child.wait().ok();
        self.is_reaped = true;
        status
    }

    /// Lets it leave: closes its standard input, then tells it to end, then kills it. Answers how it ended.
    pub(super) fn close(&mut self) -> Option<ExitStatus> {
        if !self.is_reaped {
            (self.stdin, self.outgoing) = (None, Vec::new());
            self.sent = 0;
            if !self.exits_within(LEAVE) {
                self.signal(Signal::TERM);
                self.exits_within(END);
            }
        }
        self.kill()
    }

    fn exits_within(&mut self, time: Duration) -> bool {
        let until = Instant::now() + time;
        let mut unread = Vec::new();
        loop {
            match self.step(&mut unread, until) {
                Step::Exited => return true,
                Step::Quiet => return false,
                Step::Output if Instant::now() >= until => return false,
                Step::Output | Step::Closed => unread.clear(),
            }
        }
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.group {
            let _ = kill_process_group(group, signal);
        }
    }

    fn wait(&self, until: Instant) -> Ready {
        let left = until.saturating_duration_since(Instant::now()).min(self.exit.patience());
        let left = Timespec::try_from(left).ok();
        let input = self.stdin.as_ref().filter(|_| self.sent < self.outgoing.len()).map(AsFd::as_fd);
        let pipes: [(Option<BorrowedFd<'_>>, PollFlags); 4] = [
            (input, PollFlags::OUT),
            (self.stdout.as_ref().map(AsFd::as_fd), PollFlags::IN),
            (self.stderr.as_ref().map(AsFd::as_fd), PollFlags::IN),
            (self.exit.descriptor(), PollFlags::IN),
        ];
        let mut polled = Vec::with_capacity(pipes.len());
        polled.extend(
            pipes.iter().filter_map(|(pipe, flags)| Some(PollFd::from_borrowed_fd((*pipe)?, *flags))),
        );
        if poll(&mut polled, left.as_ref()).is_err() {
            return Ready::default();
        }
        let mut answers = polled.iter().map(|polled| !polled.revents().is_empty());
        let mut of = |pipe: Option<BorrowedFd<'_>>| pipe.is_some() && answers.next() == Some(true);
        let [input, output, errors, exit] = pipes.map(|(pipe, _)| of(pipe));
        let exit = exit || (self.exit.descriptor().is_none() && self.exit.has_happened());
        Ready { input, output, errors, exit }
    }

    /// Whether there was something.
    fn read_output(&mut self, output: &mut Vec<u8>) -> bool {
        let Some(pipe) = &self.stdout else { return false };
        output.reserve(CHUNK);
        match rustix::io::read(pipe, spare_capacity(output)) {
            Ok(read) if read > 0 => true,
            Err(Errno::AGAIN | Errno::INTR) => false,
            _ => {
                self.stdout = None;
                false
            }
        }
    }

    fn read_errors(&mut self) {
        let mut bytes = [0; 4 << 10];
        // A flood is looked at again in the next step.
        for _ in 0..16 {
            let Some(pipe) = &self.stderr else { return };
            match rustix::io::read(pipe, &mut bytes[..]) {
                Ok(read) if read > 0 => self.tail.push(&bytes[..read]),
                Err(Errno::AGAIN | Errno::INTR) => return,
                _ => self.stderr = None,
            }
        }
    }

    /// Writes what the pipe takes. A process that closed its standard input reads no more: that is its right.
    fn write(&mut self) {
        while self.sent < self.outgoing.len() {
            let Some(pipe) = &self.stdin else { break };
            match rustix::io::write(pipe, &self.outgoing[self.sent..]) {
                Ok(written) => self.sent += written,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return,
                Err(_) => self.stdin = None,
            }
        }
        self.outgoing.clear();
        self.sent = 0;
        if self.is_last {
            self.stdin = None;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.is_reaped {
            self.close();
        }
    }
}

/// `exit_N` or `signal_N`, for programs.
pub(super) fn code(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit_{code}"),
        (None, Some(signal)) => format!("signal_{signal}"),
        (None, None) => "ended".to_owned(),
    }
}
