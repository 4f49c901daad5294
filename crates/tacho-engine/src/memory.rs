//! Memory that a burst needed goes back to the system: an idle server is small.

/// Free memory at the end of an arena that the allocator may keep.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const KEPT_BYTES: libc::c_int = 8 << 20;
/// An arena per thread of a server would hold what that thread once needed.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const MAX_ARENAS: usize = 4;

/// Tells the allocator of this process to keep little. For a server, before it starts its threads.
pub fn keep_little() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let arenas = cores.clamp(2, MAX_ARENAS) as libc::c_int;
        // SAFETY: has no precondition. A limit that is not taken is only not in force.
        unsafe {
            libc::mallopt(libc::M_ARENA_MAX, arenas);
            libc::mallopt(libc::M_TRIM_THRESHOLD, KEPT_BYTES);
            libc::mallopt(libc::M_MMAP_THRESHOLD, KEPT_BYTES);
        }
    }
}

/// Asks the allocator to give back what is free between what lives on. Takes milliseconds.
pub(crate) fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: has no precondition; it takes the allocator's own locks.
    unsafe {
        libc::malloc_trim(0);
    }
}
