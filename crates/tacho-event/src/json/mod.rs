//! JSON as bytes: checked once at the door, kept as it was written, never re-serialised.
//!
//! [`minify`] checks a foreign text (RFC 8259, UTF-8, a depth limit) and drops insignificant white
//! space; numbers and escapes keep their text. Everything else here reads text that already passed
//! it, and trusts it.

mod minify;
mod read;
mod string;

pub use minify::{JsonError, minify, minify_next, minify_sequence};
pub use read::{Elements, Kind, Members, elements, kind, member, members, strings, to_value};
pub use string::{text, write_string};

/// How deep arrays and objects may nest, unless configured otherwise.
pub const DEFAULT_DEPTH: usize = 100;
