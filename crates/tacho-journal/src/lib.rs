//! The log: append, read, follow, verify; the spool.
//!
//! The only crate that touches the disk format. FORMAT.md, at the root of the repository, says every byte.

mod admission;
mod appender;
mod batch;
mod committer;
mod error;
mod format;
mod housekeeping;
mod index;
mod journal;
mod lock;
mod recovery;
mod segment;
mod shared;
mod space;
mod spare;
pub mod spool;
#[doc(hidden)]
pub mod stepped;
pub mod storage;
pub mod tree;
mod writer;

pub use batch::{Appended, Batch, Precondition, Receipt};
pub use error::{AppendError, JournalError};
pub use format::FORMAT_VERSION;
pub use journal::{Health, Journal, LogId, Options, ReadLimit, Recovery, Size, StreamHead};
