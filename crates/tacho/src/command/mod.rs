//! The commands: each a file with its arguments and what it does.

mod alerts;
mod backup;
mod catalogue;
mod causes;
mod cells;
mod completions;
mod config;
mod connect;
mod cost;
mod dead;
mod demo;
mod diff;
mod doctor;
mod emit;
mod events;
mod handler;
mod heal;
mod hook;
mod import;
mod man;
mod mcp;
mod open;
mod openapi;
mod profile;
mod rebuild;
mod reference;
mod registry;
mod replay;
mod restore;
mod schema;
mod service;
mod snapshot;
mod state;
mod stats;
mod tail;
mod timeline;
mod up;
mod waits;
mod whatif;
mod why;

pub use connect::{folder_variable, home};
pub use restore::free_bytes;

use crate::failure::Ending;
use anyhow::Result;
use clap::{Parser, Subcommand};

/// The flight recorder and control tower for AI agents.
///
/// Tachograph records what agents do on a durable, tamper-evident, append-only log, and shows it live.
/// Start with `tacho up`, then `tacho connect claude-code`.
#[derive(Debug, Parser)]
#[command(
    name = "tacho",
    version,
    propagate_version = false,
    arg_required_else_help = true,
    max_term_width = 100
)]
pub struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Up(up::Up),
    Demo(demo::Demo),
    Connect(connect::Connect),
    Disconnect(connect::Disconnect),
    Hook(hook::Hook),
    Mcp(mcp::Mcp),
    Emit(emit::Emit),
    Import(import::Import),
    Tail(tail::Tail),
    Events(events::Events),
    Timeline(timeline::Timeline),
    Causes(causes::Causes),
    Why(why::Why),
    Profile(profile::Profile),
    State(state::State),
    Diff(diff::Diff),
    Whatif(whatif::Whatif),
    Replay(replay::Replay),
    Snapshot(snapshot::Snapshot),
    Stats(stats::Stats),
    Cost(cost::Cost),
    Alerts(alerts::Alerts),
    Waits(waits::Waits),
    Handler(handler::Handler),
    Registry(registry::Registry),
    Dead(dead::Dead),
    Heal(heal::Heal),
    Open(open::Open),
    Schema(schema::Schema),
    Backup(backup::Backup),
    Restore(restore::Restore),
    Rebuild(rebuild::Rebuild),
    Doctor(doctor::Doctor),
    Config(config::Config),
    Service(service::Service),
    Completions(completions::Completions),
    Man(man::Man),
    Openapi(openapi::Openapi),
    Catalogue(catalogue::Catalogue),
    Reference(reference::Reference),
}

impl CommandLine {
    pub fn run(self) -> Result<Ending> {
        match self.command {
            Command::Up(command) => command.run(),
            Command::Demo(command) => command.run(),
            Command::Connect(command) => command.run(),
            Command::Disconnect(command) => command.run(),
            Command::Hook(command) => command.run(),
            Command::Mcp(command) => command.run(),
            Command::Emit(command) => command.run(),
            Command::Import(command) => command.run(),
            Command::Tail(command) => command.run(),
            Command::Events(command) => command.run(),
            Command::Timeline(command) => command.run(),
            Command::Causes(command) => command.run(),
            Command::Why(command) => command.run(),
            Command::Profile(command) => command.run(),
            Command::State(command) => command.run(),
            Command::Diff(command) => command.run(),
            Command::Whatif(command) => command.run(),
            Command::Replay(command) => command.run(),
            Command::Snapshot(command) => command.run(),
            Command::Stats(command) => command.run(),
            Command::Cost(command) => command.run(),
            Command::Alerts(command) => command.run(),
            Command::Waits(command) => command.run(),
            Command::Handler(command) => command.run(),
            Command::Registry(command) => command.run(),
            Command::Dead(command) => command.run(),
            Command::Heal(command) => command.run(),
            Command::Open(command) => command.run(),
            Command::Schema(command) => command.run(),
            Command::Backup(command) => command.run(),
            Command::Restore(command) => command.run(),
            Command::Rebuild(command) => command.run(),
            Command::Doctor(command) => command.run(),
            Command::Config(command) => command.run(),
            Command::Service(command) => command.run(),
            Command::Completions(command) => command.run(),
            Command::Man(command) => command.run(),
            Command::Openapi(command) => command.run(),
            Command::Catalogue(command) => command.run(),
            Command::Reference(command) => command.run(),
        }
    }
}
