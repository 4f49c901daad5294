//! `tacho backup`: the log in one file.

use crate::archive;
use crate::data_folder;
use crate::failure::Ending;
use crate::place::{Place, PlaceArguments, ServerArguments};
use crate::terminal::{Output, counted, escape};
use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

/// Write the log into one file, from a running or a stopped server
///
/// The file holds everything that was durable when the command began. The read side is not in it: `tacho
/// restore` folds it anew. What waits in the spool is not in it either.
#[derive(Debug, Args)]
pub struct Backup {
    /// The file to write; it must not exist
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Print the outcome as JSON
    #[arg(long)]
    json: bool,
    /// The data folder [env: TACHO_DATA=] [default: ./.tacho]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

impl Backup {
    pub fn run(self) -> Result<Ending> {
        let arguments = PlaceArguments { server: ServerArguments::default(), data: self.data };
        let data = Place::find(&arguments)?.data;
        let is_there =
            data_folder::find_log(&data).with_context(|| format!("cannot read {}", data.display()))?;
        if !is_there {
            bail!("there is no log in {}: name its folder with --data", data.display());
        }
        let outcome = archive::backup(&data, &self.file)?;
        let size = std::fs::metadata(&self.file)?.len();
        let mut output = Output::stdout();
        if self.json {
            let line =
                json!({"file": self.file, "files": outcome.files, "log_bytes": outcome.bytes, "bytes": size});
            output.json(&serde_json::to_vec(&line)?)?;
        } else {
            let file = self.file.display().to_string();
            output.line(&format!(
                "{} of the log {} in {} ({size} bytes)",
                counted(outcome.files as u64, "file"),
                if outcome.files == 1 { "is" } else { "are" },
                escape(&file)
            ))?;
        }
        output.flush()?;
        Ok(Ending::Done)
    }
}
