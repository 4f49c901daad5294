//! `tacho restore`: a backup becomes a data folder.

use crate::archive::{self, Limits};
use crate::failure::Ending;
use crate::place::{Place, PlaceArguments, ServerArguments};
use crate::terminal::{Output, counted, escape};
use anyhow::Result;
use clap::Args;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Files of a log: at 64 MiB each this is more than any disk holds.
const FILES_MAX: usize = 1_000_000;

/// Make a data folder from a backup
///
/// The folder must be absent or empty. It appears whole and verified, or not at all.
#[derive(Debug, Args)]
pub struct Restore {
    /// The backup
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The data folder [env: TACHO_DATA=] [default: ./.tacho]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// How far the backup may expand [default: the free space of the disk]
    #[arg(long, value_name = "BYTES")]
    max_bytes: Option<u64>,
    /// Print the outcome as JSON
    #[arg(long)]
    json: bool,
}

impl Restore {
    pub fn run(self) -> Result<Ending> {
        let arguments = PlaceArguments { server: ServerArguments::default(), data: self.data };
        let data = Place::find(&arguments)?.data;
        let bytes = self.max_bytes.or_else(|| free_bytes(&data)).unwrap_or(u64::MAX);
        let outcome = archive::restore(&self.file, &data, Limits { bytes, files: FILES_MAX })?;
        let mut output = Output::stdout();
        if self.json {
            let line = json!({"data": data, "files": outcome.files, "log_bytes": outcome.bytes, "position": outcome.position});
            output.json(&serde_json::to_vec(&line)?)?;
        } else {
            let (folder, position) = (data.display().to_string(), outcome.position.unwrap_or(0));
            output.line(&format!(
                "{} {} in {}; start with `tacho up`",
                counted(position, "event"),
                if position == 1 { "is" } else { "are" },
                escape(&folder)
            ))?;
        }
        output.flush()?;
        Ok(Ending::Done)
    }
}

/// Free space of the disk that will hold `path`.
pub fn free_bytes(path: &Path) -> Option<u64> {
    let existing = path.ancestors().find(|folder| folder.exists())?;
    let disk = rustix::fs::statvfs(existing).ok()?;
    disk.f_bavail.checked_mul(disk.f_frsize)
}
