//! Opening a log: recovery is start-up. Finds the segments, checks the last one byte by byte, cuts a torn
//! tail, and fills the index with what its runs do not cover.

use crate::JournalError;
use crate::appender::{Appender, create_segment};
use crate::format::{
    FRAME_HEADER_BYTES, FrameHeader, FrameKind, Record, SEGMENT_HEADER_BYTES, SegmentHeader, SegmentKind,
};
use crate::housekeeping::Chore;
use crate::index::{Index, id_hash, stream_hash};
use crate::journal::{Options, ReadLimit, Recovery, StreamHead};
use crate::segment::{
    RawSegment, Scanned, SealedSegment, Segment, Tail, damaged, io_error, parse_name, raw_name, scan,
    sealed_name,
};
use crate::shared::Shared;
use crate::space::Space;
use crate::storage::{File, Storage};
use crate::tree::Tree;
use std::sync::{Arc, PoisonError};

/// A server seals at most a few segments while a reader opens the log.
const READ_ONLY_ATTEMPTS: usize = 4;

/// An opened log, ready to be written by one thread and read by many.
pub(crate) struct Opened {
    pub shared: Arc<Shared>,
    /// Absent when the log was opened to read only.
    pub appender: Option<Appender>,
    pub recovery: Recovery,
    /// Work that a former life left behind.
    pub chores: Vec<Chore>,
}

pub(crate) fn open(
    storage: Arc<dyn Storage>,
    index_storage: Arc<dyn Storage>,
    options: Options,
) -> Result<Opened, JournalError> {
    let found = find_segments(&storage, &options)?;
    let index = Index::open(
        &*index_storage,
        found.log_id,
        found.tree.size(),
        options.index_entries,
        options.read_only,
    )?;
    let recovery = found.recovery;
    let shared = Arc::new(Shared::new(
        storage,
        index_storage,
        found.log_id,
        options,
        found.segments,
        index,
        found.tree.clone(),
    ));
    let mut chores = found.chores;
    chores.extend(fill_index(&shared)?);
    chores.extend(shared.index.lock().unwrap_or_else(PoisonError::into_inner).freeze().map(Chore::Flush));
    let appender = found.last.filter(|_| !shared.options.read_only).map(|last| {
        let length = last.segment.file.length().unwrap_or(last.end).max(last.end);
        let space = Space::open(&shared, &last.segment, length)?;
        Ok(Appender::new(
            Arc::clone(&shared),
            last.segment,
            last.header,
            space,
            last.end,
            found.tree,
            found.last_recorded_ns,
        ))
    });
    let appender = appender.transpose()?;
    Ok(Opened { shared, appender, recovery, chores })
}

/// The segments by first position, and the files that work which was cut off left behind.
struct Listed {
    segments: Vec<(u64, bool)>,
    leftovers: Vec<String>,
}

fn list_segments(storage: &dyn Storage) -> Result<Listed, JournalError> {
    let names = storage.list().map_err(|source| io_error(storage, "", source))?;
    let mut found: Vec<(u64, bool)> = names.iter().filter_map(|name| parse_name(name)).collect();
    found.sort_unstable();
    let first_of_all = found.first().copied();
    let sealed: Vec<u64> = found.iter().filter(|(_, sealed)| *sealed).map(|(first, _)| *first).collect();
    let mut listed = Listed { segments: Vec::new(), leftovers: Vec::new() };
    listed.leftovers.extend(names.iter().filter(|name| name.ends_with(".tmp")).cloned());
    for (first, is_sealed) in found {
        let name = raw_name(first);
        let has_twin = !is_sealed && sealed.binary_search(&first).is_ok();
        // One that was begun and holds nothing: the one before it may have gone on.
        let is_unused =
            !is_sealed && !has_twin && first_of_all != Some((first, false)) && is_empty(storage, &name)?;
        if has_twin || is_unused {
            listed.leftovers.push(name);
        } else {
            listed.segments.push((first, is_sealed));
        }
    }
    Ok(listed)
}

