//! `tacho schema check`: whether payloads fit.

use super::known::Known;
use crate::failure::Ending;
use crate::place::{Place, PlaceArguments};
use crate::terminal::{Output, escape};
use anyhow::{Context, Result};
use clap::Args;
use serde_json::json;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use tacho_event::json::{self as text, DEFAULT_DEPTH};

/// Longest line, in bytes.
const LINE_BYTES_MAX: u64 = 64 << 20;

/// Check payloads, or whole events, against their schemas
///
/// Exits with 3 when one does not fit.
#[derive(Debug, Args)]
pub struct Check {
    /// JSON, a document a line; `-` is standard input
    #[arg(value_name = "FILE", default_value = "-")]
    file: PathBuf,
    /// The lines are payloads of this type [default: they are CloudEvents]
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,
    /// Print a line a document as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: PlaceArguments,
}

impl Check {
    pub fn run(self) -> Result<Ending> {
        let place = Place::find(&self.place)?;
        let known = Known::read(&place)?;
        let source: Box<dyn Read> = match self.file.to_str() {
            Some("-") => Box::new(std::io::stdin()),
            _ => Box::new(
                std::fs::File::open(&self.file)
                    .with_context(|| format!("cannot open {}", self.file.display()))?,
            ),
        };
        let mut reader = BufReader::new(source);
        let mut output = Output::stdout();
        let (mut is_wanting, mut number, mut line) = (false, 0, Vec::new());
        loop {
            line.clear();
            if reader.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line)? == 0 {
                break;
            }
            number += 1;
            if line.trim_ascii().is_empty() {
                continue;
            }
            let wrong = self.wrong(&line, &known);
            is_wanting |= !wrong.is_empty();
            if self.json {
                let told = json!({"line": number, "fits": wrong.is_empty(), "violations": wrong});
                output.json(&serde_json::to_vec(&told)?)?;
            }
            for violation in wrong.iter().filter(|_| !self.json) {
                output.line(&format!("line {number}: {}", escape(violation)))?;
            }
        }
        output.flush()?;
        Ok(if is_wanting { Ending::Wanting } else { Ending::Done })
    }

    fn wrong(&self, line: &[u8], known: &Known<'_>) -> Vec<String> {
        let mut document = Vec::with_capacity(line.len());
        if let Err(error) = text::minify(line, DEFAULT_DEPTH, &mut document) {
            return vec![format!("no JSON: {error}")];
        }
        let (kind, data) = match &self.kind {
            Some(kind) => (kind.clone(), Some(document.as_slice())),
            None => {
                let kind = text::member(&document, "type").map(|kind| text::text(kind).into_owned());
                let Some(kind) = kind else {
                    return vec!["it has no `type`: name one with --type".to_owned()];
                };
                (kind, text::member(&document, "data"))
            }
        };
        match known.registry.validate(&kind, None, data) {
            Ok(_) => Vec::new(),
            Err(violations) => vec![violations.to_string()],
        }
    }
}
