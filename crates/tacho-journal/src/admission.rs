//! Deciding what of a batch is new, in the order in which batches arrive: duplicates first, then
//! preconditions, then positions.

use crate::batch::{Batch, Precondition, Sealed};
use crate::format::Record;
use crate::index::{IdHash, Index, StreamHash, stream_hash};
use crate::journal::{ReadLimit, StreamHead};
use crate::shared::Shared;
use crate::{AppendError, Appended, Receipt, format};
use std::collections::HashMap;
use std::sync::Arc;
use tacho_event::{Position, Sameness, Sequence, Timestamp};

/// What is read at once to compare an event with one that is known.
const READ_TOGETHER: ReadLimit = ReadLimit { events: 256, bytes: 128 << 10 };

/// Puts batches into a frame's body. Everything that it changes is in memory: the index, the tree and the
/// bytes of the frame. Room on the disk was made before, so that only a failing disk comes between.
pub(crate) struct Admission<'a> {
    pub shared: &'a Shared,
    pub index: &'a mut Index,
    pub frame: &'a mut FrameBody,
}

/// A frame being built.
pub(crate) struct FrameBody {
    pub bytes: Vec<u8>,
    pub first_position: u64,
    pub next_position: u64,
    pub last_recorded_ns: i64,
    /// Over all events before the frame.
    pub tree: crate::tree::Tree,
    /// What the tree has yet to take in.
    leaves: Vec<Leaf>,
    scratch: Vec<u8>,
    found: Vec<u64>,
    /// Where each record of the frame starts.
    starts: Vec<usize>,
    /// Records that were read last: what is sent again comes in the order in which it came first.
    read_last: Vec<Record>,
}

/// An event whose hash is yet to be made.
struct Leaf {
    recorded_ns: i64,
    sequence: u64,
    /// Where its names stand in the frame.
    names: std::ops::Range<usize>,
    commitment: crate::tree::Hash,
}

/// What becomes of one event of a batch.
enum Fate {
    New(IdHash),
    Known {
        position: u64,
        sequence: u64,
    },
    /// The same event stands earlier in the batch, at this index.
    Again(usize),
}

impl FrameBody {
    pub fn new(tree: crate::tree::Tree, last_recorded_ns: i64) -> Self {
        let next = tree.size() + 1;
        Self {
            bytes: Vec::new(),
            first_position: next,
            next_position: next,
            last_recorded_ns,
            tree,
            leaves: Vec::new(),
            scratch: Vec::new(),
            found: Vec::new(),
            starts: Vec::new(),
            read_last: Vec::new(),
        }
    }

    pub fn event_count(&self) -> u64 {
        self.next_position - self.first_position
    }

    /// Hashes the frame's events into the tree, and makes ready for the next frame. Done once the clients have their
    /// answers: the tree is needed for the next frame only, and they are busy with their next request.
    pub fn finish(&mut self) {
        for (leaf, position) in self.leaves.drain(..).zip(self.first_position..) {
            let entry = crate::tree::Entry {
                position,
                recorded_ns: leaf.recorded_ns,
                sequence: leaf.sequence,
                names: &self.bytes[leaf.names],
                commitment: &leaf.commitment,
            };
            self.tree.push(entry.leaf(&mut self.scratch));
        }
        // Large buffers are given back.
        self.bytes.clear();
        self.bytes.shrink_to(1 << 20);
        self.first_position = self.next_position;
        self.starts.clear();
        self.read_last.clear();
    }
}

