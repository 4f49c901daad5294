//! `tacho config`: what is in force.

mod trust;

use crate::config::{self, Origin, reference};
use crate::failure::Ending;
use crate::terminal::{Output, escape};
use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::json;
use std::path::PathBuf;

/// Show or check the configuration
#[derive(Debug, Args)]
pub struct Config {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Print every setting with its value and where it came from
    Show(Show),
    /// Read the configuration and say what is wrong with it
    Check(Check),
    Trust(trust::Trust),
    /// Print the reference page
    #[command(hide = true)]
    Reference,
}

#[derive(Debug, Args)]
struct Show {
    /// The file to read [default: ./tacho.toml]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print a setting a line as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct Check {
    /// The file to read [default: ./tacho.toml]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print the outcome as JSON
    #[arg(long)]
    json: bool,
}

impl Config {
    pub fn run(self) -> Result<Ending> {
        let mut output = Output::stdout();
        match self.action {
            Action::Show(show) => show.run(&mut output)?,
            Action::Check(check) => return check.run(&mut output),
            Action::Trust(trust) => {
                let ending = trust.run(&mut output)?;
                output.flush()?;
                return Ok(ending);
            }
            Action::Reference => output.line(reference::page().trim_end())?,
        }
        output.flush()?;
        Ok(Ending::Done)
    }
}

impl Show {
    fn run(self, output: &mut Output) -> Result<()> {
        let config = config::Config::load(self.config.as_deref())?;
        let palette = output.palette;
        let mut table = "";
        for (setting, value, origin) in config.values.iter() {
            if self.json {
                let line =
                    json!({"name": setting.name, "value": value.to_json(), "origin": origin.to_string()});
                output.json(&serde_json::to_vec(&line)?)?;
                continue;
            }
            if setting.table() != table {
                output.line(&format!("{}[{}]", if table.is_empty() { "" } else { "\n" }, setting.table()))?;
                table = setting.table();
            }
            let line = format!("{} = {value}", setting.key());
            let origin = match origin {
                Origin::Default => palette.dim("# default"),
                set => palette.bold(format!("# {set}")),
            };
            output.line(&format!("{line:<40} {origin}"))?;
        }
        if self.json {
            for item in &config.brought {
                let line = json!({"name": item.name, "value": item.value, "origin": item.origin.to_string()});
                output.json(&serde_json::to_vec(&line)?)?;
            }
            show_handlers_json(&config, output)?;
        } else {
            show_project(&config, output)?;
            show_handlers(&config, output)?;
            let rules = &config.rules;
            output.line(&format!(
                "\n# {} ingest rules, {} redact rules, {} sinks, {} handlers, {} tool servers, {} heal rules",
                rules.ingest.len(),
                rules.redact.len(),
                rules.sinks.len(),
                rules.handlers.len(),
                rules.servers.len(),
                rules.heals.len()
            ))?;
        }
        Ok(())
    }
}

/// What each handler does, and whether the file that says so may start programs.
fn show_handlers(config: &config::Config, output: &mut Output) -> Result<()> {
    let is_refused = is_refused(config)?;
    for handler in &config.rules.handlers {
        let line = format!("handler.{} = {:?}", handler.name, deed(handler));
        let origin = if is_refused && handler.needs_trust && handler.run.program().is_some() {
            output.palette.bad("# not trusted: `tacho config trust`")
        } else {
            output.palette.bold(format!("# {}", origin(config, handler)))
        };
        output.line(&format!("{:<40} {origin}", escape(&line)))?;
    }
    Ok(())
}

fn show_handlers_json(config: &config::Config, output: &mut Output) -> Result<()> {
    let is_refused = is_refused(config)?;
    for handler in &config.rules.handlers {
        let trusted = !(is_refused && handler.needs_trust && handler.run.program().is_some());
        let name = format!("handler.{}", handler.name);
        let line = json!({
            "name": name, "value": deed(handler), "origin": origin(config, handler), "trusted": trusted
        });
        output.json(&serde_json::to_vec(&line)?)?;
    }
    Ok(())
}

/// Whether the file in the working folder may not start its programs.
fn is_refused(config: &config::Config) -> Result<bool> {
    match config.programs_in_question() {
        Some(programs) => Ok(!programs.is_trusted()?),
        None => Ok(false),
    }
}

/// The kind, and what is started or asked.
fn deed(handler: &config::Handler) -> String {
    let run = &handler.run;
    let what = run.program().or_else(|| run.settings.url.clone()).or_else(|| run.settings.capability.clone());
    let what = what.or_else(|| run.settings.emit.as_ref().map(|emit| emit.kind.clone()));
    format!("{} {}", run.kind(), what.unwrap_or_default())
}

fn origin(config: &config::Config, handler: &config::Handler) -> String {
    let file = if handler.is_users { &config.user } else { &config.file };
    file.as_ref().map_or_else(String::new, |file| file.display().to_string())
}

/// What the project's own file brings, and what of it is not done.
fn show_project(config: &config::Config, output: &mut Output) -> Result<()> {
    let Some(project) = &config.project else { return Ok(()) };
    output.line(&format!("\n# from {}", escape(&project.display().to_string())))?;
    for item in &config.brought {
        let line = format!("{} = {:?}", item.name, item.value);
        let origin = output.palette.bold(format!("# {}", item.origin));
        output.line(&format!("{:<40} {origin}", escape(&line)))?;
    }
    for warning in &config.warnings {
        output.line(&format!("# warning: {}", escape(warning)))?;
    }
    Ok(())
}

impl Check {
    fn run(self, output: &mut Output) -> Result<Ending> {
        let read = config::Config::load(self.config.as_deref()).and_then(|config| {
            // What a server would refuse when it starts.
            config.doors(&config.data()?)?;
            config.startable()?;
            Ok(config)
        });
        let config = match read {
            Ok(config) => config,
            Err(error) => {
                if self.json {
                    output
                        .json(&serde_json::to_vec(&json!({"ok": false, "error": format!("{error:#}")}))?)?;
                    output.flush()?;
                } else {
                    crate::failure::tell(&error);
                }
                return Ok(Ending::Wanting);
            }
        };
        if self.json {
            let (file, user, project) = (&config.file, &config.user, &config.project);
            let warnings = &config.warnings;
            let told =
                json!({"ok": true, "file": file, "user": user, "project": project, "warnings": warnings});
            output.json(&serde_json::to_vec(&told)?)?;
        } else {
            say_right(&config, output)?;
        }
        output.flush()?;
        Ok(Ending::Done)
    }
}

fn say_right(config: &config::Config, output: &mut Output) -> Result<()> {
    for file in [&config.user, &config.file, &config.project].into_iter().flatten() {
        output.line(&format!("{} is right", escape(&file.display().to_string())))?;
    }
    if config.user.is_none() && config.file.is_none() && config.project.is_none() {
        output.line("there is no tacho.toml here; every setting has its default")?;
    }
    for warning in &config.warnings {
        output.line(&format!("warning: {}", escape(warning)))?;
    }
    Ok(())
}
