//! Other systems that keep events, each made to sync before it acknowledges.

pub mod nats;
pub mod redis;
pub mod umadb;
