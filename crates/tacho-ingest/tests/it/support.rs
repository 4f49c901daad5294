//! What the tests share: fixtures, a fixed moment, counted ids.

use std::path::{Path, PathBuf};
use tacho_event::{Event, Position, Recorded, Sequence, Timestamp};
use tacho_ingest::hook::{Agent, HookInput};
use tacho_ingest::{Door, Redactor, Refusal, api, hook};

pub const NOW: Timestamp = Timestamp(1_767_225_600_000_000_000);

pub fn fixtures(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tacho-testkit/fixtures").join(folder);
    let mut paths: Vec<PathBuf> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty());
    paths
}

/// Sends a body as a client would; ids are `id-1`, `id-2`, …
pub fn post_as(content_type: &str, attributes: &[(&str, &[u8])], body: &[u8]) -> Result<Vec<Event>, Refusal> {
    let redactor = Redactor::builtin();
    let mut count = 0;
    let mut new_id = || {
        count += 1;
        format!("id-{count}")
    };
    let request = api::Request { content_type: Some(content_type), attributes, body };
    api::parse(&request, &Door::new(&redactor), NOW, &mut new_id)
}

pub fn post(body: &str) -> Result<Vec<Event>, Refusal> {
    post_as("application/json", &[], body.as_bytes())
}

pub fn hook(agent: Agent, payload: &[u8]) -> Vec<Event> {
    let redactor = Redactor::builtin();
    hook::parse(&input(agent, payload), &Door::new(&redactor))
}

pub fn input(agent: Agent, payload: &[u8]) -> HookInput<'_> {
    HookInput { agent, id: "hook-1", time: NOW, git_sha: None, branch: None, traceparent: None, payload }
}

pub fn recorded(event: &Event) -> Recorded {
    Recorded::new(Position(42), Sequence(7), NOW, bytes::Bytes::copy_from_slice(event.bytes())).unwrap()
}

/// The canonical form without what the log gives.
pub fn told(event: &Event) -> serde_json::Value {
    let mut value: serde_json::Value = serde_json::from_slice(&recorded(event).to_cloudevent()).unwrap();
    let object = value.as_object_mut().unwrap();
    for name in ["specversion", "sequence", "position", "recordedtime"] {
        object.remove(name);
    }
    value
}

/// One line an event: the attributes named, in order.
pub fn table(events: &[Event], names: &[&str]) -> String {
    let row = |event: &Event| {
        let value = told(event);
        let cell = |name: &&str| match &value[*name] {
            serde_json::Value::String(text) => text.clone(),
            serde_json::Value::Null => "-".to_owned(),
            other => other.to_string(),
        };
        names.iter().map(cell).collect::<Vec<_>>().join(" ")
    };
    events.iter().map(row).collect::<Vec<_>>().join("\n")
}
