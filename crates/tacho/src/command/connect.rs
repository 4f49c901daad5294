//! `tacho connect` and `tacho disconnect`: an agent's hooks, written and taken away.

use crate::config;
use crate::connect::{self, Report, Request, Scope, claude_code, codex, git};
use crate::failure::Ending;
use crate::place::{Place, PlaceArguments, ServerArguments};
use crate::terminal::Output;
use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Have an agent report to this log, by hooks in its settings
#[derive(Debug, Args)]
pub struct Connect {
    #[command(flatten)]
    agent: AgentArguments,
}

/// Take the hooks out of an agent's settings again
#[derive(Debug, Args)]
pub struct Disconnect {
    #[command(flatten)]
    agent: AgentArguments,
}

#[derive(Debug, Args)]
struct AgentArguments {
    #[arg(value_enum, value_name = "AGENT")]
    agent: AgentName,
    /// All projects of this user
    #[arg(long, group = "scope")]
    user: bool,
    /// Everyone who works on this project
    #[arg(long, group = "scope")]
    project: bool,
    /// This user in this project, the default where the agent has it
    #[arg(long, group = "scope")]
    local: bool,
    /// Show what would change and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Print the outcome as JSON
    #[arg(long)]
    json: bool,
    /// The data folder [env: TACHO_DATA=] [default: ./.tacho]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum AgentName {
    ClaudeCode,
    Codex,
    /// The commits of this repository, by its own hooks
    Git,
}

impl Connect {
    pub fn run(self) -> Result<Ending> {
        let connect = match self.agent.agent {
            AgentName::ClaudeCode => claude_code::connect,
            AgentName::Codex => codex::connect,
            AgentName::Git => git::connect,
        };
        self.agent.run(connect)
    }
}

impl Disconnect {
    pub fn run(self) -> Result<Ending> {
        let disconnect = match self.agent.agent {
            AgentName::ClaudeCode => claude_code::disconnect,
            AgentName::Codex => codex::disconnect,
            AgentName::Git => git::disconnect,
        };
        self.agent.run(disconnect)
    }
}

impl AgentArguments {
    fn run(self, change: fn(&Request) -> Result<Report, connect::Error>) -> Result<Ending> {
        let report = change(&self.request()?)?;
        let mut output = Output::stdout();
        if self.json {
            output.json(&serde_json::to_vec(&report)?)?;
        } else {
            output.line(report.to_string().trim_end())?;
        }
        output.flush()?;
        Ok(Ending::Done)
    }

    fn request(&self) -> Result<Request> {
        let place = PlaceArguments { server: ServerArguments::default(), data: self.data.clone() };
        let variable = match self.agent {
            AgentName::ClaudeCode => Some(claude_code::CONFIG_DIR_VARIABLE),
            AgentName::Codex => Some(codex::CONFIG_DIR_VARIABLE),
            AgentName::Git => None,
        };
        Ok(Request {
            scope: self.scope(),
            project_dir: std::env::current_dir().context("the current folder cannot be read")?,
            home: home()?,
            config_dir: variable.map(folder_variable).transpose()?.flatten(),
            binary_path: std::env::current_exe().context("the path of this program cannot be read")?,
            data_dir: Place::find(&place)?.data,
            dry_run: self.dry_run,
        })
    }

    fn scope(&self) -> Option<Scope> {
        let given = [(self.user, Scope::User), (self.project, Scope::Project), (self.local, Scope::Local)];
        given.into_iter().find_map(|(is_given, scope)| is_given.then_some(scope))
    }
}

/// The user's home folder, absolute.
pub fn home() -> Result<PathBuf> {
    std::env::home_dir().filter(|home| home.is_absolute()).context("HOME names no folder: set it")
}

/// A folder that a variable names, absolute.
pub fn folder_variable(name: &str) -> Result<Option<PathBuf>> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(config::absolute).transpose()
}
