//! The event that `tacho emit` sends.

use super::{Emit, wrong};
use crate::{git, identity};
use anyhow::Result;
use serde_json::{Map, Value, json};
use tacho_event::catalogue::is_reserved_for_markers;
use tacho_event::{Timestamp, TraceContext};
use tacho_ingest::marker;

/// The producer when neither `--source` nor an agent is named.
const DEFAULT_SOURCE: &str = "/tacho/emit";

/// A CloudEvent; what is not known is left out.
pub fn build(emit: &Emit) -> Result<Value> {
    let now = identity::now();
    let mut event = Map::new();
    let mut set = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            event.insert(name.to_owned(), Value::String(value));
        }
    };
    set("specversion", Some("1.0".to_owned()));
    set("id", Some(emit.id.clone().unwrap_or_else(|| identity::uuid7(now, identity::random()))));
    set("source", Some(source(emit)));
    set("type", Some(emit.kind.clone()));
    let session = emit.session.clone().filter(|session| !session.is_empty());
    let stream = emit.stream.clone().or_else(|| session.as_deref().map(tacho_event::stream::of_session));
    set("subject", stream);
    // A repeated append of a named event must say the same as the first: the log fills the time in then.
    let is_repeatable = emit.id.is_some() && !emit.marker;
    set("time", (!is_repeatable).then(|| now.to_rfc3339()));
    set("sessionid", session);
    if let Some(actor) = &emit.actor {
        set("actortype", Some(actor.kind.clone()));
        set("actorid", Some(actor.id.clone()));
        set("actormodel", actor.model.clone());
    }
    set("correlationid", emit.correlation.clone());
    set("causationid", emit.causation.clone());
    set("origintraceparent", inherited_trace());
    let head = std::env::current_dir().ok().and_then(|folder| git::head(&folder));
    let (sha, branch) = head.map_or((None, None), |head| (head.sha, head.branch));
    set("gitsha", sha);
    set("branch", branch);
    let data = payload(emit)?;
    if emit.marker {
        check_marker(emit, data.as_ref())?;
    }
    if let Some(data) = data {
        event.insert("data".to_owned(), data);
    }
    Ok(Value::Object(event))
}

/// The line that an agent prints for its hooks to see: `<EVENT>{…}</EVENT>`.
pub fn marker_line(event: &Value) -> Result<String> {
    let text = |name: &str| event[name].as_str().unwrap_or_default();
    let time = Timestamp::from_rfc3339(text("time")).unwrap_or_default();
    // Inside a JSON string this is the same text, and no reader takes it for the end of the marker.
    let attributes = serde_json::to_string(event.get("data").unwrap_or(&json!({})))?.replace("</", "<\\/");
    Ok(marker::line(text("type"), text("id"), text("source"), time, attributes.as_bytes()))
}

/// What hooks would reject as a marker is refused before anything is sent.
fn check_marker(emit: &Emit, data: Option<&Value>) -> Result<()> {
    if is_reserved_for_markers(&emit.kind) {
        return Err(wrong(format!(
            "{:?} cannot be a marker, hooks refuse it there: name it after its agent, such as urlCacher.urlCached",
            emit.kind
        )));
    }
    if data.is_some_and(|data| !data.is_object()) {
        return Err(wrong("a marker's payload is an object: give --data as one"));
    }
    Ok(())
}

fn source(emit: &Emit) -> String {
    match (&emit.source, &emit.actor) {
        (Some(source), _) => source.clone(),
        (None, Some(actor)) if actor.kind == "agent" => format!("/agents/{}", actor.id),
        _ => DEFAULT_SOURCE.to_owned(),
    }
}

fn inherited_trace() -> Option<String> {
    std::env::var("TRACEPARENT").ok().filter(|text| TraceContext::parse(text).is_some())
}

fn payload(emit: &Emit) -> Result<Option<Value>> {
    let given = emit.data.as_deref().map(serde_json::from_str).transpose();
    let mut data = given.map_err(|error| {
        wrong(format!("--data is no JSON: {error}; it is the payload here, TACHO_DATA names the data folder"))
    })?;
    for attribute in &emit.attributes {
        let (name, value) = attribute
            .split_once('=')
            .ok_or_else(|| wrong(format!("--attr {attribute:?} has no `=`: write NAME=VALUE")))?;
        let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
        let members = data.get_or_insert_with(|| json!({})).as_object_mut();
        let members = members.ok_or_else(|| wrong("--attr adds to an object, and --data is none"))?;
        members.insert(name.to_owned(), value);
    }
    Ok(data)
}
