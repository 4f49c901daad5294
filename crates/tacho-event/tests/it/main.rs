//! What an event is, tried from outside.

mod catalogue;
mod declaration;
mod registry;
mod schema_limits;
