//! The priority of the calling thread.

/// Lets other threads go first. On Linux a niceness belongs to a thread; elsewhere it is the process's, and
/// lowering all of it would slow appends too, so nothing happens there.
pub(crate) fn step_back(niceness: u8) {
    #[cfg(target_os = "linux")]
    {
        // A refusal costs speed of appends during a burst, nothing else.
        let _ = rustix::process::setpriority_process(None, i32::from(niceness.min(19)));
    }
    #[cfg(not(target_os = "linux"))]
    let _ = niceness;
}
