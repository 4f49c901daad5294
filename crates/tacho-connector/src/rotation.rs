//! When old files go.

use std::time::Duration;

/// How much a sink keeps on the disk.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rotation {
    /// `jsonl`: the size of a file behind which a new one begins. `files`: of all files together; the oldest
    /// go first. In bytes; `None` for no limit.
    pub bytes: Option<u64>,
    /// `jsonl`: the age behind which a new file begins. `files`: the age at which a file goes. `None` for no
    /// limit.
    pub age: Option<Duration>,
    /// `jsonl`: how many old files are kept; the oldest go first. `None` for all.
    pub keep: Option<usize>,
}
