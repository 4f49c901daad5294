//! The record of an audit trail, the `base` format: `event_id`, `event_type`, `event_version`, `issue_key`,
//! `session_id`, `actor`, `metadata`, …

use super::object::Object;
use super::{Fields, Shaped};
use crate::Refusal;
use tacho_event::json::{self, Kind};
use tacho_event::{Code, Recorded, stream};

/// What a record without a version is: the first one.
const FIRST_VERSION: &str = "1.0.0";
/// Under this name a record's issue is kept when its stream is another one.
const ISSUE: &str = "issuekey";

pub(super) fn parse<'a>(fields: &Fields<'a>) -> Result<Shaped<'a>, Refusal> {
    let mut shaped = Shaped::new();
    for (key, value) in fields.iter() {
        match key.as_ref() {
            _ if value == b"null" && key != "metadata" => {}
            "event_id" => shaped.named("id", value)?,
            "event_type" => shaped.named("type", value)?,
            "event_version" => version(fields, &mut shaped, value)?,
            "event_sequence" => shaped.named("originsequence", value)?,
            "issue_key" | "actor" => {}
            "correlation_id" => shaped.named("correlationid", value)?,
            "causation_id" => shaped.named("causationid", value)?,
            "git_sha" => shaped.named("gitsha", value)?,
            "codebase_state" => shaped.named("codebasestate", value)?,
            "metadata" => shaped.draft.set_data(value),
            _ => shaped.foreign(key.clone(), value)?,
        }
    }
    if let Some(actor) = fields.get("actor") {
        read_actor(&mut shaped, actor)?;
    }
    place(fields, &mut shaped)?;
    Ok(shaped)
}

fn version(fields: &Fields<'_>, shaped: &mut Shaped<'_>, value: &[u8]) -> Result<(), Refusal> {
    let version = super::fields::string("event_version", value)?;
    let kind = fields.text("event_type").unwrap_or_default();
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let core = version.split(['-', '+']).next().unwrap_or_default();
    if core.split('.').count() != 3 || !core.split('.').all(digits) {
        return Err(Refusal::new(
            Code::InvalidAttribute,
            format!("`event_version` is {version:?}, but must be a semantic version such as 1.0.0"),
        ));
    }
    let mut urn = Vec::new();
    json::write_string(&format!("urn:tacho:schema:{kind}:{version}"), &mut urn);
    Ok(shaped.draft.accept("dataschema", urn)?)
}

fn read_actor<'a>(shaped: &mut Shaped<'a>, actor: &'a [u8]) -> Result<(), Refusal> {
    if json::kind(actor) != Kind::Object {
        return Err(Refusal::event("`actor` is no object: send {\"type\": …, \"id\": …}"));
    }
    for (key, value) in json::members(actor) {
        match key {
            b"type" => shaped.named("actortype", value)?,
            b"id" => shaped.named("actorid", value)?,
            b"model" => shaped.named("actormodel", value)?,
            _ => {
                let key = String::from_utf8_lossy(key);
                return Err(Refusal::event(format!("`actor.{key}` is unknown: put it into `metadata`")));
            }
        }
    }
    Ok(())
}

/// The stream: the issue's, the envelope's before the metadata's; else the session's.
fn place<'a>(fields: &Fields<'a>, shaped: &mut Shaped<'a>) -> Result<(), Refusal> {
    let issue = fields.get("issue_key").map(|value| super::fields::string("issue_key", value)).transpose()?;
    let of_metadata = fields.get("metadata").and_then(|metadata| json::member(metadata, "issue_key"));
    let of_metadata = of_metadata.filter(|value| json::kind(value) == Kind::String).map(json::text);
    let stream = issue
        .as_ref()
        .or(of_metadata.as_ref())
        .filter(|issue| !issue.is_empty())
        .map(|issue| format!("issue/{issue}"))
        .or_else(|| shaped.draft.text("sessionid").map(|session| stream::of_session(&session)));
    let named = shaped.draft.subject.as_deref().or(stream.as_deref());
    if let Some(issue) = issue.filter(|issue| named != Some(&format!("issue/{issue}"))) {
        let mut value = Vec::new();
        json::write_string(&issue, &mut value);
        shaped.draft.accept(ISSUE, value)?;
    }
    shaped.stream = stream;
    Ok(())
}

pub(super) fn render(event: &Recorded, out: &mut Vec<u8>) {
    let mut object = Object::open(out);
    object.text("event_id", event.id());
    object.text("event_type", event.kind());
    object.text("event_version", event_version(event).as_deref().unwrap_or(FIRST_VERSION));
    object.text("timestamp", &event.time().to_rfc3339_millis());
    object.raw("event_sequence", event.sequence.to_string().as_bytes());
    let of_data = event.data().and_then(|data| json::member(data, "issue_key"));
    match (event.attribute(ISSUE), event.stream().strip_prefix("issue/"), of_data) {
        (Some(issue), _, _) | (None, None, Some(issue)) => object.raw("issue_key", issue),
        (None, Some(issue), _) => object.text("issue_key", issue),
        (None, None, None) => object.raw("issue_key", b"null"),
    }
    object.raw("session_id", event.attribute("sessionid").unwrap_or(b"null"));
    object.attribute("correlation_id", event, "correlationid");
    object.attribute("causation_id", event, "causationid");
    let mut actor = object.object("actor");
    match event.attribute("actortype") {
        Some(kind) => actor.raw("type", kind),
        None => actor.text("type", "system"),
    }
    match event.attribute("actorid") {
        Some(id) => actor.raw("id", id),
        None => actor.text("id", event.source()),
    }
    actor.attribute("model", event, "actormodel");
    actor.close();
    object.payload("metadata", event);
    object.attribute("git_sha", event, "gitsha");
    object.attribute("branch", event, "branch");
    object.attribute("codebase_state", event, "codebasestate");
    object.close();
}

/// The version in `urn:tacho:schema:<type>:<version>`.
fn event_version(event: &Recorded) -> Option<String> {
    let schema = event.text("dataschema")?;
    let version = schema.strip_prefix("urn:tacho:schema:")?.strip_prefix(event.kind())?.strip_prefix(':')?;
    Some(version.to_owned())
}
