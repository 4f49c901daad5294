//! The handlers of the routes, one file a resource.

pub(crate) mod admin;
pub(crate) mod alerts;
pub(crate) mod append;
pub(crate) mod causes;
pub(crate) mod control;
pub(crate) mod dead_letters;
pub(crate) mod events;
pub(crate) mod figures;
pub(crate) mod handler_control;
pub(crate) mod handlers;
pub(crate) mod heal;
pub(crate) mod health;
pub(crate) mod hook;
pub(crate) mod page;
pub(crate) mod profile;
pub(crate) mod prometheus;
pub(crate) mod registry;
pub(crate) mod schemas;
pub(crate) mod sse;
pub(crate) mod state;
pub(crate) mod streams;
pub(crate) mod telemetry;
pub(crate) mod timeline;
pub(crate) mod waits;
pub(crate) mod websocket;
pub(crate) mod why;
