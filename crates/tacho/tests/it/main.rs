//! The `tacho` binary from outside.

mod alert;
mod archive;
mod away;
mod condition;
mod connect;
mod cost;
mod git;
mod handler;
mod hook;
mod lifecycle;
mod manners;
mod observability;
mod open;
mod place;
mod reaction;
mod reasons;
mod record;
mod registry;
mod schema;
mod server;
mod service;
mod sink;
mod stub;
mod telemetry;
mod trust;
mod waits;
