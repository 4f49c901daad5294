//! What is appended together: events, and what must be true of streams for it to happen.

use crate::index::{IdHash, StreamHash, id_hash, stream_hash};
use crate::tree;
use tacho_event::{Event, Position, Sequence, Timestamp};

/// Events that become durable together or not at all, if every precondition holds.
#[derive(Debug)]
pub struct Batch {
    pub(crate) events: Vec<Sealed>,
    pub(crate) preconditions: Vec<Precondition>,
    pub(crate) now: Timestamp,
}

/// An event with its salt and commitment, ready for a frame.
#[derive(Debug)]
pub(crate) struct Sealed {
    pub(crate) event: Event,
    pub(crate) salt: [u8; 16],
    /// SHA-256(salt ‖ body).
    pub(crate) commitment: [u8; 32],
    pub(crate) id_hash: IdHash,
    pub(crate) stream_hash: StreamHash,
}

/// A stream must be at this head; it may be a stream that the batch does not write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Precondition {
    pub stream: String,
    /// [`Sequence::ZERO`] for a stream that must not exist.
    pub expected: Sequence,
}

/// Where the events of a batch stand, in the order of the batch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Appended {
    pub events: Vec<Receipt>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    pub position: Position,
    pub sequence: Sequence,
    /// The event was there already; position and sequence are the first one's.
    pub duplicate: bool,
}

impl Batch {
    /// `now` is the moment of the append; `salt` fills 16 random bytes for each event. All that
    /// can be is hashed here, on the caller's thread, so that the one writer does not have to.
    pub fn new(events: Vec<Event>, now: Timestamp, mut salt: impl FnMut(&mut [u8; 16])) -> Self {
        let mut last_stream: Option<(String, StreamHash)> = None;
        let seal = |event: Event| {
            let mut bytes = [0; 16];
            salt(&mut bytes);
            let commitment = tree::commitment(&bytes, event.body());
            // Events of one stream often come together.
            if last_stream.as_ref().is_none_or(|(name, _)| name != event.stream()) {
                last_stream = Some((event.stream().to_owned(), stream_hash(event.stream())));
            }
            let stream_hash = last_stream.as_ref().map_or_else(Default::default, |(_, hash)| *hash);
            let id_hash = id_hash(event.source(), event.id());
            Sealed { event, salt: bytes, commitment, id_hash, stream_hash }
        };
        Self { events: events.into_iter().map(seal).collect(), preconditions: Vec::new(), now }
    }

    #[must_use]
    pub fn with_preconditions(mut self, preconditions: Vec<Precondition>) -> Self {
        self.preconditions = preconditions;
        self
    }

    pub fn len(&self) -> usize {
        self.events.len()
    }

    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }
}
