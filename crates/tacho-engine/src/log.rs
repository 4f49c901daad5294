//! The log as everything above it reads it: payloads of old versions in the form of their type's latest release.
//!
//! What is stored never changes. Where no registration brings an upcaster, which is the rule, events pass as they are.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tacho_event::schema::{REGISTERED, Registry};
use tacho_event::{Filter, Pattern, Position, Recorded};
use tacho_journal::{Journal, JournalError, ReadLimit};
use tacho_view::{Reader, Scan};

/// Registrations that are looked up at once.
const PIECE: usize = 1_000;

/// Clones share what is known of upcasters.
#[derive(Clone)]
pub(crate) struct Log {
    journal: Journal,
    upcasts: Arc<Upcasts>,
}

/// The upcasters that are in force, read when somebody needs them.
#[derive(Default)]
pub(crate) struct Upcasts {
    known: Mutex<Known>,
    /// The last registration that this process appended.
    changed: AtomicU64,
    /// Set once the read side is open.
    reader: OnceLock<Reader>,
}

#[derive(Default)]
struct Known {
    /// `None` where nothing was registered.
    registry: Option<Arc<Registry>>,
    /// Registrations up to here are in it.
    position: Position,
    is_read: bool,
}

impl Log {
    pub(crate) fn new(journal: Journal) -> Self {
        Self { journal, upcasts: Arc::default() }
    }

    /// From here on registrations are found.
    pub(crate) fn follow(&self, reader: Reader) {
        let _ = self.upcasts.reader.set(reader);
    }

    /// What is stored, as it was stored.
    pub(crate) fn journal(&self) -> &Journal {
        &self.journal
    }

    /// The last durable position.
    pub(crate) fn head(&self) -> Position {
        self.journal.head()
    }

    /// The durable events from `from` on, as [`Journal::read`] answers them.
    pub(crate) fn read(&self, from: Position, limit: ReadLimit) -> Result<Vec<Recorded>, JournalError> {
        let mut events = self.journal.read(from, limit)?;
        if let Some(registry) = self.registry()? {
            for event in &mut events {
                if let Some(upcast) = registry.upcast(event) {
                    *event = upcast;
                }
            }
        }
        Ok(events)
    }

    /// One durable event.
    pub(crate) fn get(&self, position: Position) -> Result<Option<Recorded>, JournalError> {
        let event = self.journal.get(position)?;
        let Some(registry) = self.registry()? else { return Ok(event) };
        Ok(event.map(|event| registry.upcast(&event).unwrap_or(event)))
    }

    /// Takes note of a registration that was appended.
    pub(crate) fn changed(&self, position: Position) {
        self.upcasts.changed.fetch_max(position.0, SeqCst);
    }

    /// Where the last upcaster that is in force was registered: states folded before it may be others now.
    pub(crate) fn last_upcast(&self) -> Result<Option<Position>, JournalError> {
        Ok(self.registry()?.and_then(|registry| registry.last_upcast()))
    }

    /// The schemas, where one of them upcasts.
    fn registry(&self) -> Result<Option<Arc<Registry>>, JournalError> {
        let Some(reader) = self.upcasts.reader.get() else { return Ok(None) };
        let changed = Position(self.upcasts.changed.load(SeqCst));
        let mut known = self.upcasts.known.lock().unwrap_or_else(PoisonError::into_inner);
        if !known.is_read || known.position < changed {
            self.learn(reader, &mut known)?;
        }
        let registry = known.registry.as_ref().filter(|registry| registry.last_upcast().is_some());
        Ok(registry.cloned())
    }

    fn learn(&self, reader: &Reader, known: &mut Known) -> Result<(), JournalError> {
        let filter = Filter { types: vec![Pattern::new(REGISTERED)], ..Filter::default() };
        loop {
            let scan = Scan { after: Some(known.position), until: None, reverse: false, limit: PIECE };
            // A read side that cannot answer is told of by who asked for more than this.
            let Ok(found) = reader.candidates(&filter, &scan, &mut || true) else { break };
            for position in found.positions {
                let Some(event) = self.journal.get(position)? else { continue };
                let registry = known.registry.get_or_insert_with(|| Arc::new(Registry::with_catalogue()));
                // What an older program accepted may not be readable any more; it does not stop the others.
                let _ = Arc::make_mut(registry).apply(&event);
            }
            known.position = found.scanned_to;
            if found.end {
                break;
            }
        }
        known.is_read = true;
        Ok(())
    }
}
