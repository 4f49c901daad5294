//! `[[projection]]`: states of one's own, each a jq program in a file.

use super::rule::read_one;
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::path::Path;
use std::sync::Arc;
use tacho_engine::Program;
use tacho_event::{Jq, JqKind};

/// The list's name in the file.
pub const TABLE: &str = "projection";

/// Keys, and what they do, for the reference page.
pub const KEYS: &[(&str, &str)] = &[
    ("name", "What it is asked for by; it may take the place of a built-in one."),
    (
        "file",
        "The jq program, at most 4 KiB; beside the configuration's file. `.` is the state, `{}` at first, `$event` the event as a CloudEvent; it answers the state behind the event.",
    ),
    ("category", "Streams whose state it is unless another is asked for, such as `issue`."),
    ("meaning", "What it tells, in a line."),
];

#[derive(Deserialize)]
struct Item {
    name: String,
    file: String,
    category: Option<String>,
    meaning: Option<String>,
}

/// One item of `[[projection]]`; `folder` is the one of the configuration's file.
pub fn read(item: &toml::Value, folder: &Path, others: &[Arc<Program>]) -> Result<Arc<Program>> {
    let item: Item = read_one(TABLE, item, KEYS)?;
    let named = item.name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if item.name.is_empty() || !named {
        bail!("[[projection]]: {:?} is no name: use letters, digits, `-`, `_` and `.`", item.name);
    }
    if others.iter().any(|other| other.name == item.name) {
        bail!("[[projection]]: there are two named {:?}", item.name);
    }
    let path = folder.join(&item.file);
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("[[projection]] {}: cannot read {}", item.name, path.display()))?;
    let jq = Jq::compile_as(&text, JqKind::Fold)
        .with_context(|| format!("[[projection]] {}: {}", item.name, path.display()))?;
    let meaning = item.meaning.unwrap_or_else(|| format!("The program in {}.", item.file));
    Ok(Arc::new(Program { name: item.name, category: item.category, meaning, jq }))
}
