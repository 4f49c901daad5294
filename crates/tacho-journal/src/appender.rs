//! The end of the log: builds a frame from the batches that wait, makes it durable, and only then lets
//! anyone see it. Runs on one thread; a simulation calls it directly.

use crate::admission::{Admission, FrameBody};
use crate::format::{
    FRAME_HEADER_BYTES, FrameHeader, FrameKind, RECORD_OVERHEAD_BYTES, SEGMENT_HEADER_BYTES, SegmentHeader,
    SegmentKind,
};
use crate::housekeeping::Chore;
use crate::journal::Health;
use crate::segment::{RawSegment, Segment, io_error, raw_name};
use crate::shared::Shared;
use crate::space::Space;
use crate::spare::Spare;
use crate::storage::{File, Storage};
use crate::tree::Tree;
use crate::{AppendError, Appended, Batch, JournalError};
use std::io::ErrorKind;
use std::sync::{Arc, PoisonError};

/// Largest body of a frame, in bytes: what one message of a replicated log may carry.
pub(crate) const MAX_FRAME_BYTES: usize = 8 << 20;

pub(crate) struct Appender {
    shared: Arc<Shared>,
    segment: Arc<RawSegment>,
    header: SegmentHeader,
    space: Arc<Space>,
    end: u64,
    frame: FrameBody,
    buffer: Vec<u8>,
    /// Set by a failed write or sync; nothing is accepted after it.
    poison: Option<Arc<str>>,
    chores: Vec<Chore>,
}

impl Appender {
    pub fn new(
        shared: Arc<Shared>,
        segment: Arc<RawSegment>,
        header: SegmentHeader,
        space: Arc<Space>,
        end: u64,
        tree: Tree,
        last_recorded_ns: i64,
    ) -> Self {
        let frame = FrameBody::new(tree, last_recorded_ns);
        Self {
            shared,
            segment,
            header,
            space,
            end,
            frame,
            buffer: Vec::new(),
            poison: None,
            chores: Vec::new(),
        }
    }

    /// Bytes that a batch takes in a frame, at most.
    pub fn frame_bytes(batch: &Batch) -> usize {
        batch.events.iter().map(|sealed| sealed.event.bytes().len() + RECORD_OVERHEAD_BYTES).sum()
    }

    /// Work that came up and needs no hurry.
    pub fn take_chores(&mut self) -> Vec<Chore> {
        std::mem::take(&mut self.chores)
    }

    /// Commits batches as one frame. Answers for each batch, in order, once it is durable.
    pub fn commit(&mut self, batches: &[Batch]) -> Vec<Result<Appended, AppendError>> {
        if let Some(reason) = &self.poison {
            return batches.iter().map(|_| Err(AppendError::Poisoned(Arc::clone(reason)))).collect();
        }
        self.settle();
        let wanted: usize = batches.iter().map(Self::frame_bytes).sum();
        if let Err(error) = self.make_room(wanted) {
            return batches.iter().map(|_| Err(error.clone())).collect();
        }
        let shared = Arc::clone(&self.shared);
        let mut index = shared.index.lock().unwrap_or_else(PoisonError::into_inner);
        self.buffer.clear();
        let root_before = self.frame.tree.root();
        let mut admission = Admission { shared: &shared, index: &mut index, frame: &mut self.frame };
        let answers: Vec<_> = batches.iter().map(|batch| admission.admit(batch)).collect();
        if self.frame.event_count() == 0 {
            return answers;
        }
        if let Err(error) = self.write_frame(FrameKind::Events, root_before) {
            // The index holds what is not durable. Nothing reads it again: the log refuses from here on.
            return answers.iter().map(|_| Err(error.clone())).collect();
        }
        self.chores.extend(index.freeze().map(Chore::Flush));
        drop(index);
        self.shared.publish(self.frame.next_position - 1);
        answers
    }

    /// What is left to do behind a commit, once its answers are given; [`Self::commit`] does it if nobody did.
    pub fn settle(&mut self) {
        if self.frame.event_count() > 0 && self.poison.is_none() {
            self.frame.finish();
            self.shared.set_tree(&self.frame.tree);
        }
    }

    /// Writes and syncs what is in `self.frame`, and publishes it to the segment.
    fn write_frame(&mut self, kind: FrameKind, root_before: crate::tree::Hash) -> Result<(), AppendError> {
        let body = &self.frame.bytes;
        let header = FrameHeader {
            kind,
            event_count: self.frame.event_count() as u32,
            log_id: self.shared.log_id,
            first_position: self.frame.first_position,
            root_before,
            body_bytes: body.len() as u32,
            body_checksum: crc32fast::hash(body),
        };
        self.buffer.clear();
        self.buffer.resize(FRAME_HEADER_BYTES, 0);
        header.write(&mut self.buffer);
        self.buffer.extend_from_slice(body);
        let done = self.segment.file.write_at(&self.buffer, self.end).and_then(|()| self.segment.file.sync());
        if let Err(source) = done {
            return Err(self.poison(&source.to_string()));
        }
        if kind == FrameKind::Events {
            self.segment.publish(self.end, &header);
        }
        self.end += header.span();
        self.buffer.shrink_to(1 << 20);
        Ok(())
    }

