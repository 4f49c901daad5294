//! Bytes from one to the other, unchanged and at once.

use super::recorder::Ear;
use rustix::event::{PollFd, PollFlags, poll};
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

/// What is read at once, in bytes: as much as a pipe holds.
const BUFFER_BYTES: usize = 64 << 10;

/// What the client says. The recorder hears it first, so that it knows a call before its answer. When the server
/// takes no more, the rest is read and thrown away, so that the client is not held up.
pub fn to_server(mut from: File, to: impl Write + AsFd, mut ear: Ear) {
    let mut to = Some(to);
    let mut buffer = vec![0; BUFFER_BYTES];
    while let Some(bytes) = read(&mut from, &mut buffer) {
        ear.hear(bytes);
        if to.as_mut().is_some_and(|to| write(to, bytes).is_err()) {
            to = None;
        }
    }
}

/// What the server says; the client has it before the recorder. When the client takes no more, the server's end
/// of the pipe is closed. `moved` is odd while bytes are on their way.
pub fn to_client(mut from: impl Read + AsFd, mut to: File, mut ear: Ear, moved: &AtomicU64) {
    let mut buffer = vec![0; BUFFER_BYTES];
    while let Some(bytes) = read(&mut from, &mut buffer) {
        moved.fetch_add(1, SeqCst);
        let written = write(&mut to, bytes);
        moved.fetch_add(1, SeqCst);
        if written.is_err() {
            return;
        }
        ear.hear(bytes);
    }
}

/// A copy of one of this process's own ends.
pub fn own(end: impl AsFd) -> io::Result<File> {
    Ok(File::from(end.as_fd().try_clone_to_owned()?))
}

/// What has come; `None` at the end.
fn read<'a>(from: &mut (impl Read + AsFd), buffer: &'a mut [u8]) -> Option<&'a [u8]> {
    loop {
        match from.read(buffer) {
            Ok(0) => return None,
            Ok(count) => return Some(&buffer[..count]),
            Err(error) => retry(&error, from.as_fd(), PollFlags::IN).ok()?,
        }
    }
}

fn write(to: &mut (impl Write + AsFd), mut bytes: &[u8]) -> Result<(), ()> {
    while !bytes.is_empty() {
        match to.write(bytes) {
            Ok(0) => return Err(()),
            Ok(count) => bytes = &bytes[count..],
            Err(error) => retry(&error, to.as_fd(), PollFlags::OUT)?,
        }
    }
    Ok(())
}

/// The other side of a pipe may have made it one that does not wait; then the waiting is done here.
fn retry(error: &io::Error, end: BorrowedFd<'_>, until: PollFlags) -> Result<(), ()> {
    match error.kind() {
        ErrorKind::Interrupted => Ok(()),
        ErrorKind::WouldBlock => match poll(&mut [PollFd::from_borrowed_fd(end, until)], None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(_) => Err(()),
        },
        _ => Err(()),
    }
}
