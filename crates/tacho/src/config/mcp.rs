//! `[[mcp]]`: servers whose tools are there for whoever needs them.

use super::handler::fields::{Fields, Keys};
use super::handler::open::told;
use super::handler::run::{Run, command};
use super::handler::{digest, version};
use anyhow::{Context, Result, ensure};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tacho_connector::{HandlerSettings, HandlerSurroundings, SettingsError, check_handler, list_tools};
use tacho_engine::delivery::{Failure, check_name};
use tacho_engine::registry::{EntryOrigin, Member, Offer};

/// The list's name in the file.
pub const TABLE: &str = "mcp";
/// How long a server may take to answer when it is asked for its tools.
const PATIENCE: Duration = Duration::from_secs(30);

/// A key, and what it does.
pub const KEYS: Keys = &[
    ("name", "Names it in the registry: small letters, digits, `.`, `_`, `-`."),
    (
        "command",
        "The program and its arguments, as a list; it is spoken to over its standard input and output.",
    ),
    ("url", "In the place of `command`: where it is (streamable HTTP)."),
    ("version", "Its version, such as `\"1.2.0\"`."),
    ("directory", "The folder in which the program runs; the server's without it."),
    (
        "environment",
        "Names of variables that it gets from the server's environment, beside PATH, HOME, LANG, LC_ALL, TZ, TMPDIR, USER and SHELL.",
    ),
    ("variables", "Variables that it gets as they stand here: names and values. No place for a secret."),
    ("output", "Most bytes that it may answer. Default 4 MiB."),
    ("memory", "Most address space that it may have; not bounded without it."),
];

/// A server as it is configured.
#[derive(Debug, Clone)]
pub struct ToolServer {
    pub name: String,
    /// As a handler that calls a tool of it, which is not named yet.
    pub run: Run,
    pub version: Option<String>,
    /// SHA-256 of what the file says of it, in hexadecimal digits.
    pub digest: String,
    /// Whether it was found in the working folder, so that its program runs only when the file is trusted.
    pub needs_trust: bool,
    /// Whether it is of the user's own file.
    pub is_users: bool,
}

/// Reads one item of the list; `others` are those before it.
pub fn read(item: &toml::Value, others: &[ToolServer]) -> Result<ToolServer> {
    let table = item.as_table().context("write [[mcp]] above each server")?;
    let fields = Fields::of_item(table, KEYS)?;
    let name = fields.need_text("name").context("[[mcp]]")?;
    check_name(&name)?;
    ensure!(others.iter().all(|other| other.name != name), "two tool servers are named {name:?}");
    let server = ToolServer {
        run: run(&fields).with_context(|| format!("tool server `{name}`"))?,
        version: version(&fields).with_context(|| format!("tool server `{name}`"))?,
        digest: digest(item)?,
        name,
        needs_trust: false,
        is_users: false,
    };
    Ok(server)
}

fn run(fields: &Fields<'_>) -> Result<Run> {
    let (mcp, url) = (command(fields, "command")?, fields.text("url")?);
    ensure!(mcp.is_empty() || url.is_none(), "it has `command` and `url`: write one of them");
    ensure!(!mcp.is_empty() || url.is_some(), "it does nothing: write `command` or `url`");
    let settings = HandlerSettings {
        mcp,
        url,
        directory: fields.text("directory")?.map(PathBuf::from),
        environment: fields.list("environment")?,
        variables: fields.pairs("variables")?,
        output_bytes: fields.bytes("output")?.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX)),
        memory_bytes: fields.bytes("memory")?,
        ..HandlerSettings::default()
    };
    check_handler(&of_tool(&settings, "any")).map_err(told)?;
    Ok(Run { settings, ..Run::default() })
}

impl ToolServer {
    /// As the registry takes it; starts nothing yet.
    pub fn member(&self, surroundings: &HandlerSurroundings) -> Member {
        Member {
            id: self.name.clone(),
            origin: EntryOrigin::Configuration,
            run: if self.run.settings.url.is_some() { self.run.told() } else { TABLE.to_owned() },
            capabilities: Vec::new(),
            version: self.version.clone(),
            digest: self.digest.clone(),
            definition: None,
            offer: Some(offer(self.run.settings.clone(), Vec::new(), surroundings)),
            trouble: None,
            registration: None,
        }
    }
}

/// The tools of a server, only those of the list where that names some.
pub fn offer(settings: HandlerSettings, only: Vec<String>, surroundings: &HandlerSurroundings) -> Offer {
    let (asked, around) = (settings.clone(), surroundings.clone());
    let list = move || {
        let tools = list_tools(&asked, &around, PATIENCE)?;
        let names = tools.into_iter().map(|tool| tool.name);
        Ok(names.filter(|name| only.is_empty() || only.contains(name)).collect())
    };
    let around = surroundings.clone();
    let open = move |tool: &str| {
        let settings = of_tool(&settings, tool);
        let refused = |error: SettingsError| Failure::retry("bad_settings", error.to_string());
        let kind = check_handler(&settings).map_err(refused)?;
        (kind.open)(&settings, &around).map_err(refused)
    };
    Offer { list: Some(Arc::new(list)), open: Arc::new(open) }
}

fn of_tool(settings: &HandlerSettings, tool: &str) -> HandlerSettings {
    HandlerSettings { tool: Some(tool.to_owned()), ..settings.clone() }
}
