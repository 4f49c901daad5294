//! `tacho hook`, as far as the command line's help knows it. It runs before this is reached.

use crate::failure::Ending;
use anyhow::Result;
use clap::Args;
use std::ffi::OsString;
use std::path::PathBuf;

/// Record an agent's hook from standard input; never fails, never prints
///
/// This is what `tacho connect` writes into an agent's settings. It waits at most 50 ms for the server and
/// spools to disk when it is away. With TACHO_HOOK_DEBUG=1 it tells on standard error what it does.
#[derive(Debug, Args)]
pub struct Hook {
    /// The agent: claude-code, codex
    #[arg(value_name = "AGENT", default_value = "claude-code")]
    agent: String,
    /// The data folder [env: TACHO_DATA=] [default: $CLAUDE_PROJECT_DIR/.tacho, else ./.tacho]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

impl Hook {
    pub fn run(self) -> Result<Ending> {
        let data = self.data.into_iter().flat_map(|data| [OsString::from("--data"), data.into_os_string()]);
        crate::hook::run([OsString::from(self.agent)].into_iter().chain(data));
        Ok(Ending::Done)
    }
}
