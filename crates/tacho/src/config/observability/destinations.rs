//! `destinations`: where events go, as sinks.

use super::Project;
use super::fields::{Fields, Known};
use crate::config::setting::{self, Kind};
use crate::config::sink::{self, Sink};
use crate::config::values::{Origin, Value};
use crate::config::yaml::{Document, Node};
use anyhow::Result;
use std::net::SocketAddr;
use std::path::{Component, Path};

pub const KEYS: &Known = &[
    ("type", "`console`, `file`, `websocket` or `redis`."),
    ("enabled", "`false` leaves it out."),
    ("on", "The types that it gets, a list of patterns; all without it."),
    ("level", "For `console`: `info` (everything), `warning` or `error`, by the events' `severity`."),
    ("path", "For `file`: the file, below the folder of the project."),
    ("url", "For `websocket` and `redis`."),
    ("secret_env", "For `redis`: the environment variable that holds the password."),
    ("secret_file", "For `redis`: the file whose first line is the password."),
];
const TYPES: [&str; 4] = ["console", "file", "websocket", "redis"];
const FILE: &str = "logs/agent-events.jsonl";
const REDIS: &str = "redis://127.0.0.1:6379";
/// Where a WebSocket upgrade is the live stream.
const SOCKETS: [&str; 4] = ["", "/", "/ws", "/agent-events"];

pub fn read(document: &Document<'_>, node: &Node, project: &mut Project) -> Result<()> {
    let fields = Fields::read(document, node, KEYS, &mut project.warnings)?;
    let kind = fields.need("type")?;
    if !TYPES.contains(&kind) {
        let told = crate::config::file::unknown("destination", kind, TYPES.into_iter());
        return Err(document.refuse(fields.get("type").unwrap_or(node), told));
    }
    if !fields.is_enabled()? {
        return Ok(());
    }
    if kind == "websocket" {
        return socket(&fields, project);
    }
    let sink = match kind {
        "file" => file(&fields)?,
        "redis" => redis(&fields)?,
        _ => console(&fields)?,
    };
    let sink = add_filter(&fields, sink)?;
    add(&fields, &format!("observability-{kind}"), sink, project)
}

/// Adds a sink; a second one of the name gets a number.
pub fn add(fields: &Fields<'_>, name: &str, mut item: toml::Table, project: &mut Project) -> Result<()> {
    let sinks = &project.rules.sinks;
    let count = sinks.iter().filter(|sink| sink.name.starts_with(name)).count();
    let name = if count == 0 { name.to_owned() } else { format!("{name}-{}", count + 1) };
    item.insert("name".to_owned(), name.clone().into());
    // A URL may hold a secret; a path does not.
    let told = match item.get("path") {
        Some(path) => format!("{} {path}", text(&item, "kind")),
        None => text(&item, "kind"),
    };
    let sink: Sink = sink::read(&item.into(), sinks)
        .map_err(|error| fields.document.refuse(fields.node, format!("{error:#}")))?;
    project.rules.sinks.push(sink);
    project.bring(fields.node, format!("sink.{name}"), told);
    Ok(())
}

fn text(item: &toml::Table, key: &str) -> String {
    item.get(key).and_then(toml::Value::as_str).unwrap_or_default().to_owned()
}

pub fn table<const N: usize>(entries: [(&str, &str); N]) -> toml::Table {
    entries.into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect()
}

fn console(fields: &Fields<'_>) -> Result<toml::Table> {
    let condition = match fields.text("level")? {
        None | Some("debug" | "info") => return Ok(table([("kind", "console")])),
        Some("warning" | "warn") => ".severity == \"warning\" or .severity == \"error\"",
        Some("error") => ".severity == \"error\"",
        Some(other) => {
            let node = fields.get("level").unwrap_or(fields.node);
            let told = format!("there is no level {other:?}; known are info, warning, error");
            return Err(fields.document.refuse(node, told));
        }
    };
    let mut item = table([("kind", "console")]);
    item.insert("on".to_owned(), table([("where", condition)]).into());
    Ok(item)
}

