//! The data folder and what is in it.

use super::{Finding, fail, ok, warn};
use crate::command::free_bytes;
use crate::data_folder as folder;
use crate::place::Place;
use crate::terminal::counted;
use rustix::fs::{Access, access};
use rustix::io::Errno;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use tacho_journal::{Journal, Options};

/// Below this much free space a warning is due; below the second nothing works for long. In bytes.
const FREE_LOW: u64 = 1 << 30;
const FREE_NONE: u64 = 16 << 20;
/// Permissions of others that a data folder should not give.
const OTHERS: u32 = 0o077;

pub fn data_folder(place: &Place) -> Vec<Finding> {
    const ABOUT: &str = "data folder";
    let path = place.data.display();
    let Ok(metadata) = place.data.metadata() else {
        return warn(
            ABOUT,
            format!("{path} does not exist"),
            "start the server with `tacho up`, or name another folder with --data",
        );
    };
    if !metadata.is_dir() {
        return fail(ABOUT, format!("{path} is no folder"), "move it away, or name another with --data");
    }
    match access(&place.data, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK) {
        Ok(()) => {}
        Err(Errno::ROFS) => {
            return warn(
                ABOUT,
                format!("{path} is on a disk that is mounted read-only"),
                "reading works; to record, mount it writable or name another folder with --data",
            );
        }
        Err(_) => {
            return fail(
                ABOUT,
                format!("{path} cannot be written by you"),
                format!("it belongs to user {}: chown it, or run this as that user", metadata.uid()),
            );
        }
    }
    if metadata.permissions().mode() & OTHERS != 0 {
        return warn(ABOUT, format!("{path} is open to other users"), format!("chmod 700 {path}"));
    }
    ok(ABOUT, path.to_string())
}

pub fn log(place: &Place) -> Vec<Finding> {
    const ABOUT: &str = "log";
    if !folder::holds_log(&place.data) {
        return warn(ABOUT, "nothing was recorded yet", "start the server with `tacho up`");
    }
    let options = Options { read_only: true, ..Options::default() };
    match Journal::open(&place.data.join("journal"), options) {
        Ok((journal, recovery)) => {
            let (events, segments) = (journal.head().0, journal.size().segments);
            let told = format!("{}, {}", counted(events, "event"), counted(segments, "segment"));
            // A reader changes nothing, so there is nothing that closing could lose.
            let _ = journal.close();
            match recovery.torn_bytes {
                0 => ok(ABOUT, told),
                _ if folder::holder(&place.data).is_some() => ok(ABOUT, told),
                torn => warn(
                    ABOUT,
                    format!("{told}; the last {torn} bytes are torn"),
                    "the next `tacho up` cuts them: they were never acknowledged",
                ),
            }
        }
        Err(error) => fail(ABOUT, error.to_string(), "restore a backup with `tacho restore`"),
    }
}

pub fn free_space(place: &Place) -> Vec<Finding> {
    const ABOUT: &str = "disk space";
    let Some(free) = free_bytes(&place.data) else { return Vec::new() };
    let told = match free {
        FREE_LOW.. => format!("{:.1} GiB free", free as f64 / (1u64 << 30) as f64),
        _ => format!("{:.1} MiB free", free as f64 / (1u64 << 20) as f64),
    };
    match free {
        ..FREE_NONE => fail(ABOUT, told, "free some: appends are refused while the disk is full"),
        FREE_NONE..FREE_LOW => warn(ABOUT, told, "free some before it is full"),
        _ => ok(ABOUT, told),
    }
}

pub fn spool(place: &Place) -> Vec<Finding> {
    const ABOUT: &str = "spool";
    let entries =
        std::fs::read_dir(tacho_journal::spool::folder(&place.data)).into_iter().flatten().flatten();
    let waiting: u64 = entries.filter_map(|entry| entry.metadata().ok()).map(|metadata| metadata.len()).sum();
    match waiting {
        0 => ok(ABOUT, "nothing waits"),
        bytes => {
            warn(ABOUT, format!("{bytes} bytes of hooks wait"), "a running server takes them in: `tacho up`")
        }
    }
}
