//! `tacho openapi`: the document of the HTTP interface, as it is checked in.

use crate::failure::Ending;
use anyhow::Result;
use clap::Args;
use std::io::Write;

/// Print the OpenAPI document
#[derive(Debug, Args)]
#[command(hide = true)]
pub struct Openapi {}

impl Openapi {
    pub fn run(self) -> Result<Ending> {
        let mut stdout = std::io::stdout();
        stdout.write_all(tacho_server::openapi_document().as_bytes())?;
        stdout.write_all(b"\n")?;
        Ok(Ending::Done)
    }
}
