//! What a new process does before it becomes its program: the one place here that needs `unsafe`.

use rustix::process::{self, Resource, Rlimit};
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Ends the process together with the thread that starts it, however that ends (Linux alone; elsewhere the end of its
/// standard input tells the process), and limits its address space.
pub(super) fn bind(command: &mut Command, memory_bytes: Option<u64>) {
    let parent = process::getpid();
    let before = move || -> io::Result<()> {
        #[cfg(target_os = "linux")]
        process::set_parent_process_death_signal(Some(process::Signal::KILL))?;
        if let Some(bytes) = memory_bytes {
            process::setrlimit(Resource::As, Rlimit { current: Some(bytes), maximum: Some(bytes) })?;
        }
        // The parent may have ended before the signal was asked for.
        match process::getppid() {
            Some(now) if now == parent => Ok(()),
            _ => Err(rustix::io::Errno::SRCH.into()),
        }
    };
    // SAFETY: between `fork` and `exec` only what is safe in a signal handler may be called. The closure makes system
    // calls and compares numbers; it takes no lock and allocates nothing, in its errors neither.
    unsafe { command.pre_exec(before) };
}
