//! The registry as the log says.

use super::entry::{REGISTERED, REGISTRY_CHANGED, RegistryEntry, STREAMS, UNREGISTERED};
use crate::Moment;
use crate::engine::{Engine, Shared};
use crate::error::QueryError;
use crate::query::Wait;
use tacho_event::{Filter, Pattern, Position, Timestamp, json};
use tacho_view::{Scan, StreamQuery};

/// Most entries, those that were removed among them.
const ENTRIES_MAX: usize = 10_000;

impl Engine {
    /// Every entry as it was at a moment, by id; the removed ones are among them.
    pub async fn registry(&self, at: Moment, wait: Wait) -> Result<Vec<RegistryEntry>, QueryError> {
        self.wait(wait).await?;
        self.on_a_thread(move |shared| all(shared, at)).await
    }

    /// One entry as it was at a moment.
    pub async fn registry_entry(
        &self,
        id: &str,
        at: Moment,
        wait: Wait,
    ) -> Result<Option<RegistryEntry>, QueryError> {
        self.wait(wait).await?;
        let stream = format!("{STREAMS}{id}");
        self.on_a_thread(move |shared| one(shared, &stream, at)).await
    }
}

pub(super) fn all(shared: &Shared, at: Moment) -> Result<Vec<RegistryEntry>, QueryError> {
    let query = StreamQuery { prefix: STREAMS.to_owned(), limit: ENTRIES_MAX, ..StreamQuery::default() };
    let streams = shared.fold.reader().streams(&query)?;
    let mut entries = Vec::with_capacity(streams.len());
    for stream in streams {
        entries.extend(one(shared, &stream.name, at)?);
    }
    Ok(entries)
}

/// The last event of a stream that holds an entry.
fn one(shared: &Shared, stream: &str, at: Moment) -> Result<Option<RegistryEntry>, QueryError> {
    let types = [REGISTERED, REGISTRY_CHANGED, UNREGISTERED].map(Pattern::new).to_vec();
    let mut filter = Filter { types, stream: Some(Pattern::new(stream)), ..Filter::default() };
    let mut after = None;
    match at {
        Moment::Now | Moment::Sequence(_) => {}
        Moment::Time(time) => filter.until = Some(Timestamp(time.0.saturating_add(1))),
        Moment::Position(position) => after = Some(position.next()),
    }
    loop {
        let scan = Scan { after, until: None, reverse: true, limit: 16 };
        let found = shared.fold.reader().candidates(&filter, &scan, &mut || true)?;
        for position in &found.positions {
            if let Some(entry) = entry_at(shared, &filter, *position)? {
                return Ok(Some(entry));
            }
        }
        if found.end {
            return Ok(None);
        }
        after = Some(found.scanned_to);
    }
}

fn entry_at(
    shared: &Shared,
    filter: &Filter,
    position: Position,
) -> Result<Option<RegistryEntry>, QueryError> {
    let event = shared.log.get(position)?.filter(|event| filter.matches_but_for_where(event, None));
    let entry = event.as_ref().and_then(|event| event.data()).map(json::to_value);
    Ok(entry.as_ref().and_then(RegistryEntry::from_json))
}
