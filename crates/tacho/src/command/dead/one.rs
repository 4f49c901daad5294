//! One dead letter: tried once more, or given up.

use super::path;
use crate::command::cells;
use crate::failure::{Ending, WrongUsage};
use crate::place::{Place, PlaceArguments};
use crate::terminal::{Output, escape};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::io::Read;

pub fn act(
    place: &PlaceArguments,
    id: &str,
    action: &str,
    data: Option<Value>,
    reason: Option<&str>,
    as_json: bool,
) -> Result<Ending> {
    let server = Place::find(place)?.controlled()?;
    let mut body = json!({});
    // A payload may be null, which is not the same as none.
    if let Some(data) = data {
        body["data"] = data;
    }
    if let Some(reason) = reason {
        body["reason"] = reason.into();
    }
    let answer = server.post_value(&path(id, &format!("/{action}")), &body)?;
    let mut output = Output::stdout();
    if as_json {
        output.json(&serde_json::to_vec(&answer)?)?;
    } else {
        output.line(&format!("{} is {}", escape(id), escape(&cells::text(&answer["state"]))))?;
    }
    output.flush()?;
    Ok(Ending::Done)
}

/// JSON as it stands, of a file behind `@`, or of standard input.
pub fn read_data(given: &str) -> Result<Value> {
    let mut text = String::new();
    match given.strip_prefix('@') {
        _ if given == "-" => {
            std::io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
        }
        Some(file) => text = std::fs::read_to_string(file).with_context(|| format!("cannot read {file}"))?,
        None => given.clone_into(&mut text),
    }
    serde_json::from_str(&text).map_err(|error| WrongUsage(format!("--data is no JSON: {error}")).into())
}
