//! `run`: what a handler does with its events.

use super::fields::Fields;
use crate::config::secret::SecretPlace;
use anyhow::{Context, Result, bail, ensure};
use std::path::PathBuf;
use tacho_connector::{Emit, HandlerSettings, Recycle};
use tacho_engine::registry::Split;
use tacho_event::schema::Version;
use ureq::http::Uri;

/// What is run by `mode = "agent"` where no command is named.
const AGENT: &str = "claude";
const MODES: [&str; 3] = ["process", "warm", "agent"];
/// The keys of which a handler has one: they say what kind it is.
const DEEDS: [&str; 5] = ["command", "url", "mcp", "emit", "capability"];

/// The table, read.
#[derive(Debug, Clone, Default)]
pub struct Run {
    /// As a kind takes it, but for the secret, which is read when it is opened.
    pub settings: HandlerSettings,
    pub secret: Option<SecretPlace>,
    pub split: Split,
}

impl Run {
    pub fn read(fields: &Fields<'_>) -> Result<Self> {
        let recycle = fields.inner("recycle")?.map(|fields| recycle(&fields)).transpose()?;
        let secret = match (fields.text("secret_env")?, fields.text("secret_file")?) {
            (Some(_), Some(_)) => bail!("`run` has `secret_env` and `secret_file`: write one of them"),
            (Some(name), None) => Some(SecretPlace::Variable(name)),
            (None, file) => file.map(SecretPlace::File),
        };
        let settings = HandlerSettings {
            command: command(fields, "command")?,
            mode: fields.one_of("mode", &MODES)?,
            directory: fields.text("directory")?.map(PathBuf::from),
            environment: fields.list("environment")?,
            variables: fields.pairs("variables")?,
            output_bytes: fields.bytes("output")?.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX)),
            memory_bytes: fields.bytes("memory")?,
            recycle: recycle.unwrap_or_default(),
            health_ms: fields.duration("health")?,
            prompt: fields.text("prompt")?,
            returns: fields.text("returns")?,
            session: fields.one_of("session", &["worker", "stream"])?,
            url: fields.text("url")?,
            secret: None,
            mcp: command(fields, "mcp")?,
            tool: fields.text("tool")?,
            arguments: fields.program("arguments")?,
            emit: fields.inner("emit")?.map(|fields| emit(&fields)).transpose()?,
            capability: fields.text("capability")?,
        };
        let run = Self { settings, secret, split: split(fields)? };
        run.check(fields)?;
        run.check_kind()?;
        Ok(run)
    }

    /// What it is: `process`, `warm`, `agent`, `http`, `mcp`, `emit` or `capability`.
    pub fn kind(&self) -> &'static str {
        let mode = MODES.into_iter().find(|mode| self.settings.mode.as_deref() == Some(mode));
        match mode {
            _ if self.settings.emit.is_some() => "emit",
            _ if self.settings.capability.is_some() => "capability",
            _ if self.settings.tool.is_some() => "mcp",
            _ if self.settings.url.is_some() => "http",
            mode => mode.unwrap_or("process"),
        }
    }

    /// The program that it starts, with its arguments; who writes one here decides what runs on this machine.
    pub fn program(&self) -> Option<String> {
        let words =
            if self.settings.command.is_empty() { &self.settings.mcp } else { &self.settings.command };
        match shlex::try_join(words.iter().map(String::as_str)) {
            _ if words.is_empty() => (self.kind() == "agent").then(|| AGENT.to_owned()),
            Ok(line) => Some(line),
            // A word with a zero byte starts nothing, but it is shown.
            Err(_) => Some(format!("{words:?}")),
        }
    }

    /// What it is, for people: its kind, or the host that it asks.
    pub fn told(&self) -> String {
        let host =
            self.settings.url.as_ref().and_then(|url| Some(url.parse::<Uri>().ok()?.host()?.to_owned()));
        host.unwrap_or_else(|| self.kind().to_owned())
    }

    /// One thing is done, and it is clear which.
    fn check(&self, fields: &Fields<'_>) -> Result<()> {
        let mut deeds = DEEDS.into_iter().filter(|key| fields.get(key).is_some());
        match (deeds.next(), deeds.next()) {
            (Some(one), Some(other)) => {
                bail!("`run` has `{one}` and `{other}`: write one of them, and another handler for the other")
            }
            (None, _) if self.kind() != "agent" => {
                bail!("`run` does nothing: write one of {}", DEEDS.map(|key| format!("`{key}`")).join(", "))
            }
            _ => {}
        }
        let is_of_mcp = !self.settings.mcp.is_empty()
            || (self.settings.url.is_some() && self.settings.command.is_empty());
        ensure!(
            self.settings.mcp.is_empty() || self.settings.tool.is_some(),
            "`run.tool` is missing: name the tool that is called"
        );
        ensure!(
            self.settings.tool.is_none() || is_of_mcp,
            "`run.tool` needs its server: write `run.mcp` or `run.url`"
        );
        let has_command = !self.settings.command.is_empty() || self.kind() == "agent";
        ensure!(self.settings.mode.is_none() || has_command, "`run.mode` needs a `run.command`");
        let has_split = !self.split.0.is_empty();
        ensure!(!has_split || self.settings.capability.is_some(), "`run.split` needs a `run.capability`");
        Ok(())
    }
}

pub fn command(fields: &Fields<'_>, name: &str) -> Result<Vec<String>> {
    let words = fields.list(name)?;
    let is_named = words.first().is_some_and(|program| !program.is_empty());
    ensure!(is_named || fields.get(name).is_none(), "`{}` names no program", fields.name(name));
    Ok(words)
}

/// The parts that versions get.
fn split(fields: &Fields<'_>) -> Result<Split> {
    let Some(value) = fields.get("split") else { return Ok(Split::default()) };
    let table = value.as_table().filter(|table| !table.is_empty());
    let table = table.context("`run.split`: write a part for each version, such as { \"1.2.0\" = 90 }")?;
    let mut parts = Vec::with_capacity(table.len());
    for (version, part) in table {
        let is_version = version.parse::<Version>().is_ok();
        ensure!(is_version, "`run.split` names {version:?}, write a version such as \"1.2.0\"");
        let number = part.as_integer().and_then(|part| u32::try_from(part).ok());
        let number =
            number.with_context(|| format!("`run.split`: the part of {version} is no whole number"))?;
        parts.push((version.clone(), number));
    }
    ensure!(parts.iter().any(|(_, part)| *part > 0), "`run.split`: every part is 0");
    Ok(Split(parts))
}

fn recycle(fields: &Fields<'_>) -> Result<Recycle> {
    Ok(Recycle {
        events: fields.count("events")?,
        age_ms: fields.duration("age")?,
        memory_bytes: fields.bytes("memory")?,
    })
}

fn emit(fields: &Fields<'_>) -> Result<Emit> {
    let kind = fields.text("type")?.context("`run.emit.type` is missing")?;
    Ok(Emit { kind, subject: fields.program("subject")?, data: fields.program("data")? })
}
