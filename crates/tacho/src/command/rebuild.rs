//! `tacho rebuild`: the read side is dropped and folded anew.

use crate::client::{Client, ClientError};
use crate::failure::Ending;
use crate::log::Folder;
use crate::place::{Place, PlaceArguments};
use crate::terminal::{Output, Progress, counted};
use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::{Value, json};
use std::path::Path;
use tacho_event::Code;

/// Drop the read side and fold it from the log again
#[derive(Debug, Args)]
pub struct Rebuild {
    /// Print the outcome as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: PlaceArguments,
}

impl Rebuild {
    pub fn run(self) -> Result<Ending> {
        let place = Place::find(&self.place)?;
        let progress = Progress::spinner("folding the log");
        let events = if place.writes_to_server()? {
            rebuild_at(&place.client)?
        } else {
            let view = place.data.join("view");
            if !crate::data_folder::holds_log(&place.data) {
                bail!("there is no log in {}: name its folder with --data", place.data.display());
            }
            // A read side that cannot be opened is a reason to be here, so the log's holder is asked for instead.
            place.refuse_held()?;
            remove(&view)?;
            Folder::open(&place)?.head()
        };
        drop(progress);
        let mut output = Output::stdout();
        if self.json {
            output.json(&serde_json::to_vec(&json!({"rebuilt": true, "position": events}))?)?;
        } else {
            output.line(&format!("the read side was folded anew from {}", counted(events, "event")))?;
        }
        output.flush()?;
        Ok(Ending::Done)
    }
}

/// Answers the position up to which the log is folded anew. The server answers when it is done, or that its read side is behind while it still works.
fn rebuild_at(client: &Client) -> Result<u64> {
    let mut answer = client.post("/api/admin/rebuild", &[], b"");
    loop {
        match answer {
            Err(ClientError::Refused(problem)) if problem.code == Code::ViewBehind.as_str() => {
                // Each of these waits a few seconds itself.
                answer = client.get("/api/events?limit=1");
            }
            other => {
                let answer: Value =
                    serde_json::from_slice(&other?).context("the server's answer cannot be read")?;
                return answer["position"].as_u64().context("the server's answer names no position");
            }
        }
    }
}

fn remove(folder: &Path) -> Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}
