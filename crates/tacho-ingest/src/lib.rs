//! Foreign bytes in, events out: hooks, transcripts, markers, CloudEvents, legacy shapes; redaction.
//!
//! Pure functions: no clock, no randomness, no file. The moment and fresh ids are passed in. Whatever comes
//! in, nothing here panics, and what comes out is valid, redacted and within the limits.

pub mod api;
mod door;
pub mod hook;
pub mod import;
mod limits;
pub mod marker;
pub mod otlp;
pub mod redact;
mod refusal;
pub mod rules;
pub mod shape;
mod strings;
pub mod transcript;

pub use door::{DEFAULT_SOURCE, Door};
pub use limits::Limits;
pub use redact::Redactor;
pub use refusal::Refusal;
