//! What an event is: ids, envelope, streams, filters, trace context, schemas.
//!
//! Vocabulary only: no I/O, no async, no clock. The canonical form of an event is CloudEvents 1.0.

pub mod attribute;
pub mod catalogue;
pub mod code;
mod cut;
pub mod declaration;
mod derive;
mod event;
mod filter;
mod jq;
pub mod json;
mod names;
mod pattern;
mod percent;
mod position;
mod recorded;
pub mod schema;
pub mod stream;
mod summary;
pub mod time;
pub mod trace;
pub mod words;

pub use code::Code;
pub use cut::head;
pub use derive::derived_id;
pub use event::{Draft, Event, EventError, MAX_EVENT_BYTES, MAX_HOPS, MAX_ID_BYTES, Sameness};
pub use filter::{Filter, FilterError, payload_phase};
pub use jq::{Jq, JqError, JqKind};
pub use pattern::Pattern;
pub use percent::percent_decoded;
pub use position::{Position, Sequence};
pub use recorded::Recorded;
pub use summary::{summary, summary_line};
pub use time::Timestamp;
pub use trace::TraceContext;
