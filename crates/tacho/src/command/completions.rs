//! `tacho completions`: what a shell needs to complete commands and flags.

use super::CommandLine;
use crate::failure::Ending;
use anyhow::Result;
use clap::{Args, CommandFactory};
use clap_complete::Shell;
use std::io::Write;

/// Print the completions of a shell
#[derive(Debug, Args)]
pub struct Completions {
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
}

impl Completions {
    pub fn run(self) -> Result<Ending> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut CommandLine::command(), "tacho", &mut script);
        std::io::stdout().write_all(&script)?;
        Ok(Ending::Done)
    }
}