impl Admission<'_> {
    /// Adds the new events of a batch to the frame, or none of them.
    pub fn admit(&mut self, batch: &Batch) -> Result<Appended, AppendError> {
        let fates = self.fates(&batch.events)?;
        let any_new = fates.iter().any(|fate| matches!(fate, Fate::New(_)));
        if any_new || batch.events.is_empty() {
            self.check(&batch.preconditions)?;
        }
        let mut receipts: Vec<Receipt> = Vec::with_capacity(fates.len());
        let mut last_head: Option<(StreamHash, StreamHead)> = None;
        for (sealed, fate) in batch.events.iter().zip(fates) {
            let receipt = match fate {
                Fate::Known { position, sequence } => {
                    Receipt { position: Position(position), sequence: Sequence(sequence), duplicate: true }
                }
                Fate::Again(index) => Receipt { duplicate: true, ..receipts[index] },
                Fate::New(hash) => {
                    let stream = sealed.stream_hash;
                    let head = match last_head {
                        Some((last, head)) if last == stream => head,
                        _ => self.index.head(stream),
                    };
                    let receipt = self.add(sealed, hash, batch.now, head.sequence.next());
                    let head = StreamHead { sequence: receipt.sequence, position: receipt.position };
                    self.index.set_head(stream, head);
                    last_head = Some((stream, head));
                    receipt
                }
            };
            receipts.push(receipt);
        }
        Ok(Appended { events: receipts })
    }

    fn add(&mut self, sealed: &Sealed, hash: IdHash, now: Timestamp, sequence: Sequence) -> Receipt {
        let frame = &mut *self.frame;
        let position = frame.next_position;
        frame.last_recorded_ns = frame.last_recorded_ns.max(now.0);
        frame.starts.push(frame.bytes.len());
        format::write_record(sealed, Timestamp(frame.last_recorded_ns), sequence, &mut frame.bytes);
        let names_at = frame.bytes.len() - sealed.event.bytes().len();
        frame.leaves.push(Leaf {
            recorded_ns: frame.last_recorded_ns,
            sequence: sequence.0,
            names: names_at..names_at + sealed.event.name_bytes().len(),
            commitment: sealed.commitment,
        });
        frame.next_position += 1;
        self.index.insert_id(hash, position);
        Receipt { position: Position(position), sequence, duplicate: false }
    }

    fn check(&mut self, preconditions: &[Precondition]) -> Result<(), AppendError> {
        for Precondition { stream, expected } in preconditions {
            let actual = self.index.head(stream_hash(stream)).sequence;
            if actual != *expected {
                return Err(AppendError::SequenceConflict {
                    stream: stream.clone(),
                    expected: *expected,
                    actual,
                });
            }
        }
        Ok(())
    }

    fn fates(&mut self, events: &[Sealed]) -> Result<Vec<Fate>, AppendError> {
        let mut fates = Vec::with_capacity(events.len());
        for sealed in events {
            fates.push(match self.find_known(sealed)? {
                Some((position, sequence)) => Fate::Known { position, sequence },
                None => Fate::New(sealed.id_hash),
            });
        }
        if events.len() > 1 {
            find_repeats(events, &mut fates)?;
        }
        Ok(fates)
    }

    /// Position and sequence of the event that has this key already.
    fn find_known(&mut self, sealed: &Sealed) -> Result<Option<(u64, u64)>, AppendError> {
        let mut found = std::mem::take(&mut self.frame.found);
        self.index.positions(sealed.id_hash, &mut found);
        let mut known = Ok(None);
        for position in &found {
            known = self.compare(sealed, *position);
            if !matches!(known, Ok(None)) {
                break;
            }
        }
        self.frame.found = found;
        known
    }

    fn compare(&mut self, sealed: &Sealed, position: u64) -> Result<Option<(u64, u64)>, AppendError> {
        let Some(record) = self.record(position)? else { return Ok(None) };
        let event = &record.event;
        if event.source() != sealed.event.source() || event.id() != sealed.event.id() {
            return Ok(None);
        }
        same_content(sealed, record.digest.as_ref(), position)?;
        Ok(Some((position, event.sequence.0)))
    }

    /// A record of the log, or of the frame that is being built.
    fn record(&mut self, position: u64) -> Result<Option<Record>, AppendError> {
        let frame = &mut *self.frame;
        if position >= frame.first_position {
            let index = (position - frame.first_position) as usize;
            let Some(start) = frame.starts.get(index).copied() else { return Ok(None) };
            let end = frame.starts.get(index + 1).copied().unwrap_or(frame.bytes.len());
            let bytes = bytes::Bytes::copy_from_slice(&frame.bytes[start..end]);
            return Ok(Record::decode(&bytes, 0, Position(position)).map(|(record, _)| record));
        }
        let first = frame.read_last.first().map_or(0, |record| record.event.position.0);
        let known = position.checked_sub(first).and_then(|index| frame.read_last.get(index as usize));
        if let Some(record) = known {
            return Ok(Some(record.clone()));
        }
        frame.read_last = self.shared.read(position, READ_TOGETHER).map_err(Arc::new)?;
        Ok(frame.read_last.first().cloned())
    }
}

/// Refuses another content under the same key.
fn same_content(sealed: &Sealed, known: Option<&[u8; 32]>, position: u64) -> Result<(), AppendError> {
    match (sealed.event.sameness(), known) {
        (Sameness::Content(sent), Some(known)) if sent != known => Err(AppendError::IdConflict {
            source_name: sealed.event.source().to_owned(),
            id: sealed.event.id().to_owned(),
            position: Position(position),
        }),
        _ => Ok(()),
    }
}

/// Finds events of one batch with the same key.
fn find_repeats(events: &[Sealed], fates: &mut [Fate]) -> Result<(), AppendError> {
    let mut hashes: Vec<IdHash> =
        fates.iter().filter_map(|fate| if let Fate::New(hash) = fate { Some(*hash) } else { None }).collect();
    hashes.sort_unstable();
    if hashes.windows(2).all(|pair| pair[0] != pair[1]) {
        return Ok(());
    }
    let mut seen: HashMap<(&str, &str), usize> = HashMap::new();
    for (index, sealed) in events.iter().enumerate() {
        if !matches!(fates[index], Fate::New(_)) {
            continue;
        }
        match seen.get(&(sealed.event.source(), sealed.event.id())) {
            None => {
                seen.insert((sealed.event.source(), sealed.event.id()), index);
            }
            Some(first) => {
                let known = match events[*first].event.sameness() {
                    Sameness::Content(digest) => Some(digest),
                    Sameness::FirstWins => None,
                };
                same_content(sealed, known, 0)?;
                fates[index] = Fate::Again(*first);
            }
        }
    }
    Ok(())
}
