//! The tool server's process: started, told of signals, and ended like.

use super::conversation::End;
use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use std::ffi::OsString;
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::thread;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal as Signals, SignalKind, signal};

/// Signals that are handed on. Others end this process, and the server with its standard input.
const HANDED_ON: [(Signal, fn() -> SignalKind); 6] = [
    (Signal::HUP, SignalKind::hangup),
    (Signal::INT, SignalKind::interrupt),
    (Signal::QUIT, SignalKind::quit),
    (Signal::TERM, SignalKind::terminate),
    (Signal::USR1, SignalKind::user_defined1),
    (Signal::USR2, SignalKind::user_defined2),
];

/// By the shells' custom a program that a signal ended has this exit code and the signal's number.
const SIGNALLED: i32 = 128;

/// Starts the server; its standard error is this process's own.
///
/// # Errors
/// When there is no such program.
pub fn start(command: &[OsString]) -> Result<Child> {
    let (program, arguments) = command.split_first().context("name the tool server's command behind `--`")?;
    Command::new(program).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().with_context(
        || {
            format!(
                "{} cannot be started: name the tool server's command behind `--`",
                program.to_string_lossy()
            )
        },
    )
}

/// Signals that come from now on. Made before the server is started, so that none ends this process alone.
pub struct Listening {
    runtime: Runtime,
    signals: Vec<(Signal, Signals)>,
}

impl Listening {
    pub fn begin() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_io().build()?;
        let entered = runtime.enter();
        let signals = HANDED_ON.into_iter().map(|(number, kind)| Ok((number, signal(kind())?)));
        let signals = signals.collect::<io::Result<Vec<_>>>()?;
        drop(entered);
        Ok(Self { runtime, signals })
    }

    /// Hands each signal on while the server runs, and calls `behind` for one that comes later.
    pub fn hand_on(self, running: Running, behind: impl Fn() + Send + 'static) -> io::Result<()> {
        let Self { runtime, mut signals } = self;
        thread::Builder::new().name("mcp-signals".into()).spawn(move || {
            runtime.block_on(async {
                loop {
                    let came = std::future::poll_fn(|context| {
                        let came = signals.iter_mut().find_map(|(number, signals)| {
                            signals.poll_recv(context).is_ready().then_some(*number)
                        });
                        came.map_or(Poll::Pending, Poll::Ready)
                    });
                    if !running.signal(came.await) {
                        behind();
                    }
                }
            })
        })?;
        Ok(())
    }
}

/// The process as long as its number is its own.
#[derive(Debug, Clone)]
pub struct Running(Arc<Mutex<Option<Pid>>>);

impl Running {
    pub fn of(child: &Child) -> Self {
        Self(Arc::new(Mutex::new(Some(Pid::from_child(child)))))
    }

    /// Whether there was still a process to signal.
    fn signal(&self, signal: Signal) -> bool {
        let pid = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pid.is_some_and(|pid| kill_process(pid, signal).is_ok())
    }

    /// Waits for the end.
    pub fn wait(&self, child: &mut Child) -> io::Result<ExitStatus> {
        // While it is not collected nobody else gets its number.
        let waits = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        let interrupted = rustix::io::Errno::INTR;
        while waitid(WaitId::Pid(Pid::from_child(child)), waits).is_err_and(|error| error == interrupted) {}
        let mut pid = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *pid = None;
        child.wait()
    }
}

pub fn end_of(status: ExitStatus) -> End {
    End { exit_code: status.code(), signal: status.signal() }
}

/// Ends this process as the server's ended.
pub fn end_like(end: End) -> ! {
    if let Some(signal) = end.signal {
        // A program that takes this one's place has none of its ways with signals, so this one ends it.
        let script = format!("kill -{signal} $$; exit {}", SIGNALLED + signal);
        let _ = Command::new("/bin/sh").args(["-c", &script]).exec();
    }
    let signalled = end.signal.map(|signal| SIGNALLED + signal);
    std::process::exit(end.exit_code.or(signalled).unwrap_or(1));
}
