//! The world's protocols: what delivers events to the outside, one file a kind.
//!
//! A kind tries once and says how it went; batches, retry, dead letters and the cursor are the kernel's
//! ([`tacho_engine::delivery`]). To add one, write its file and its line in [`KINDS`] or, when it answers with events, in
//! [`HANDLER_KINDS`].

mod bucket;
mod delivery_span;
mod handler;
mod kind;
mod local_file;
mod model_request;
mod name;
mod protobuf;
mod quiet;
mod resp;
mod rotation;
mod secret;
mod settings;
mod signature;
mod span;
mod web;

use name::name_of;

pub use handler::{
    ENVIRONMENT, Emit, HANDLER_KINDS, HandlerKind, HandlerSettings, HandlerSurroundings, OpenedHandler,
    Recycle, Tool, check_handler, handler_kind, list_tools,
};
pub use kind::{KINDS, Kind, find};
pub use rotation::Rotation;
pub use secret::Secret;
pub use settings::{Settings, SettingsError, Surroundings};
