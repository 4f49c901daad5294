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
    /// The agent: claude-code, codex; or git
    #[arg(value_name = "AGENT", default_value = "claude-code")]
    agent: String,
    /// The data folder [env: TACHO_DATA=] [default: $CLAUDE_PROJECT_DIR/.tacho, else ./.tacho]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// With git: the commit to tell of, which is then not read from standard input
    #[arg(long, value_name = "COMMIT")]
    commit: Option<String>,
    /// With git: only where a merge made that commit
    #[arg(long)]
    merge: bool,
}

impl Hook {
    pub fn run(self) -> Result<Ending> {
        let data = self.data.into_iter().flat_map(|data| [OsString::from("--data"), data.into_os_string()]);
        let commit = self.commit.into_iter().flat_map(|commit| [OsString::from("--commit"), commit.into()]);
        let merge = self.merge.then(|| OsString::from("--merge"));
        crate::hook::run([OsString::from(self.agent)].into_iter().chain(data).chain(commit).chain(merge));
        Ok(Ending::Done)
    }
}
