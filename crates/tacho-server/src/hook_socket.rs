//! The Unix socket on which hooks hand over their frames: one frame in, one byte out.

use crate::accept::stopped;
use crate::config::Limits;
use crate::doors::SharedDoors;
use bytes::BytesMut;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tacho_engine::{HookFrame, MAX_FRAME_BYTES};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, watch};

/// The frame is durable.
const ACKNOWLEDGED: &[u8] = b"A";
/// The frame was read and refused for good: sending it again cannot help.
const REFUSED: &[u8] = b"R";
/// What a frame may have around its payload, in bytes.
const FRAME_OVERHEAD_BYTES: usize = 64 << 10;
/// Hooks at once; more wait in the listener's queue.
const CONNECTIONS: usize = 256;
const REST: Duration = Duration::from_millis(50);

/// The socket, which is removed when this is dropped.
pub(crate) struct HookSocket {
    listener: UnixListener,
    path: PathBuf,
}

impl HookSocket {
    /// Binds it. The caller holds the lock of the data folder, so that a socket which is there is stale.
    pub(crate) fn bind(path: &Path) -> std::io::Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
            std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))?;
        }
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(path)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
        Ok(Self { listener, path: path.to_owned() })
    }

    /// Takes frames until `stop` is true.
    pub(crate) async fn serve(self, doors: SharedDoors, mut stop: watch::Receiver<bool>) {
        let slots = Arc::new(Semaphore::new(CONNECTIONS));
        let own_user = rustix::process::geteuid().as_raw();
        loop {
            let Ok(slot) = slots.clone().acquire_owned().await else { return };
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                () = stopped(&mut stop) => return,
            };
            let Ok((stream, _)) = accepted else {
                tokio::time::sleep(REST).await;
                continue;
            };
            if !stream.peer_cred().is_ok_and(|peer| peer.uid() == own_user) {
                continue;
            }
            let (doors, alive) = (doors.clone(), doors.alive.clone());
            tokio::spawn(async move {
                let timeout = Duration::from_millis(doors.config.limits.body_timeout_ms);
                let _ = tokio::time::timeout(timeout, take(stream, &doors)).await;
                drop((slot, alive));
            });
        }
    }
}

impl Drop for HookSocket {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Takes frames one after the other until the hook closes. A frame that cannot be appended now gets no answer:
/// the hook spools it.
async fn take(mut stream: UnixStream, doors: &SharedDoors) -> std::io::Result<()> {
    let mut buffer = BytesMut::with_capacity(8 << 10);
    while let Some(frame) = read_frame(&mut stream, &mut buffer, &doors.config.limits).await? {
        let answer = match doors.hooks.accept(frame).await {
            Ok(Some(_)) => ACKNOWLEDGED,
            Ok(None) => REFUSED,
            Err(_) => return Ok(()),
        };
        stream.write_all(answer).await?;
    }
    Ok(())
}

async fn read_frame(
    stream: &mut UnixStream,
    buffer: &mut BytesMut,
    limits: &Limits,
) -> std::io::Result<Option<HookFrame>> {
    let most = limits.hook_bytes.min(MAX_FRAME_BYTES) + FRAME_OVERHEAD_BYTES;
    loop {
        match HookFrame::decode(buffer) {
            Ok(Some((frame, length))) => {
                let _ = buffer.split_to(length);
                return Ok(Some(frame));
            }
            Ok(None) if buffer.len() < most => {}
            Ok(None) | Err(_) => {
                stream.write_all(REFUSED).await?;
                return Ok(None);
            }
        }
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
}
