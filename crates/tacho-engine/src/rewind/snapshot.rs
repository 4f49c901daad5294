//! Snapshots on demand: made, listed, dropped.

use super::folding::Folding;
use super::moment::Moment;
use super::projection::Code;
use crate::engine::{Engine, Shared};
use crate::error::QueryError;
use crate::query::Wait;
use tacho_event::{Sequence, Timestamp};
use tacho_view::{Keep, StoredSnapshot};

/// Nanoseconds of a day.
const DAY_NS: i64 = 24 * 3_600 * 1_000_000_000;

impl Engine {
    /// The snapshots of a stream.
    pub async fn snapshots(&self, stream: &str) -> Result<Vec<StoredSnapshot>, QueryError> {
        let stream = stream.to_owned();
        self.on_a_thread(move |shared| match &shared.snapshots {
            Some(snapshots) => Ok(snapshots.list(&stream)?),
            None => Ok(Vec::new()),
        })
        .await
    }

    /// Makes a snapshot of the state at a moment of the stream, which stays until it is pruned with all the others.
    pub async fn create_snapshot(
        &self,
        stream: &str,
        projection: Option<&str>,
        at: Option<Sequence>,
    ) -> Result<StoredSnapshot, QueryError> {
        self.wait(Wait::Head).await?;
        let code = Code::find(&self.shared, stream, projection)?;
        let turn = self.turn(code.is_program()).await?;
        let stream = stream.to_owned();
        self.on_a_thread(move |shared| {
            let Some(snapshots) = &shared.snapshots else { return Err(QueryError::NoSnapshots) };
            let bound = at.map_or(Moment::Now, Moment::Sequence).bound(shared, None)?;
            let mut folding = Folding::at_snapshot(shared, &stream, &code, turn.as_ref(), &bound);
            folding.advance(&bound)?;
            folding.pack(true);
            let Some(id) = folding.store().pop() else {
                return Err(QueryError::StreamNotFound(stream));
            };
            let stored = snapshots.list(&stream)?;
            stored.into_iter().find(|snapshot| snapshot.id == id).ok_or(QueryError::NoSnapshots)
        })
        .await
    }

    /// Drops snapshots of a stream; answers how many. Its states take longer until there are new ones.
    pub async fn prune_snapshots(&self, stream: &str, keep: Keep) -> Result<usize, QueryError> {
        let stream = stream.to_owned();
        self.on_a_thread(move |shared| {
            shared.snapshots.as_ref().map_or(Ok(0), |snapshots| Ok(snapshots.prune(&stream, keep)?))
        })
        .await
    }
}

/// Drops snapshots that are too old or too many. Called at the start and every so many snapshots; a failure is made up for
/// by the next call.
pub(crate) fn collect(shared: &Shared) {
    let limits = &shared.config.rewind;
    let days = i64::try_from(limits.snapshot_days).unwrap_or(i64::MAX);
    let oldest = shared.clock.now().0.saturating_sub(days.saturating_mul(DAY_NS));
    if let Some(snapshots) = &shared.snapshots {
        let _ = snapshots.collect(Timestamp(oldest), limits.snapshot_bytes);
    }
}
