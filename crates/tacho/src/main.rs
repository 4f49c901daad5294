//! `tacho`, the binary: where configuration, command line and environment end, and the product begins.

mod archive;
mod client;
mod cloud_event;
mod command;
mod condition_worker;
mod config;
mod connect;
mod control_token;
mod data_folder;
mod doctor;
mod failure;
mod filters;
mod git;
mod hook;
mod identity;
mod log;
mod place;
mod service;
mod serving;
mod story;
mod terminal;
mod trust;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let first = arguments.next();
    // An agent waits for its hook, so nothing else of the program is touched on that way.
    if first.as_ref().is_some_and(|first| first == "hook") && !hook::asks_for_help() {
        hook::run(arguments);
        return ExitCode::SUCCESS;
    }
    if first.is_some_and(|first| first == condition_worker::ARGUMENT) {
        return condition_worker::run();
    }
    failure::exit_code(command::CommandLine::parse().run())
}
