//! `tacho open`: the dashboard, in a browser that may control what runs.

use crate::failure::{Ending, WrongUsage};
use crate::place::{Place, PlaceArguments};
use crate::terminal::{Output, escape};
use anyhow::{Context, Result};
use clap::Args;
use serde_json::json;
use std::process::{Command, Stdio};

/// Open the dashboard in a browser, which may control handlers from then on
///
/// The address that is opened counts once, for a minute; it gives the browser a cookie.
#[derive(Debug, Args)]
pub struct Open {
    /// The page
    #[arg(value_name = "PATH", default_value = "/")]
    path: String,
    /// Print the address and open nothing
    #[arg(long)]
    print: bool,
    #[command(flatten)]
    place: PlaceArguments,
}

impl Open {
    pub fn run(self) -> Result<Ending> {
        if !self.path.starts_with('/') || self.path.starts_with("//") {
            return Err(
                WrongUsage(format!("{:?} is no page: write a path such as /handlers", self.path)).into()
            );
        }
        let server = Place::find(&self.place)?.controlled()?;
        let ticket = server.post_value("/api/control/tickets", &json!({"path": self.path}))?;
        let path = ticket["path"].as_str().context("the answer has no `path`")?;
        let address = format!("{}{path}", server.server());
        let mut output = Output::stdout();
        if self.print || !open(&address) {
            output.line(&escape(&address))?;
        } else {
            let page = format!("{}{}", server.server(), self.path);
            output.line(&format!(
                "{} opens in the browser; where it does not: `tacho open --print`",
                escape(&page)
            ))?;
        }
        output.flush()?;
        Ok(Ending::Done)
    }
}

/// Whether there is a program that opens it. A browser may stay as long as it is used, so nobody waits for it.
fn open(address: &str) -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let has_screen = cfg!(target_os = "macos") || is_set("DISPLAY") || is_set("WAYLAND_DISPLAY");
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let mut command = Command::new(program);
    command.arg(address).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    has_screen && command.spawn().is_ok()
}
