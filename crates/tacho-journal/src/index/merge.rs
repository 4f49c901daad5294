//! Writing memory to a run, and several runs to one.

use super::run::{Run, RunKind, RunName, RunWriter};
use super::{Memory, StreamHash};
use crate::JournalError;
use crate::format::u64_at;
use crate::segment::io_error;
use crate::storage::Storage;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::ErrorKind;
use std::sync::Arc;

/// Runs of about the same size that become one.
const MERGE_WIDTH: usize = 8;
/// Runs with more entries are left as they are, which bounds the memory and the time of a merge.
const MAX_MERGED_ENTRIES: u64 = 16 << 20;

/// What is to be written to two new runs.
pub(crate) struct Flush {
    pub memory: Arc<Memory>,
    pub log_id: [u8; 16],
}

impl Flush {
    pub fn run(&self, storage: &dyn Storage) -> Result<(Run, Run), JournalError> {
        let memory = &*self.memory;
        let name = |kind| RunName { kind, from: memory.from, to: memory.to };
        let mut ids: Vec<(u64, u64)> = memory.ids.iter().map(|(hash, position)| (*hash, *position)).collect();
        ids.extend(&memory.collisions);
        ids.sort_unstable();
        let mut writer = RunWriter::create(storage, name(RunKind::Ids), self.log_id, ids.len() as u64)?;
        for (hash, position) in ids {
            let mut entry = [0; 16];
            entry[..8].copy_from_slice(&hash.to_be_bytes());
            entry[8..].copy_from_slice(&position.to_be_bytes());
            writer.add(&entry)?;
        }
        let ids = writer.finish()?;

        let mut heads: Vec<_> = memory.heads.iter().collect();
        heads.sort_unstable_by_key(|(stream, _)| **stream);
        let mut writer = RunWriter::create(storage, name(RunKind::Heads), self.log_id, heads.len() as u64)?;
        for (stream, head) in heads {
            writer.add(&head_entry(stream, head.position.0, head.sequence.0))?;
        }
        Ok((ids, writer.finish()?))
    }
}

fn head_entry(stream: &StreamHash, position: u64, sequence: u64) -> [u8; 32] {
    let mut entry = [0; 32];
    entry[..16].copy_from_slice(stream);
    entry[16..24].copy_from_slice(&position.to_be_bytes());
    entry[24..].copy_from_slice(&sequence.to_be_bytes());
    entry
}

/// Runs that stand side by side and are to become one.
pub(crate) struct Merge {
    runs: Vec<Arc<Run>>,
    log_id: [u8; 16],
}

/// Finds [`MERGE_WIDTH`] neighbours of the same size class, small ones first.
pub(super) fn plan(chain: &[Arc<Run>], flush_entries: usize, log_id: [u8; 16]) -> Option<Merge> {
    // Classes grow by the width of a merge: what one merge makes is the input of the next class.
    let class = |run: &Run| {
        (run.name.to - run.name.from + 1).max(1).div_ceil(flush_entries.max(1) as u64).ilog2()
            / MERGE_WIDTH.ilog2()
    };
    let windows = chain.windows(MERGE_WIDTH).filter(|runs| {
        let same = runs.iter().all(|run| class(run) == class(&runs[0]));
        same && runs.iter().map(|run| run.count).sum::<u64>() <= MAX_MERGED_ENTRIES
    });
    let runs = windows.min_by_key(|runs| class(&runs[0]))?.to_vec();
    Some(Merge { runs, log_id })
}

impl Merge {
    /// A run whose bytes changed is given up, so that it is made again when the log is opened next.
    fn check_inputs(&self, storage: &dyn Storage) -> Result<(), JournalError> {
        for run in &self.runs {
            if let Err(error) = run.check(storage) {
                let _ = storage.remove(&run.name.file_name());
                return Err(error);
            }
        }
        Ok(())
    }

    pub fn run(&self, storage: &dyn Storage, stops: &dyn Fn() -> bool) -> Result<Run, JournalError> {
        self.check_inputs(storage)?;
        let (first, last) = (self.runs[0].name, self.runs[self.runs.len() - 1].name);
        let kind = first.kind;
        let name = RunName { kind, from: first.from, to: last.to };
        let expected = self.runs.iter().map(|run| run.count).sum();
        let mut writer = RunWriter::create(storage, name, self.log_id, expected)?;
        let mut queue: BinaryHeap<Reverse<(&[u8], usize, u64)>> = self
            .runs
            .iter()
            .enumerate()
            .filter(|(_, run)| run.count > 0)
            .map(|(source, run)| Reverse((run.entry(0), source, 0)))
            .collect();
        let mut held: Option<&[u8]> = None;
        while let Some(Reverse((entry, source, index))) = queue.pop() {
            if index + 1 < self.runs[source].count {
                queue.push(Reverse((self.runs[source].entry(index + 1), source, index + 1)));
            }
            if index % 4096 == 0 && stops() {
                return Err(io_error(storage, &name.file_name(), ErrorKind::Interrupted.into()));
            }
            if let Some(before) = held.replace(entry) {
                // Of a stream only the newest head counts: entries with one key come in the order of positions.
                let same_stream = kind == RunKind::Heads && before[..16] == entry[..16];
                if same_stream {
                    debug_assert!(u64_at(before, 16) <= u64_at(entry, 16));
                } else {
                    writer.add(before)?;
                }
            }
        }
        if let Some(last) = held {
            writer.add(last)?;
        }
        writer.finish()
    }
}