    fn poison(&mut self, reason: &str) -> AppendError {
        let reason: Arc<str> = reason.into();
        self.poison = Some(Arc::clone(&reason));
        self.shared.set_health(Health::Poisoned(reason.to_string()));
        AppendError::Poisoned(reason)
    }

    /// Sees to it that the disk has room for a frame, in the next segment if this one is full.
    fn make_room(&mut self, body_bytes: usize) -> Result<(), AppendError> {
        let needed = (FRAME_HEADER_BYTES + body_bytes) as u64;
        // Markers alone do not count: the next segment would start at the same position.
        let is_empty = self.frame.tree.size() + 1 == self.header.first_position;
        if self.end + needed > self.shared.options.segment_bytes && !is_empty {
            // The size of a segment is a wish: when the next one cannot be begun, this one goes on. What was made of
            // the next one is empty, and put aside when the log is opened.
            let _ = self.rotate();
        }
        let done = self.reserve(needed);
        match done {
            Ok(()) => {
                if self.shared.health() == Health::DiskFull {
                    self.shared.set_health(Health::Good);
                }
                Ok(())
            }
            Err(error) if is_full(&error) => {
                self.shared.set_health(Health::DiskFull);
                Err(AppendError::DiskFull)
            }
            Err(error) => Err(self.poison(&error.to_string())),
        }
    }

    fn reserve(&self, needed: u64) -> Result<(), JournalError> {
        // One header more, so that the end marker of a clean stop finds room on a full disk too.
        let to = self.end + needed + 2 * FRAME_HEADER_BYTES as u64;
        self.space.ensure(to).map_err(|source| io_error(&*self.shared.storage, &self.segment.name, source))
    }

    /// Starts the next segment. The one before is closed: only zeros stand behind its last frame.
    fn rotate(&mut self) -> Result<(), JournalError> {
        let tree = self.frame.tree.clone();
        let header = SegmentHeader {
            kind: SegmentKind::Raw,
            log_id: self.shared.log_id,
            first_position: tree.size() + 1,
            previous_recorded_ns: self.frame.last_recorded_ns,
            tree: tree.clone(),
        };
        let segment = Arc::new(create_segment(&*self.shared.storage, &header, Some(&self.shared.spare))?);
        let storage = &*self.shared.storage;
        let length = segment.file.length().map_err(|source| io_error(storage, &segment.name, source))?;
        let space = Space::open(&self.shared, &segment, length)?;
        let closed = std::mem::replace(&mut self.segment, Arc::clone(&segment));
        let closed_header = std::mem::replace(&mut self.header, header);
        self.space.stop();
        self.space = space;
        self.end = SEGMENT_HEADER_BYTES as u64;
        self.shared.add_segment(Segment::Raw(segment));
        self.chores.push(Chore::Seal { raw: closed, header: closed_header, tree });
        Ok(())
    }

    /// After each commit: whether zeros should be written ahead.
    pub fn reserve_ahead(&mut self) {
        if self.space.is_low(self.end) {
            self.chores.push(Chore::Reserve(Arc::clone(&self.space)));
        }
        if self.shared.spare.is_wanted(self.end, self.shared.options.segment_bytes) {
            self.chores.push(Chore::Spare);
        }
    }

    /// Writes the end marker of a clean stop.
    pub fn close(&mut self) -> Result<(), AppendError> {
        if let Some(reason) = &self.poison {
            return Err(AppendError::Poisoned(Arc::clone(reason)));
        }
        self.settle();
        self.space.stop();
        // Also waits until nobody writes zeros any more.
        let room = self.space.ensure(self.end + FRAME_HEADER_BYTES as u64);
        room.map_err(|_| AppendError::DiskFull)?;
        let root = self.frame.tree.root();
        self.write_frame(FrameKind::End, root)
    }
}

/// Makes a new raw segment, from the zeros of `spare` when they are ready. It has its name only when its header
/// is durable.
pub(crate) fn create_segment(
    storage: &dyn Storage,
    header: &SegmentHeader,
    spare: Option<&Spare>,
) -> Result<RawSegment, JournalError> {
    let name = raw_name(header.first_position);
    let temporary = format!("{name}.tmp");
    let create = || -> std::io::Result<Arc<dyn File>> {
        let _ = storage.remove(&temporary);
        let is_prepared = spare.is_some_and(|spare| spare.take(storage, &temporary));
        let file = storage.open(&temporary, !is_prepared)?;
        file.write_at(&header.encode(), 0)?;
        file.sync()?;
        storage.rename(&temporary, &name)?;
        storage.sync_folder()?;
        Ok(file)
    };
    let file = create().map_err(|source| io_error(storage, &name, source))?;
    let frames = crate::segment::Frames::new(header.first_position, SEGMENT_HEADER_BYTES as u64);
    Ok(RawSegment::new(name, header.first_position, file, frames))
}

fn is_full(error: &JournalError) -> bool {
    matches!(error, JournalError::Io { source, .. } if matches!(source.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge))
}
