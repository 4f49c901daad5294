//! Whether a process has ended, told without reaping it: its group's number stays its own until then.

use rustix::fd::{BorrowedFd, OwnedFd};
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use std::time::Duration;

/// How often it is asked where the system cannot tell by itself.
const ASKED_EVERY: Duration = Duration::from_millis(10);

pub(super) struct Exit {
    process: Pid,
    /// Becomes readable with the exit.
    told_by: Option<OwnedFd>,
}

impl Exit {
    pub(super) fn of(process: Pid) -> Self {
        Self { process, told_by: descriptor(process) }
    }

    pub(super) fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        use rustix::fd::AsFd;
        self.told_by.as_ref().map(AsFd::as_fd)
    }

    /// The longest wait between two looks.
    pub(super) fn patience(&self) -> Duration {
        if self.told_by.is_some() { Duration::MAX } else { ASKED_EVERY }
    }

    pub(super) fn has_happened(&self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        // An error means that nobody is there to wait for.
        !matches!(waitid(WaitId::Pid(self.process), options), Ok(None))
    }
}

#[cfg(target_os = "linux")]
fn descriptor(process: Pid) -> Option<OwnedFd> {
    rustix::process::pidfd_open(process, rustix::process::PidfdFlags::empty()).ok()
}

#[cfg(not(target_os = "linux"))]
fn descriptor(_: Pid) -> Option<OwnedFd> {
    None
}
