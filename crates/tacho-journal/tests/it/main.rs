//! The log from outside.

mod appends;
mod builder;
mod damage;
mod golden;
mod simulation;
mod spool;