/// Whether only zeros stand behind a segment's header.
fn is_empty(storage: &dyn Storage, name: &str) -> Result<bool, JournalError> {
    let file = storage.open(name, false).map_err(|source| io_error(storage, name, source))?;
    let mut bytes = vec![0; 64 << 10];
    let mut offset = SEGMENT_HEADER_BYTES as u64;
    loop {
        let filled = file.read_at(&mut bytes, offset).map_err(|source| io_error(storage, name, source))?;
        if bytes[..filled].iter().any(|byte| *byte != 0) {
            return Ok(false);
        }
        if filled < bytes.len() {
            return Ok(true);
        }
        offset += filled as u64;
    }
}

/// Finds and opens the segments; again when a server sealed one of them meanwhile.
fn find_segments(storage: &Arc<dyn Storage>, options: &Options) -> Result<Found, JournalError> {
    for _ in 0..READ_ONLY_ATTEMPTS {
        match try_segments(storage, options) {
            Err(JournalError::Io { source, .. })
                if options.read_only && source.kind() == std::io::ErrorKind::NotFound => {}
            done => return done,
        }
    }
    try_segments(storage, options)
}

fn try_segments(storage: &Arc<dyn Storage>, options: &Options) -> Result<Found, JournalError> {
    let mut listed = list_segments(&**storage)?;
    if listed.segments.is_empty() && !options.read_only {
        let header = SegmentHeader {
            kind: SegmentKind::Raw,
            log_id: options.new_log_id,
            first_position: 1,
            previous_recorded_ns: 0,
            tree: Tree::default(),
        };
        create_segment(&**storage, &header, None)?;
        listed.segments.push((1, false));
    }
    let found = open_segments(storage, &listed.segments, options.read_only)?;
    if !options.read_only {
        for name in &listed.leftovers {
            // Gone already where the segment of that name was begun anew.
            let is_used = found.segments.iter().any(|segment| segment.name() == name);
            if !is_used {
                let _ = storage.remove(name);
            }
        }
    }
    Ok(found)
}

struct Found {
    log_id: [u8; 16],
    segments: Vec<Segment>,
    tree: Tree,
    last_recorded_ns: i64,
    recovery: Recovery,
    chores: Vec<Chore>,
    last: Option<Last>,
}

/// The segment that frames go to.
struct Last {
    segment: Arc<RawSegment>,
    header: SegmentHeader,
    end: u64,
}

fn open_segments(
    storage: &Arc<dyn Storage>,
    names: &[(u64, bool)],
    read_only: bool,
) -> Result<Found, JournalError> {
    let mut found = Found {
        log_id: [0; 16],
        segments: Vec::new(),
        tree: Tree::default(),
        last_recorded_ns: 0,
        recovery: Recovery::default(),
        chores: Vec::new(),
        last: None,
    };
    for (index, (first, sealed)) in names.iter().enumerate() {
        let name = if *sealed { sealed_name(*first) } else { raw_name(*first) };
        let file = storage.open(&name, false).map_err(|source| io_error(&**storage, &name, source))?;
        let header = read_header(&**storage, &name, &*file)?;
        let fault = |what: &str| damaged(&**storage, &name, 0, what);
        if index == 0 {
            found.log_id = header.log_id;
        }
        if header.log_id != found.log_id {
            return Err(JournalError::ForeignLog { path: storage.path(&name) });
        }
        if header.first_position != *first || header.tree != found.tree {
            return Err(fault(
                "the segment does not continue the one before it: a segment is missing or from elsewhere",
            ));
        }
        if *sealed {
            let segment = SealedSegment::open(&**storage, &name, *first)?;
            found.tree = segment.tree.clone();
            found.last_recorded_ns = segment.last_recorded_ns;
            found.segments.push(Segment::Sealed(Arc::new(segment)));
        } else {
            let is_last = index + 1 == names.len();
            open_raw(storage, name, file, header, is_last, read_only, &mut found)?;
        }
    }
    if found.last.is_none() && !read_only && !names.is_empty() {
        start_segment(storage, &mut found)?;
    }
    Ok(found)
}

/// A sealed segment stands last: a fresh raw one goes behind it.
fn start_segment(storage: &Arc<dyn Storage>, found: &mut Found) -> Result<(), JournalError> {
    let header = SegmentHeader {
        kind: SegmentKind::Raw,
        log_id: found.log_id,
        first_position: found.tree.size() + 1,
        previous_recorded_ns: found.last_recorded_ns,
        tree: found.tree.clone(),
    };
    let segment = Arc::new(create_segment(&**storage, &header, None)?);
    found.segments.push(Segment::Raw(Arc::clone(&segment)));
    found.last = Some(Last { segment, header, end: SEGMENT_HEADER_BYTES as u64 });
    Ok(())
}

