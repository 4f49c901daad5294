//! `tacho schema register`.

use super::known::Known;
use crate::failure::{Ending, WrongUsage};
use crate::place::{Place, PlaceArguments};
use crate::terminal::{Output, escape};
use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use tacho_event::schema::{MAX_SCHEMA_BYTES, Registration, Version};

/// Register the JSON Schema (2020-12) of a type's payload
#[derive(Debug, Args)]
pub struct Register {
    /// A JSON Schema
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The event type, or a pattern such as tool.*.completed
    #[arg(long = "type", value_name = "TYPE")]
    kind: String,
    /// The version [default: 1.0.0, else the next one that the change asks for]
    #[arg(long = "version", value_name = "VERSION")]
    version: Option<Version>,
    /// What it means that such an event happened
    #[arg(long, value_name = "TEXT", default_value = "")]
    meaning: String,
    /// How payloads of the version before become those of this one: a file of steps as a JSON list, such as
    /// [{"rename":"n","to":"count"},{"convert":"count","to":"string"},{"default":"unit","value":"piece"},{"remove":"old"}]
    #[arg(long, value_name = "FILE")]
    upcast: Option<PathBuf>,
    /// Print the outcome as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: PlaceArguments,
}

impl Register {
    pub fn run(self) -> Result<Ending> {
        let place = Place::find(&self.place)?;
        let schema = minified(&self.file)?;
        let mut known = Known::read(&place)?;
        let next = known.registry.next_version(&self.kind, &schema);
        let latest = known.registry.find(&self.kind, None).map(|known| known.registration.version.clone());
        let version = self.version.clone().or(next).or(latest).unwrap_or(Version::new(1, 0, 0));
        let registration = Registration {
            kind: self.kind.clone(),
            version: version.clone(),
            schema: schema.into(),
            meaning: self.meaning.clone(),
            severity: None,
            declared_by: None,
            example: None,
            upcast: self.upcast.as_deref().map(minified).transpose()?.map(Into::into),
        };
        let position = known.register(registration)?;
        print(&self.kind, &version, position, self.json)?;
        Ok(Ending::Done)
    }
}

/// Tells where a schema was registered; without a position it was there already.
pub fn print(kind: &str, version: &Version, position: Option<u64>, as_json: bool) -> Result<()> {
    let mut output = Output::stdout();
    if as_json {
        let line: Value = json!({"type": kind, "version": version.to_string(), "position": position, "registered": position.is_some()});
        output.json(&serde_json::to_vec(&line)?)?;
    } else {
        let outcome = match position {
            Some(position) => format!("registered at position {position}"),
            None => "was registered already".to_owned(),
        };
        output.line(&format!("{} {version} {outcome}", escape(kind)))?;
    }
    Ok(output.flush()?)
}

fn minified(file: &Path) -> Result<Vec<u8>> {
    let text = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    if text.len() > MAX_SCHEMA_BYTES {
        bail!("{} has {} bytes, a schema has at most {MAX_SCHEMA_BYTES}", file.display(), text.len());
    }
    let mut minified = Vec::with_capacity(text.len());
    tacho_event::json::minify(&text, tacho_event::json::DEFAULT_DEPTH, &mut minified)
        .map_err(|error| WrongUsage(format!("{} is no JSON: {error}", file.display())))?;
    Ok(minified)
}
