//! Streams as they were, as JSON: for the server's answers, and for the command line over a data folder.

mod ask;
mod render;

pub use ask::{get, suppose};
pub(crate) use ask::{keep, to_create};
pub use render::snapshot;
