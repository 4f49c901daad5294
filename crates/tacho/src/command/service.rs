//! `tacho service`: a server that is there after a reboot.

use super::connect::{folder_variable, home};
use crate::config;
use crate::failure::{Ending, WrongUsage};
use crate::place::{Place, PlaceArguments, ServerArguments};
use crate::service::{self, Folders, Report, Supervisor};
use crate::terminal::Output;
use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Keep the server running after a reboot (systemd user unit, launchd agent)
#[derive(Debug, Args)]
pub struct Service {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Write the service and start it, now and from then on
    Install(Install),
    /// Say whether it is installed and runs
    Status(Outcome),
    /// Stop it and remove it
    Remove(Outcome),
}

#[derive(Debug, Args)]
struct Install {
    /// The data folder [env: TACHO_DATA=] [default: ./.tacho]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where the server listens
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// The configuration file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    outcome: Outcome,
}

#[derive(Debug, Args)]
struct Outcome {
    /// Print the outcome as JSON
    #[arg(long)]
    json: bool,
}

impl Service {
    pub fn run(self) -> Result<Ending> {
        let supervisor = Supervisor::of_this_system()?;
        let folders = Folders { home: home()?, xdg_config_home: folder_variable("XDG_CONFIG_HOME")? };
        match self.action {
            Action::Install(install) => {
                let report = service::install(supervisor, &install.service()?, &folders)?;
                let Some(failure) = &report.failure else {
                    install.outcome.print(&report)?;
                    return Ok(Ending::Done);
                };
                if install.outcome.json {
                    install.outcome.print(&report)?;
                }
                bail!("{} is written, but the service was not started: {failure}", report.file.display())
            }
            Action::Status(outcome) => {
                let report = service::status(supervisor, &folders);
                outcome.print(&report)?;
                Ok(if report.installed { Ending::Done } else { Ending::Wanting })
            }
            Action::Remove(outcome) => {
                let report = service::remove(supervisor, &folders)?;
                outcome.print(&report)?;
                if let Some(failure) = report.failure {
                    bail!("{} is removed, but the service may still run: {failure}", report.file.display());
                }
                Ok(Ending::Done)
            }
        }
    }
}

impl Install {
    fn service(&self) -> Result<service::Service> {
        let arguments = PlaceArguments { server: ServerArguments::default(), data: self.data.clone() };
        let place = Place::find(&arguments)?;
        if let Some(listen) = &self.listen {
            config::Value::parse(config::setting::Kind::Address, listen)
                .map_err(|error| WrongUsage(format!("--listen: {error:#}")))?;
        }
        Ok(service::Service {
            binary_path: std::env::current_exe().context("the path of this program cannot be read")?,
            data_dir: place.data,
            listen: self.listen.clone(),
            config_file: self.config.as_ref().map(config::absolute).transpose()?,
        })
    }
}

impl Outcome {
    fn print(&self, report: &Report) -> Result<()> {
        let mut output = Output::stdout();
        if self.json {
            output.json(&serde_json::to_vec(report)?)?;
        } else {
            output.line(report.to_string().trim_end())?;
        }
        Ok(output.flush()?)
    }
}
