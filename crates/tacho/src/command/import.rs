//! `tacho import`: what happened before, from files.

mod delivery;
mod recognition;

use crate::config::Config;
use crate::failure::Ending;
use crate::place::{Place, PlaceArguments};
use crate::terminal::{Output, escape};
use anyhow::{Context, Result, bail};
use clap::Args;
use delivery::{Delivery, Tally};
use recognition::Form;
use serde_json::json;
use std::path::{Path, PathBuf};
use tacho_event::Timestamp;
use tacho_ingest::hook::Agent;
use tacho_ingest::import::{Import as Parsed, lines};
use tacho_ingest::transcript::{self, TranscriptInput};
use tacho_ingest::{Door, Redactor, otlp};

/// Largest file, in bytes; it is read whole.
const FILE_BYTES_MAX: u64 = 1 << 30;
/// Deepest folder that is looked into.
const DEPTH_MAX: usize = 16;
/// Lines that were passed over, told for each file.
const TOLD_MAX: usize = 10;

/// Take in events from files: transcripts, exports, logs of events
///
/// Importing twice adds nothing. A folder stands for all files below it that end in .jsonl, .ndjson or .json.
#[derive(Debug, Args)]
pub struct Import {
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// What the files hold [default: recognised by their content]
    #[arg(long = "as", value_enum, value_name = "FORM")]
    form: Option<Form>,
    /// Print a line a file as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: PlaceArguments,
}

impl Import {
    pub fn run(self) -> Result<Ending> {
        let place = Place::find(&self.place)?;
        let redactor = place.config.redactor()?;
        let mut files = Vec::new();
        for file in &self.files {
            collect(file, DEPTH_MAX, true, &mut files)?;
        }
        let mut delivery = Delivery::open(&place)?;
        let mut output = Output::stdout();
        let (mut taken, mut skipped) = (0, 0);
        for file in &files {
            let tally = self.import(file, &place.config, &redactor, &mut delivery)?;
            taken += tally.new + tally.duplicates;
            skipped += tally.skipped;
            if self.json {
                let line = json!({"file": file, "new": tally.new, "duplicates": tally.duplicates, "skipped": tally.skipped});
                output.json(&serde_json::to_vec(&line)?)?;
            } else {
                let (name, Tally { new, duplicates, skipped }) = (file.display().to_string(), tally);
                output.line(&format!(
                    "{}: {new} new, {duplicates} there already, {skipped} skipped",
                    escape(&name)
                ))?;
            }
        }
        output.flush()?;
        delivery.close()?;
        if taken == 0 && skipped > 0 {
            bail!("nothing was taken in: all that was found was skipped; name the files' form with --as");
        }
        Ok(Ending::Done)
    }

    fn import(
        &self,
        file: &Path,
        config: &Config,
        redactor: &Redactor,
        delivery: &mut Delivery,
    ) -> Result<Tally> {
        let metadata = file.metadata().with_context(|| format!("cannot read {}", file.display()))?;
        if metadata.len() > FILE_BYTES_MAX {
            bail!(
                "{} has {} bytes, {FILE_BYTES_MAX} are allowed: split it at a line",
                file.display(),
                metadata.len()
            );
        }
        let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        // Lines without a time get the file's, so that a second import gives the same events.
        let modified = metadata.modified().map_or_else(|_| Timestamp::default(), crate::identity::timestamp);
        let mut door = Door::new(redactor);
        door.limits.event_bytes = config.values.size("server.max_event_bytes");
        let parsed = self.parse(file, &bytes, &door, modified)?;
        for skipped in parsed.skipped.iter().take(TOLD_MAX) {
            let told = format!("{}:{}: skipped: {}", file.display(), skipped.line, skipped.refusal.detail);
            eprintln!("{}", escape(&told));
        }
        let mut tally =
            delivery.send(parsed.events).with_context(|| format!("cannot import {}", file.display()))?;
        tally.skipped += parsed.skipped.len();
        Ok(tally)
    }

    fn parse(&self, file: &Path, bytes: &[u8], door: &Door<'_>, modified: Timestamp) -> Result<Parsed> {
        let recognised = recognition::recognise(bytes);
        let form = self.form.unwrap_or(recognised);
        let is_transcript = matches!(form, Form::ClaudeTranscript | Form::Codex);
        if is_transcript && form != recognised && !bytes.trim_ascii().is_empty() {
            bail!(
                "{} looks like {}, not like {}: leave out --as, or name its form",
                file.display(),
                recognised.words(),
                form.words()
            );
        }
        let session = file.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let transcript = |agent| {
            let input = TranscriptInput { agent, session: session.as_deref(), now: modified, jsonl: bytes };
            transcript::parse(&input, door)
        };
        Ok(match form {
            Form::ClaudeTranscript => transcript(Agent::ClaudeCode),
            Form::Codex => transcript(Agent::Codex),
            Form::Jsonl | Form::Cloudevents => lines(bytes, door, modified),
            Form::Otlp => otlp::import(bytes, door, modified),
            Form::OtlpLogs => otlp::import_protobuf(otlp::Signal::Logs, bytes, door, modified),
            Form::OtlpTraces => otlp::import_protobuf(otlp::Signal::Traces, bytes, door, modified),
            Form::OtlpMetrics => otlp::import_protobuf(otlp::Signal::Metrics, bytes, door, modified),
        })
    }
}

/// The files that a path stands for. What is named is taken; below a folder, what looks like events.
fn collect(path: &Path, depth: usize, is_named: bool, files: &mut Vec<PathBuf>) -> Result<()> {
    let metadata = path.metadata().with_context(|| format!("cannot read {}", path.display()))?;
    if !metadata.is_dir() {
        if is_named || looks_like_events(path) {
            files.push(path.to_owned());
        }
        return Ok(());
    }
    if depth == 0 {
        bail!("{} is too deep: name a folder nearer to it", path.display());
    }
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))? {
        let entry = entry?;
        if !entry.file_type()?.is_symlink() {
            entries.push(entry.path());
        }
    }
    entries.sort();
    entries.iter().try_for_each(|entry| collect(entry, depth - 1, false, files))
}

fn looks_like_events(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let ends = [".jsonl", ".ndjson", ".json"];
    ends.iter().any(|end| name.ends_with(end)) && !name.ends_with(".meta.json")
}
