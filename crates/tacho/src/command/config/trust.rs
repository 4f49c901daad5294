//! `tacho config trust`.

use crate::config;
use crate::failure::Ending;
use crate::terminal::{Output, escape};
use crate::trust;
use anyhow::{Result, bail};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

/// Let a folder's tacho.toml start the programs that its handlers name
///
/// Read the file first: whoever wrote it decides what runs on this machine. Any change of it needs trust again. The
/// user's own configuration, and what --config names, need none.
#[derive(Debug, Args)]
pub struct Trust {
    /// The file
    #[arg(value_name = "FILE", default_value = "tacho.toml")]
    file: PathBuf,
    /// Trust it no longer
    #[arg(long)]
    revoke: bool,
    /// Print the outcome as JSON
    #[arg(long)]
    json: bool,
}

impl Trust {
    pub fn run(self, output: &mut Output) -> Result<Ending> {
        let name = self.file.display().to_string();
        if self.revoke {
            let was_trusted = trust::revoke(&self.file)?;
            if self.json {
                let told = json!({"file": name, "trusted": false, "was_trusted": was_trusted});
                output.json(&serde_json::to_vec(&told)?)?;
            } else {
                let outcome = if was_trusted { "is trusted no longer" } else { "was not trusted" };
                output.line(&format!("{} {outcome}", escape(&name)))?;
            }
            return Ok(Ending::Done);
        }
        if !self.file.is_file() {
            bail!("there is no file {name}: name the configuration that is to be trusted");
        }
        // What is trusted is what was read here, whatever the file holds a moment later.
        let (programs, sha256) = config::programs_of(&self.file)?;
        let lines = programs.map(|programs| programs.lines).unwrap_or_default();
        trust::trust(&self.file, &sha256)?;
        if self.json {
            let lines: Vec<_> =
                lines.iter().map(|(name, line)| json!({"handler": name, "starts": line})).collect();
            let told = json!({"file": name, "trusted": true, "sha256": sha256, "programs": lines});
            output.json(&serde_json::to_vec(&told)?)?;
            return Ok(Ending::Done);
        }
        let what = if lines.is_empty() { "starts no program" } else { "may start" };
        output.line(&format!("{} is trusted until it changes; it {what}", escape(&name)))?;
        for (handler, line) in &lines {
            output.line(&format!("  {}: {}", escape(handler), escape(line)))?;
        }
        Ok(Ending::Done)
    }
}
