//! Who registers themselves: a web address or an MCP server at one, never a program.

use super::registry::of_handler;
use crate::config::handler::{self, hexadecimal};
use crate::config::tool_offer;
use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};
use std::net::IpAddr;
use std::sync::Arc;
use tacho_connector::{HandlerSettings, HandlerSurroundings};
use tacho_engine::Engine;
use tacho_engine::registry::{EntryOrigin, Member, Offer, Registration, RegistrationKind};
use ureq::http::Uri;

/// Most capabilities of one, and the longest, in bytes.
const CAPABILITIES_MAX: usize = 256;
const CAPABILITY_BYTES_MAX: usize = 128;

/// Makes it ready; connects to nothing yet.
pub fn open(
    registration: &Registration,
    engine: &Engine,
    surroundings: &HandlerSurroundings,
) -> Result<Member> {
    check(registration)?;
    let handler = handler::read(&toml::Value::Table(item(registration)?), &[])?;
    let member = of_handler(&handler, EntryOrigin::Http, engine, surroundings)?;
    let workers = member.definition.as_ref().map(|definition| definition.workers.clone());
    let offer = match (registration.kind, workers) {
        (RegistrationKind::Mcp, _) => {
            let settings =
                HandlerSettings { url: Some(registration.url.clone()), ..HandlerSettings::default() };
            Some(tool_offer(settings, registration.capabilities.clone(), surroundings))
        }
        // With a subscription it is a handler, whose capabilities are asked for as a handler's.
        (RegistrationKind::Http, Some(workers)) if registration.on.is_none() => {
            Some(Offer { list: None, open: Arc::new(move |_: &str| Ok(workers.clone())) })
        }
        (RegistrationKind::Http, _) => None,
    };
    let mut definition = member.definition.filter(|_| registration.on.is_some());
    if let (Some(definition), RegistrationKind::Mcp) = (&mut definition, registration.kind) {
        definition.capabilities.clear();
    }
    let digest = hexadecimal(&Sha256::digest(registration.to_json().to_string()));
    Ok(Member { definition, offer, digest, ..member })
}

fn check(registration: &Registration) -> Result<()> {
    let url: Uri = registration.url.parse().ok().context("`url` is no URL")?;
    let host = url.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let is_loopback =
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    match url.scheme_str() {
        Some("https") if !host.is_empty() => {}
        Some("http") if is_loopback => {}
        _ => {
            bail!("`url`: write https://…, or http:// of this machine, such as http://127.0.0.1:8080/handle")
        }
    }
    let has_user = url.authority().is_some_and(|authority| authority.as_str().contains('@'));
    ensure!(
        !has_user && url.query().is_none(),
        "`url` has a user or a query: what registers itself stands on the log, so no secret may be in it"
    );
    let capabilities = &registration.capabilities;
    let is_word = |word: &String| (1..=CAPABILITY_BYTES_MAX).contains(&word.len());
    ensure!(
        capabilities.len() <= CAPABILITIES_MAX && capabilities.iter().all(is_word),
        "`capabilities`: at most {CAPABILITIES_MAX} texts of 1 to {CAPABILITY_BYTES_MAX} bytes"
    );
    let (has_on, has_tool) = (registration.on.is_some(), registration.tool.is_some());
    match registration.kind {
        RegistrationKind::Http => {
            ensure!(!has_tool, "`tool` is of the kind mcp");
            ensure!(has_on || !capabilities.is_empty(), "it gets nothing: send `on`, `capabilities` or both");
        }
        RegistrationKind::Mcp => {
            ensure!(has_on == has_tool, "`on` and `tool` go together: send both or none")
        }
    }
    Ok(())
}

/// As the configuration would have it.
fn item(registration: &Registration) -> Result<toml::Table> {
    let mut run = toml::Table::new();
    run.insert("url".to_owned(), registration.url.clone().into());
    if registration.kind == RegistrationKind::Mcp {
        run.insert("tool".to_owned(), registration.tool.clone().unwrap_or_else(|| "any".to_owned()).into());
    }
    let on = match &registration.on {
        Some(on) => toml::Value::try_from(on).context("`on` is no condition")?,
        // Of no event; it is not started.
        None => "-".into(),
    };
    let mut item = toml::Table::new();
    item.insert("name".to_owned(), registration.id.clone().into());
    item.insert("on".to_owned(), on);
    item.insert("run".to_owned(), run.into());
    let capabilities = registration.capabilities.iter().map(|word| toml::Value::from(word.clone()));
    item.insert("capabilities".to_owned(), capabilities.collect::<Vec<_>>().into());
    if let Some(version) = &registration.version {
        item.insert("version".to_owned(), version.clone().into());
    }
    Ok(item)
}