fn open_raw(
    storage: &Arc<dyn Storage>,
    name: String,
    file: Arc<dyn File>,
    header: SegmentHeader,
    is_last: bool,
    read_only: bool,
    found: &mut Found,
) -> Result<(), JournalError> {
    let tail = if is_last { Tail::MayBeTorn } else { Tail::Zeros };
    let scanned = scan(&**storage, &name, &*file, &header, tail, |_| {})?;
    if is_last {
        found.recovery.clean = scanned.last.as_ref().is_some_and(|(_, frame)| frame.kind == FrameKind::End)
            || (scanned.tree.size() == 0 && scanned.torn_bytes == 0);
        found.recovery.torn_bytes = scanned.torn_bytes;
        if !read_only {
            settle(&*file, &scanned).map_err(|source| io_error(&**storage, &name, source))?;
        }
    }
    let segment = Arc::new(RawSegment::new(name, header.first_position, file, scanned.frames));
    found.segments.push(Segment::Raw(Arc::clone(&segment)));
    found.last_recorded_ns = scanned.last_recorded_ns;
    if is_last {
        found.last = Some(Last { segment, header, end: scanned.end });
    } else {
        found.chores.push(Chore::Seal { raw: segment, header, tree: scanned.tree.clone() });
    }
    found.tree = scanned.tree;
    Ok(())
}

/// Cuts a torn tail, and writes the last frame once more: the sync that failed before a crash may have
/// left it in memory only. An end marker becomes a reopened one, so that bytes may follow it.
fn settle(file: &dyn File, scanned: &Scanned) -> std::io::Result<()> {
    if scanned.torn_bytes > 0 {
        let mut offset = scanned.end;
        let end = scanned.end + scanned.torn_bytes;
        while offset < end {
            let piece = (end - offset).min(1 << 20);
            file.write_at(&vec![0; piece as usize], offset)?;
            offset += piece;
        }
    }
    let Some((offset, header)) = &scanned.last else { return file.sync() };
    let mut bytes = vec![0; FRAME_HEADER_BYTES + header.body_bytes as usize];
    file.read_at(&mut bytes, *offset)?;
    if header.kind == FrameKind::End {
        FrameHeader { kind: FrameKind::Reopened, ..header.clone() }.write(&mut bytes);
    }
    file.write_at(&bytes, *offset)?;
    file.sync()
}

fn read_header(storage: &dyn Storage, name: &str, file: &dyn File) -> Result<SegmentHeader, JournalError> {
    let mut bytes = vec![0; SEGMENT_HEADER_BYTES];
    let filled = file.read_at(&mut bytes, 0).map_err(|source| io_error(storage, name, source))?;
    SegmentHeader::decode(&bytes[..filled]).map_err(|fault| fault.into_error(storage, name))
}

/// Reads what the index's runs do not cover.
fn fill_index(shared: &Shared) -> Result<Option<Chore>, JournalError> {
    let mut index = shared.index.lock().unwrap_or_else(PoisonError::into_inner);
    let mut next = index.covered() + 1;
    let mut undone = None;
    loop {
        let records = shared.read(next, ReadLimit { events: 20_000, bytes: 8 << 20 })?;
        let Some(last) = records.last() else { return Ok(undone) };
        next = last.event.position.0 + 1;
        for record in &records {
            insert(&mut index, record);
        }
        if shared.options.read_only {
            continue;
        }
        // A log whose runs were deleted is indexed again in bounded memory; on a full disk, in more of it.
        if let Some(flush) = index.freeze() {
            match flush.run(&*shared.index_storage) {
                Ok((ids, heads)) => index.flushed(&flush.memory, ids, heads),
                Err(_) => undone = Some(Chore::Flush(flush)),
            }
        }
    }
}

fn insert(index: &mut Index, record: &Record) {
    let event = &record.event;
    index.insert_id(id_hash(event.source(), event.id()), event.position.0);
    index.set_head(
        stream_hash(event.stream()),
        StreamHead { sequence: event.sequence, position: event.position },
    );
}
