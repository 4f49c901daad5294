//! Foreign bytes in, events out, seen from outside.

mod any_bytes;
mod api;
mod derived;
mod hooks;
mod imports;
mod markers;
mod refusals;
mod shapes;
mod support;
mod telemetry;
mod tools;
mod transcripts;
