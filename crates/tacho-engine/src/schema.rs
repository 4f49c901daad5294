//! The schemas in force: the catalogue, and what the log registers on top of it.

use crate::engine::Engine;
use crate::error::QueryError;
use crate::query::{Query, Wait};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use tacho_event::schema::{REGISTERED, Registration, RegistrationError, Registry};
use tacho_event::{Draft, Event, EventError, Filter, Pattern, Position};
use tacho_journal::{AppendError, Appended};
use thiserror::Error;
use tokio::sync::Mutex;

/// The registry, folded when somebody asks for it.
#[derive(Debug, Default)]
pub(crate) struct Schemas {
    folded: Mutex<Option<Folded>>,
    /// The last registration that this process appended, which is the only one that appends.
    changed: AtomicU64,
}

#[derive(Debug)]
struct Folded {
    registry: Arc<Registry>,
    /// Everything up to here is in it.
    position: Position,
}

/// Why a schema is not registered.
#[derive(Debug, Error)]
pub enum SchemaError {
    #[error(transparent)]
    Registration(#[from] RegistrationError),
    #[error(transparent)]
    Query(#[from] QueryError),
    #[error(transparent)]
    Append(#[from] AppendError),
    #[error(transparent)]
    Event(#[from] EventError),
}

/// A schema that is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaReceipt {
    pub kind: String,
    pub version: String,
    /// Where it was registered; `None` for the catalogue's own.
    pub position: Option<Position>,
    /// It was in force before.
    pub duplicate: bool,
}

impl Schemas {
    /// Takes note of what was appended.
    pub(crate) fn observe(&self, is_registration: bool, appended: &Appended) {
        if let (true, Some(last)) =
            (is_registration, appended.events.iter().map(|event| event.position.0).max())
        {
            self.changed.fetch_max(last, SeqCst);
        }
    }
}

pub(crate) fn is_registration(events: &[Event]) -> bool {
    events.iter().any(|event| event.kind() == REGISTERED)
}

impl Engine {
    /// The schemas in force.
    pub async fn schemas(&self) -> Result<Arc<Registry>, QueryError> {
        let mut folded = self.shared.schemas.folded.lock().await;
        Ok(self.fold_schemas(&mut folded).await?.registry.clone())
    }

    /// Puts a schema on the log, unless it is there.
    pub async fn register_schema(&self, registration: Registration) -> Result<SchemaReceipt, SchemaError> {
        let mut folded = self.shared.schemas.folded.lock().await;
        let folded = self.fold_schemas(&mut folded).await?;
        let (kind, version) = (registration.kind.clone(), registration.version.clone());
        let receipt = |position, duplicate| SchemaReceipt {
            kind: kind.clone(),
            version: version.to_string(),
            position,
            duplicate,
        };
        let Some(registration) = folded.registry.check(registration)? else {
            let mut known = folded.registry.versions_of(&kind);
            let known = known.find(|known| known.registration.version == version);
            return Ok(receipt(known.and_then(|known| known.position), true));
        };
        let mut draft = Draft::new(REGISTERED, "/tacho/schemas", format!("{kind}:{version}"));
        draft.subject = Some("tacho/schemas".into());
        draft.set_data(registration.to_data());
        let sameness = draft.content();
        draft.put_text("time", &self.now().to_rfc3339());
        let appended = self.append(vec![draft.finish(sameness)?], Vec::new()).await?;
        let position = appended.events.first().map_or(Position::ZERO, |event| event.position);
        // Folded when it is asked for next: others may stand between what was folded and this one.
        Ok(receipt(Some(position), false))
    }

    async fn fold_schemas<'a>(&self, folded: &'a mut Option<Folded>) -> Result<&'a mut Folded, QueryError> {
        let changed = Position(self.shared.schemas.changed.load(SeqCst));
        let is_current = folded.as_ref().is_some_and(|folded| folded.position >= changed);
        let mut current = folded.take().unwrap_or_else(|| Folded {
            registry: Arc::new(Registry::with_catalogue()),
            position: Position::ZERO,
        });
        if !is_current {
            self.read_schemas(&mut current).await?;
        }
        Ok(folded.insert(current))
    }

    async fn read_schemas(&self, folded: &mut Folded) -> Result<(), QueryError> {
        let filter = Filter { types: vec![Pattern::new(REGISTERED)], ..Filter::default() };
        let mut query = Query { filter, after: Some(folded.position), wait: Wait::Head, ..Query::default() };
        loop {
            let page = self.query(query.clone()).await?;
            for event in &page.events {
                // What an older program accepted may not be readable any more; it does not stop the others.
                let _ = Arc::make_mut(&mut folded.registry).apply(event);
            }
            let Some(next) = page.next else {
                folded.position = page.position;
                return Ok(());
            };
            query.cursor = Some(next);
        }
    }
}
