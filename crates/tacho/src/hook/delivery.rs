//! Where a frame goes: to the server's socket, else to the spool.

use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};
use std::io::{ErrorKind, Read, Result, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tacho_journal::spool::{self, Stored};

/// How long an agent may wait for the server. Past it the frame goes to the spool; the server knows the
/// id, so what arrived twice is one event.
const PATIENCE: Duration = Duration::from_millis(50);

/// What became of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivered {
    /// Durable on the log.
    Acknowledged,
    /// Waits in the spool for the server.
    Spooled,
    /// There was nothing to send.
    Nothing,
    /// The spool is full.
    Dropped,
}

/// Sends the frame and waits for the byte that says that it is durable.
pub fn to_server(data: &Path, frame: &[u8]) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    let runtime_folder = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let path = tacho_engine::socket::socket_path(&std::path::absolute(data)?, runtime_folder.as_deref())
        .ok_or(ErrorKind::InvalidFilename)?;
    let mut stream = connect_before(&path, deadline)?;
    stream.write_all(frame)?;
    stream.set_read_timeout(Some(remaining(deadline)?))?;
    let mut answer = [0];
    stream.read_exact(&mut answer)?;
    Ok(())
}

/// A plain `UnixStream::connect` waits without end for a server whose backlog is full.
fn connect_before(path: &Path, deadline: Instant) -> Result<UnixStream> {
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    set_socket_timeout(&socket, Timeout::Send, Some(remaining(deadline)?))?;
    connect(&socket, &SocketAddrUnix::new(path)?)?;
    Ok(UnixStream::from(socket))
}

fn remaining(deadline: Instant) -> Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(ErrorKind::TimedOut.into()) } else { Ok(left) }
}

/// Appends the frame to the spool, from where the server takes it when it is back.
pub fn to_spool(data: &Path, frame: &[u8], limit_bytes: u64) -> Result<Delivered> {
    if !data.exists() {
        crate::data_folder::create(data)?;
    }
    match spool::append(data, frame, limit_bytes)? {
        Stored::Kept => Ok(Delivered::Spooled),
        Stored::Dropped => Ok(Delivered::Dropped),
    }
}
