//! `[[handler]]`: what answers events.

pub(super) mod fields;
mod keys;
pub(super) mod open;
mod policy;
pub(super) mod run;

pub use keys::KEYS;

use super::selection;
use anyhow::{Context, Result, ensure};
use fields::Fields;
use run::Run;
use sha2::{Digest, Sha256};
use std::fmt::Write;
use tacho_engine::delivery::check_name;
use tacho_engine::handler::Policy;
use tacho_event::Filter;
use tacho_event::schema::Version;

/// The list's name in the file.
pub const TABLE: &str = "handler";

/// A handler as it is configured.
#[derive(Debug, Clone)]
pub struct Handler {
    pub name: String,
    pub filter: Filter,
    pub policy: Policy,
    pub run: Run,
    pub capabilities: Vec<String>,
    pub version: Option<String>,
    /// SHA-256 of what the file says of it, in hexadecimal digits.
    pub digest: String,
    /// Whether it was found in the working folder, so that its program runs only when the file is trusted.
    pub needs_trust: bool,
    /// Whether it is of the user's own file.
    pub is_users: bool,
}

/// Reads one item of the list; `others` are those before it.
pub fn read(item: &toml::Value, others: &[Handler]) -> Result<Handler> {
    let table = item.as_table().context("write [[handler]] above each handler")?;
    let fields = Fields::of_item(table, KEYS)?;
    let name = fields.need_text("name").context("[[handler]]")?;
    check_name(&name)?;
    ensure!(others.iter().all(|other| other.name != name), "two handlers are named {name:?}");
    let digest = digest(item)?;
    read_named(&name, &fields, digest).with_context(|| format!("handler `{name}`"))
}

fn read_named(name: &str, fields: &Fields<'_>, digest: String) -> Result<Handler> {
    let on = fields.get("on").context("`on` is missing: say what it gets, such as on = \"claude.*\"")?;
    let run = fields.inner("run")?.context("`run` is missing: say what it does")?;
    let version = version(fields)?;
    Ok(Handler {
        name: name.to_owned(),
        filter: selection::filter(on)?,
        policy: policy::read(fields)?,
        run: Run::read(&run)?,
        capabilities: fields.list("capabilities")?,
        version,
        digest,
        needs_trust: false,
        is_users: false,
    })
}

/// A semantic version.
pub(super) fn version(fields: &Fields<'_>) -> Result<Option<String>> {
    let version = fields.text("version")?;
    if let Some(version) = &version {
        let parsed = version.parse::<Version>();
        parsed.with_context(|| format!("`version` is {version:?}, write one such as \"1.2.0\""))?;
    }
    Ok(version)
}

/// The same for the same keys and values, however they are written.
pub(super) fn digest(item: &toml::Value) -> Result<String> {
    let text = serde_json::to_vec(item).context("the handler cannot be written as JSON")?;
    Ok(hexadecimal(&Sha256::digest(text)))
}

pub fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests;
