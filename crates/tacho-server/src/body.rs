//! Bodies of requests, bounded in size and time.

use crate::config::Limits;
use crate::doors::Doors;
use crate::problem::Problem;
use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http_body::Body as _;
use http_body_util::BodyExt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;
use tacho_event::Code;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A body in memory, and its share of the room that all large bodies have together.
pub(crate) struct Content {
    bytes: Bytes,
    _room: Option<OwnedSemaphorePermit>,
}

impl Deref for Content {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

/// The room for the bodies of requests: what keeps many large ones from filling the memory.
#[derive(Debug)]
pub(crate) struct Room {
    /// A permit for each of [`UNIT_BYTES`].
    permits: Arc<Semaphore>,
    units: usize,
}

/// What room is counted in. A body up to this size needs none: connections are bounded already.
const UNIT_BYTES: usize = 64 << 10;

impl Room {
    pub(crate) fn new(bytes: usize) -> Self {
        let units = (bytes / UNIT_BYTES).clamp(1, Semaphore::MAX_PERMITS);
        Self { permits: Arc::new(Semaphore::new(units)), units }
    }

    async fn take(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let units = u32::try_from(bytes.div_ceil(UNIT_BYTES).min(self.units)).ok()?;
        self.permits.clone().acquire_many_owned(units).await.ok()
    }
}

/// Reads a body of at most `most` bytes. A larger one is refused after the rest of it was read, within limits,
/// so that the client, who reads nothing while it writes, sees the refusal.
pub(crate) async fn read(body: Body, most: usize, doors: &Doors) -> Result<Content, Problem> {
    read_beside(body, most, 0, doors).await
}

/// As [`read`], with room for `beside` bytes more that will be made of the body.
pub(crate) async fn read_beside(
    body: Body,
    most: usize,
    beside: usize,
    doors: &Doors,
) -> Result<Content, Problem> {
    let limits = &doors.config.limits;
    let too_large = |actual: u64| {
        let detail = format!("the body is over {most} bytes (it has at least {actual}): send it in parts");
        Problem::new(Code::BatchTooLarge, detail).with("expected", most).with("actual", actual)
    };
    let announced = body.size_hint().lower();
    if announced > most as u64 {
        return Err(refuse(body, too_large(announced), limits).await);
    }
    let largest = body.size_hint().upper().map_or(most, |upper| upper as usize).min(most);
    let reading = async {
        let needed = largest.saturating_add(beside);
        let room = if needed > UNIT_BYTES { doors.room.take(needed).await } else { None };
        gather(body, most).await.map(|gathered| (gathered, room))
    };
    let timeout = Duration::from_millis(limits.body_timeout_ms);
    match tokio::time::timeout(timeout, reading).await {
        Ok(Ok((Gathered::Whole(bytes), room))) => Ok(Content { bytes, _room: room }),
        Ok(Ok((Gathered::TooLarge { rest, read }, _))) => {
            Err(refuse(rest, too_large(read as u64), limits).await)
        }
        Ok(Err(error)) => {
            Err(Problem::new(Code::InvalidJson, format!("the body ended early: {error}")).closing())
        }
        Err(_) => {
            let detail = format!("the body took longer than {} ms", limits.body_timeout_ms);
            Err(Problem::new(Code::RequestTimeout, detail).closing())
        }
    }
}

/// The problem, after what the client still sends was read and forgotten.
pub(crate) async fn refuse(body: Body, problem: Problem, limits: &Limits) -> Problem {
    let drained = drain(body, limits.drain_bytes);
    match tokio::time::timeout(Duration::from_millis(limits.drain_ms), drained).await {
        Ok(true) => problem,
        _ => problem.closing(),
    }
}

enum Gathered {
    Whole(Bytes),
    TooLarge { rest: Body, read: usize },
}

async fn gather(mut body: Body, most: usize) -> Result<Gathered, axum::Error> {
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        let read = first.len() + all.len() + data.len();
        if read > most {
            return Ok(Gathered::TooLarge { rest: body, read });
        }
        // Most bodies are one frame, which is not copied.
        if first.is_empty() && all.is_empty() {
            first = data;
            continue;
        }
        if all.is_empty() {
            let expected = usize::try_from(body.size_hint().lower()).unwrap_or(0);
            all.reserve((first.len() + data.len() + expected).min(most));
            all.extend_from_slice(&std::mem::take(&mut first));
        }
        all.extend_from_slice(&data);
    }
    Ok(Gathered::Whole(if all.is_empty() { first } else { all.freeze() }))
}

/// Answers whether the body came to its end.
async fn drain(mut body: Body, most: usize) -> bool {
    let mut read = 0;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return false };
        read += frame.data_ref().map_or(0, Bytes::len);
        if read > most {
            return false;
        }
    }
    true
}
