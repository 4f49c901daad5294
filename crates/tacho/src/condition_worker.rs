//! `tacho condition-worker`: evaluates the conditions of one query or subscriber, and nothing else.
//!
//! The server starts it and talks to it on standard input and output. A condition may run for ever or take
//! all memory: the server kills the process when it is late, and the limits that it sets itself hold when
//! nobody does.

use rustix::process::{Resource, Rlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};
use std::ffi::OsString;
use std::io::{Write, stdin, stdout};
use std::path::{Path, PathBuf};
use std::process::{ExitCode, exit};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use tacho_engine::condition::protocol::{Asked, READY, REFUSED, Task, read_batch, write_answer, write_text};
use tacho_event::{Jq, JqKind};

/// The first argument that makes this program a worker. It is no command: only the server knows it.
pub const ARGUMENT: &str = "condition-worker";
/// Processor time beyond the time for a batch, in seconds: the server is to be first.
const GRACE_SECONDS: u64 = 4;

/// What starts a worker.
pub fn command() -> std::io::Result<Vec<OsString>> {
    // Whatever was put in this program's place since it began, the worker is to be of the same version.
    const SELF: &str = "/proc/self/exe";
    let program = if Path::new(SELF).exists() { PathBuf::from(SELF) } else { std::env::current_exe()? };
    Ok(vec![program.into(), ARGUMENT.into()])
}

/// Answers until standard input ends.
pub fn run() -> ExitCode {
    match work() {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn work() -> std::io::Result<()> {
    let task = Task::read(&mut stdin().lock())?;
    limit(Resource::Core, 0);
    limit(Resource::As, task.memory_bytes);
    limit_time(&task);
    let mut out = stdout().lock();
    let kind = if task.asked == Asked::Fold { JqKind::Fold } else { JqKind::Filter };
    let program = match Jq::compile_as(&task.program, kind) {
        Ok(program) => program,
        Err(error) => {
            out.write_all(&[REFUSED])?;
            write_text(error.reason.as_bytes(), &mut out)?;
            return out.flush();
        }
    };
    out.write_all(&[READY])?;
    out.flush()?;
    for batch in batches()? {
        limit_time(&task);
        answer(&program, task.asked, &batch, &mut out)?;
        out.flush()?;
    }
    Ok(())
}

fn answer(program: &Jq, asked: Asked, batch: &[Vec<u8>], out: &mut impl Write) -> std::io::Result<()> {
    match asked {
        Asked::Holds => {
            let answers: Vec<u8> = batch.iter().map(|text| u8::from(program.holds_for(text))).collect();
            out.write_all(&answers)
        }
        Asked::First => batch.iter().try_for_each(|text| write_answer(&program.first_of(text), out)),
        Asked::Fold => {
            let folded = match batch.split_first() {
                Some((state, events)) => program.fold(state, events.iter().map(Vec::as_slice)),
                None => Err("there is no state".to_owned()),
            };
            write_answer(&folded, out)
        }
    }
}

/// The batches on standard input, read on a thread of their own: when the server is gone, this process ends,
/// whatever the condition is doing. (A signal at the parent's death would come when the parent's thread ends,
/// which is sooner.)
fn batches() -> std::io::Result<Receiver<Vec<Vec<u8>>>> {
    let (sender, receiver) = sync_channel(1);
    thread::Builder::new().name("condition-input".into()).spawn(move || {
        let mut input = stdin().lock();
        while let Ok(batch) = read_batch(&mut input) {
            if sender.send(batch).is_err() {
                break;
            }
        }
        exit(0);
    })?;
    Ok(receiver)
}

/// Allows the processor time of one more batch.
fn limit_time(task: &Task) {
    let used = u64::try_from(clock_gettime(ClockId::ProcessCPUTime).tv_sec).unwrap_or(0);
    limit(Resource::Cpu, used + task.batch_ms.div_ceil(1000) + GRACE_SECONDS);
}

/// Sets the soft limit. A system that does not know the resource leaves the server's own limit on time.
fn limit(resource: Resource, most: u64) {
    let hard = rustix::process::getrlimit(resource).maximum;
    let most = hard.map_or(most, |hard| most.min(hard));
    let _ = setrlimit(resource, Rlimit { current: Some(most), maximum: hard });
}
