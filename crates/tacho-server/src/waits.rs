//! What waits for a person, as JSON, for the server's answers and the command line.

use crate::problem::quoted;
use crate::summary::summary;
use tacho_engine::{Deed, WaitKind, Waiting};
use tacho_event::json;

/// The answer of `GET /api/waits`.
pub fn waits_json(waits: &[Waiting]) -> String {
    let waits: Vec<String> = waits.iter().map(wait_json).collect();
    format!("{{\"waits\":[{}]}}", waits.join(","))
}

/// One of them.
pub fn wait_json(wait: &Waiting) -> String {
    let event = &wait.event;
    let attribute = |name: &str| maybe(event.text(name).as_deref());
    format!(
        "{{\"id\":{},\"kind\":\"{}\",\"state\":\"{}\",\"since\":\"{}\",\"position\":{},\"stream\":{},\"session\":{},\
         \"agent\":{},\"task\":{},\"asks\":{},\"priority\":{},\"acknowledged\":{},\"ended\":{}}}",
        quoted(event.id()),
        wait.kind.as_str(),
        wait.state.as_str(),
        event.time(),
        event.position,
        quoted(event.stream()),
        attribute("sessionid"),
        attribute("actorid"),
        maybe(wait.task().as_deref()),
        quoted(&asks(wait)),
        maybe(priority(wait).as_deref()),
        wait.acknowledged.as_ref().map_or("null".to_owned(), deed_json),
        wait.ended.as_ref().map_or("null".to_owned(), deed_json),
    )
}

fn deed_json(deed: &Deed) -> String {
    format!("{{\"by\":{},\"at\":\"{}\",\"said\":{}}}", quoted(&deed.by), deed.at, maybe(deed.said.as_deref()))
}

fn maybe(text: Option<&str>) -> String {
    text.map_or("null".to_owned(), quoted)
}

/// In a line, what a person is to decide.
fn asks(wait: &Waiting) -> String {
    if wait.kind != WaitKind::Escalation {
        return summary(&wait.event);
    }
    let (attempts, error) = (member(wait, "attempts"), member(wait, "last_error"));
    let gave_up =
        attempts.map_or("gave up".to_owned(), |attempts| format!("gave up after {attempts} attempts"));
    error.map_or_else(|| gave_up.clone(), |error| format!("{gave_up}: {error}"))
}

fn priority(wait: &Waiting) -> Option<String> {
    member(wait, "priority").or_else(|| wait.event.text("priority").map(|text| text.into_owned()))
}

fn member(wait: &Waiting, name: &str) -> Option<String> {
    let value = json::member(wait.event.data()?, name)?;
    Some(json::text(value).into_owned()).filter(|text| !text.is_empty() && text != "null")
}
