//! Streams as they were, as JSON: for the server's answers, and for the command line over a data folder.

mod ask;
mod render;

pub(crate) use ask::{Execution, execute, keep, to_create};
pub use ask::{get, suppose};
pub use render::snapshot;