/// The file may come with a project that somebody else wrote: it writes nowhere else.
fn file(fields: &Fields<'_>) -> Result<toml::Table> {
    let path = fields.text("path")?.unwrap_or(FILE);
    if !is_below_here(Path::new(path)) {
        let told = format!(
            "`path`: {path:?} is not below this folder: write it as a [[sink]] of kind \"jsonl\" in tacho.toml"
        );
        return Err(fields.document.refuse(fields.get("path").unwrap_or(fields.node), told));
    }
    Ok(table([("kind", "jsonl"), ("path", path)]))
}

/// Links lead no way out either.
fn is_below_here(path: &Path) -> bool {
    let is_below = |part| matches!(part, Component::Normal(_) | Component::CurDir);
    let here = std::path::absolute(".").and_then(|here| here.canonicalize());
    let there = path.ancestors().find(|part| part.symlink_metadata().is_ok()).unwrap_or(Path::new("."));
    let there = if there.as_os_str().is_empty() { Path::new(".") } else { there };
    let stays = matches!((here, there.canonicalize()), (Ok(here), Ok(there)) if there.starts_with(&here));
    path.components().all(is_below) && stays
}

/// A password of this machine goes to no other one because a project says so.
fn redis(fields: &Fields<'_>) -> Result<toml::Table> {
    let url = fields.text("url")?.unwrap_or(REDIS);
    let mut item = table([("kind", "redis"), ("url", url)]);
    add_secret(fields, &mut item)?;
    let host = url.trim_start_matches("redis://");
    let is_near = ["localhost", "127.0.0.1", "[::1]"].iter().any(|near| {
        host.strip_prefix(near).is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/']))
    });
    if !is_near && (item.contains_key("secret_env") || item.contains_key("secret_file")) {
        let told = "a secret for another machine: write it as a [[sink]] of kind \"redis\" in tacho.toml";
        return Err(fields.document.refuse(fields.get("url").unwrap_or(fields.node), told));
    }
    Ok(item)
}

/// Where the secret is, when it is somewhere.
pub fn add_secret(fields: &Fields<'_>, item: &mut toml::Table) -> Result<()> {
    for key in ["secret_env", "secret_file"] {
        if let Some(place) = fields.text(key)? {
            item.insert(key.to_owned(), place.into());
        }
    }
    Ok(())
}

fn add_filter(fields: &Fields<'_>, mut item: toml::Table) -> Result<toml::Table> {
    let types: Vec<toml::Value> =
        fields.texts("on")?.into_iter().map(|(_, pattern)| pattern.into()).collect();
    if !types.is_empty() {
        let on = item.entry("on").or_insert_with(|| toml::Table::new().into());
        if let Some(on) = on.as_table_mut() {
            on.insert("type".to_owned(), types.into());
        }
    }
    Ok(item)
}

/// The server is the WebSocket: a URL says on which port of loopback people look for it.
fn socket(fields: &Fields<'_>, project: &mut Project) -> Result<()> {
    let Some(url) = fields.text("url")? else { return Ok(()) };
    let (document, node) = (fields.document, fields.get("url").unwrap_or(fields.node));
    let Some(rest) = url.strip_prefix("ws://") else {
        return Err(document.refuse(node, "`url`: write one such as ws://localhost:3010/agent-events"));
    };
    let (host, path) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
    if !SOCKETS.contains(&path) {
        let told = format!("`url`: nothing answers at {path:?}; the live stream is at /, /ws, /agent-events");
        project.warnings.push(document.say(node, told));
    }
    let listen = Value::parse(Kind::Address, host);
    let address: Option<SocketAddr> = match &listen {
        Ok(Value::Text(text)) => text.parse().ok(),
        _ => None,
    };
    match (address, listen, setting::find("server.listen")) {
        (Some(address), Ok(value), Some(setting)) if address.ip().is_loopback() => {
            if value != Value::parse(setting.kind, setting.default)? {
                let origin = Origin::File(document.path.to_owned(), node.line);
                project.listen = Some((setting, value, origin));
            }
        }
        _ => {
            let told = format!(
                "`url`: the server is not made to listen on {host:?}: say so with server.listen in tacho.toml"
            );
            project.warnings.push(document.say(node, told));
        }
    }
    project.bring(fields.node, "websocket".to_owned(), "served at /ws".to_owned());
    Ok(())
}
