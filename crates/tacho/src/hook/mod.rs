//! `tacho hook`: an agent's hook in, an event out; git's hooks too.
//!
//! Every tool call of an agent waits for this process. So it begins before the command line is parsed,
//! reads no configuration, starts no thread, and whatever happens it prints nothing on standard output
//! and exits 0: the recorder never harms what it records.

mod arguments;
mod commit;
mod delivery;
mod payload;

pub use delivery::{Delivered, to_server, to_spool};
pub use payload::{Settings, clean};

use crate::{git, identity};
use arguments::Arguments;
use payload::Payload;
use std::ffi::OsString;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};
use std::path::PathBuf;
use std::time::{Instant, SystemTime};
use tacho_event::{Timestamp, TraceContext};
use tacho_ingest::hook::Agent;
use tacho_journal::spool::{HookFrame, MAX_FRAME_BYTES};

/// Room in a frame for everything but the payload, in bytes.
const FRAME_OVERHEAD_BYTES: usize = 64 * 1024;
/// What is read of standard input, in bytes; an agent's payload is far below it.
const PAYLOAD_BYTES_MAX: usize = MAX_FRAME_BYTES - FRAME_OVERHEAD_BYTES;

/// Records one hook. `arguments` are those behind `hook`. Never fails, never panics.
pub fn run(arguments: impl Iterator<Item = OsString>) {
    let started = Started { wall: SystemTime::now(), monotonic: Instant::now() };
    let debug = Debug { on: std::env::var_os("TACHO_HOOK_DEBUG").is_some_and(|value| value == "1"), started };
    let arguments: Vec<OsString> = arguments.collect();
    set_hook(Box::new(|_| {}));
    let outcome = catch_unwind(AssertUnwindSafe(|| record(&arguments, started, &debug)));
    debug.say(match outcome {
        Ok(Ok(Delivered::Acknowledged)) => "acknowledged".to_owned(),
        Ok(Ok(Delivered::Spooled)) => "spooled".to_owned(),
        Ok(Ok(Delivered::Nothing)) => "there is nothing to tell".to_owned(),
        Ok(Ok(Delivered::Dropped)) => "the spool is full: counted and dropped".to_owned(),
        Ok(Err(error)) => format!("lost: {error}"),
        Err(_) => "lost: the hook panicked".to_owned(),
    });
}

#[derive(Clone, Copy)]
struct Started {
    wall: SystemTime,
    monotonic: Instant,
}

fn record(arguments: &[OsString], started: Started, debug: &Debug) -> std::io::Result<Delivered> {
    let arguments = Arguments::parse(arguments);
    let Some(raw) = input(&arguments)? else { return Ok(Delivered::Nothing) };
    let data = data_folder(arguments.data);
    debug.say(format!("read {} bytes", raw.len()));
    let settings = Settings::load(&data);
    let payload = payload::clean(&raw, &settings.redactor());
    debug.say("redacted".to_owned());
    let frame = frame(arguments.agent, identity::timestamp(started.wall), payload).encode();
    debug.say("framed".to_owned());
    match to_server(&data, &frame) {
        Ok(()) => return Ok(Delivered::Acknowledged),
        Err(error) => debug.say(format!("{} did not answer: {error}", data.display())),
    }
    to_spool(&data, &frame, settings.spool_bytes)
}

/// The payload: standard input, but for git, which is asked. `None` where no commit was made.
fn input(arguments: &Arguments) -> std::io::Result<Option<Vec<u8>>> {
    if arguments.agent == Agent::Git.name() {
        return Ok(commit::payload(arguments.commit.as_deref().unwrap_or("HEAD"), arguments.is_merge));
    }
    let mut raw = Vec::with_capacity(16 * 1024);
    std::io::stdin().lock().take(PAYLOAD_BYTES_MAX as u64).read_to_end(&mut raw)?;
    Ok(Some(raw))
}

fn frame(agent: String, time: Timestamp, payload: Payload) -> HookFrame {
    let folder = payload.working_folder.or_else(|| std::env::current_dir().ok());
    let head = folder.and_then(|folder| git::head(&folder));
    let (git_sha, branch) = head.map_or((None, None), |head| (head.sha, head.branch));
    let traceparent = std::env::var("TRACEPARENT").ok().filter(|text| TraceContext::parse(text).is_some());
    let id = identity::uuid7(time, identity::random());
    HookFrame { id, time, agent, git_sha, branch, traceparent, payload: payload.bytes }
}

/// Where the log is: named, else the project's, else below the current folder.
pub fn data_folder(named: Option<PathBuf>) -> PathBuf {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    named
        .or_else(|| variable("TACHO_DATA"))
        .or_else(|| variable("CLAUDE_PROJECT_DIR").map(|project| project.join(".tacho")))
        .unwrap_or_else(|| PathBuf::from(".tacho"))
}

/// Tells what happens on standard error, only when `TACHO_HOOK_DEBUG=1` asks for it.
struct Debug {
    on: bool,
    started: Started,
}

impl Debug {
    fn say(&self, what: String) {
        if self.on {
            use std::io::Write;
            let elapsed = self.started.monotonic.elapsed().as_micros();
            // A closed standard error is no reason to fail.
            let _ = writeln!(
                std::io::stderr(),
                "tacho hook: {elapsed:>6} µs: {}",
                crate::terminal::escape(&what)
            );
        }
    }
}

/// Whether a person asks what the command does; an agent never does.
pub fn asks_for_help() -> bool {
    std::env::args_os().skip(2).any(|argument| argument == "--help" || argument == "-h")
}
