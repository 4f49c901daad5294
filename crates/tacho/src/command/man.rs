//! `tacho man`: manual pages.

use super::CommandLine;
use crate::failure::Ending;
use anyhow::{Context, Result};
use clap::{Args, CommandFactory};
use clap_mangen::Man as Page;
use std::io::Write;
use std::path::PathBuf;

/// Print the manual page, or write one for each command into a folder
#[derive(Debug, Args)]
pub struct Man {
    /// The folder, such as ~/.local/share/man/man1
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

impl Man {
    pub fn run(self) -> Result<Ending> {
        match self.folder {
            None => {
                let mut page = Vec::new();
                Page::new(CommandLine::command()).render(&mut page)?;
                std::io::stdout().write_all(&page)?;
            }
            Some(folder) => {
                std::fs::create_dir_all(&folder)
                    .with_context(|| format!("cannot create {}", folder.display()))?;
                clap_mangen::generate_to(CommandLine::command(), &folder)
                    .with_context(|| format!("cannot write into {}", folder.display()))?;
            }
        }
        Ok(Ending::Done)
    }
}
