//! `tacho mcp proxy`: stands between a client and a tool server, and tells of what they say.

use super::child::{self, Listening, Running};
use super::conversation::{About, End, Side};
use super::pass;
use super::recorder::Recorder;
use crate::failure::{Ending, WrongUsage};
use crate::hook;
use anyhow::{Context, Result};
use clap::Args;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

/// Longest id that is taken, in bytes.
const ID_BYTES_MAX: usize = 256;
/// How long nothing may come from a server that ended before its output is taken to be at its end. Only a process
/// that it left behind can hold it open.
const SILENCE: Duration = Duration::from_secs(1);

/// Stand between a client and a tool server on standard input and output, and record its calls
///
/// Every byte passes unchanged and at once, whatever becomes of the recording. Each call gives
/// tool.<tool>.completed or tool.<tool>.failed; the conversation gives mcp.session_started and
/// mcp.session_ended. Events go the way of hooks: to the running server, else to the spool of the data folder.
/// Signals go to the tool server, and the exit code is its own.
///
/// In .mcp.json, put it before the tool server's command:
///
///   "command": "tacho", "args": ["mcp", "proxy", "--", "npx", "-y", "some-server"]
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct Proxy {
    /// The context that the calls belong to; their stream is then context/ID [default: the session's stream,
    /// else the server's]
    #[arg(long, value_name = "ID", value_parser = id)]
    context: Option<String>,
    /// The session that they belong to
    #[arg(long, value_name = "ID", value_parser = id)]
    session: Option<String>,
    /// What they are correlated with
    #[arg(long, value_name = "ID", value_parser = id)]
    correlation: Option<String>,
    /// The id of a tool server that does not name itself [default: the program's file name]
    #[arg(long, value_name = "ID", value_parser = id)]
    server_id: Option<String>,
    /// The data folder [env: TACHO_DATA=] [default: $CLAUDE_PROJECT_DIR/.tacho, else ./.tacho]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The tool server's program and its arguments
    #[arg(value_name = "COMMAND", required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<OsString>,
}

fn id(text: &str) -> Result<String, WrongUsage> {
    if text.is_empty() || text.len() > ID_BYTES_MAX || text.chars().any(char::is_control) {
        return Err(WrongUsage(format!("an id has 1 to {ID_BYTES_MAX} bytes and no control characters")));
    }
    Ok(text.to_owned())
}

/// What the conversation's end depends on.
enum Happened {
    /// The server's process ended.
    Ended(End),
    /// Everything that the server said has passed.
    Passed,
    /// A signal came that nobody was there to take.
    Signalled,
}

impl Proxy {
    pub fn run(self) -> Result<Ending> {
        let signals = Listening::begin().context("signals cannot be listened to")?;
        let (input, output) = (pass::own(std::io::stdin()), pass::own(std::io::stdout()));
        let (input, output) = (input.context("standard input")?, output.context("standard output")?);
        let mut child = child::start(&self.command)?;
        let recorder = Recorder::start(self.about(), hook::data_folder(self.data));
        let (tell, happened) = channel();
        let running = Running::of(&child);
        let moved = Arc::new(AtomicU64::new(0));
        // Where a thread cannot be had, the server ends with its standard input.
        if let (Some(to_server), Some(from_server)) = (child.stdin.take(), child.stdout.take()) {
            let (ear, passed, moving) = (recorder.ear(Side::Server), tell.clone(), moved.clone());
            spawn("mcp-output", move || {
                pass::to_client(from_server, output, ear, &moving);
                let _ = passed.send(Happened::Passed);
            })?;
            let ear = recorder.ear(Side::Client);
            spawn("mcp-input", move || pass::to_server(input, to_server, ear))?;
        }
        let signalled = tell.clone();
        signals.hand_on(running.clone(), move || drop(signalled.send(Happened::Signalled)))?;
        spawn("mcp-wait", move || wait(running, child, &tell))?;
        let end = follow(&happened, &moved);
        recorder.end(end);
        child::end_like(end)
    }

    fn about(&self) -> About {
        let program = self.command.first().map(Path::new).and_then(Path::file_name);
        let program = program.map_or_else(|| "server".into(), |name| name.to_string_lossy());
        About {
            server_id: self.server_id.clone().unwrap_or_else(|| program.into_owned()),
            context: self.context.clone(),
            session: self.session.clone(),
            correlation: self.correlation.clone(),
        }
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<()> {
    thread::Builder::new().name(name.into()).spawn(work).context("a thread cannot be started")?;
    Ok(())
}

fn wait(running: Running, mut child: Child, tell: &Sender<Happened>) {
    let end = running.wait(&mut child).map_or_else(|_| End::default(), child::end_of);
    let _ = tell.send(Happened::Ended(end));
}

/// Waits until the server ended and everything that it said has passed.
fn follow(happened: &Receiver<Happened>, moved: &AtomicU64) -> End {
    let (mut ended, mut has_passed, mut before) = (None, false, 0);
    loop {
        if let (Some(end), true) = (ended, has_passed) {
            return end;
        }
        let next = match ended {
            None => happened.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(_) => happened.recv_timeout(SILENCE),
        };
        match next {
            Ok(Happened::Ended(end)) => ended = Some(end),
            Ok(Happened::Passed) => has_passed = true,
            Ok(Happened::Signalled) | Err(RecvTimeoutError::Disconnected) => {
                return ended.unwrap_or_default();
            }
            Err(RecvTimeoutError::Timeout) => {
                let now = moved.load(SeqCst);
                // Odd: bytes wait for the client to take them.
                has_passed = now == before && now.is_multiple_of(2);
                before = now;
            }
        }
    }
}
