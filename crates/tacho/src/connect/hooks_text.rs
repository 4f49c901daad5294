//! Adds and removes Tachograph's hooks in the text of a settings file; pure.
//!
//! Claude Code and Codex share the shape: `hooks` → event → groups → `hooks`, each a handler with a
//! `type` and a `command`.

use super::json_text::{self, Kind, Node};
use serde_json::{Value, json};

/// One event to hook.
#[derive(Debug, Clone, Copy)]
pub struct Event {
    pub name: &'static str,
    pub timeout_seconds: u64,
}

/// Why a text cannot be edited.
#[derive(Debug, thiserror::Error)]
pub enum TextError {
    #[error("is not valid JSON ({0})")]
    NotJson(#[from] serde_json::Error),
    #[error("has {what} where {expected} belongs")]
    Shape { what: String, expected: &'static str },
}

/// `text` with one handler of `command` for each event; equal to `text` when they are all there.
///
/// A handler of ours with another command (the binary moved, another data folder) is replaced; one with
/// the same command is left as it is, whatever its owner changed around it.
pub fn add(text: &str, events: &[Event], command: &str) -> Result<String, TextError> {
    let mut text = remove_where(text, |event, found| {
        is_own(found) && !(found == command && events.iter().any(|known| known.name == event))
    })?;
    for event in events {
        text = add_event(text, event, command)?;
    }
    Ok(text)
}

/// `text` without our handlers. Lists that this empties, and `hooks` when nothing else is in it, go as
/// well, unless `before`, the file as it was before the first connecting, has them.
pub fn remove(text: &str, before: Option<&Value>) -> Result<String, TextError> {
    let had = |pointer: &str| before.is_some_and(|before| before.pointer(pointer).is_some());
    let hooked = own_events(&checked_outline(text)?, text);
    let mut text = remove_where(text, |_, command| is_own(command))?;
    for event in &hooked {
        let root = checked_outline(&text)?;
        let Some((_, hooks)) = root.member("hooks") else { break };
        if let Some((at, groups)) = hooks.member(event)
            && groups.elements().is_empty()
            && !had(&format!("/hooks/{}", event.replace('~', "~0").replace('/', "~1")))
        {
            text = json_text::remove_child(&text, hooks, at);
        }
    }
    let root = checked_outline(&text)?;
    match root.member("hooks") {
        Some((at, Node { kind: Kind::Object(events), .. }))
            if !hooked.is_empty() && events.is_empty() && !had("/hooks") =>
        {
            Ok(json_text::remove_child(&text, &root, at))
        }
        _ => Ok(text),
    }
}

/// The commands in `settings` that run `tacho hook`, whoever wrote them.
pub fn commands(settings: &Value) -> impl Iterator<Item = &str> {
    let events = settings.get("hooks").and_then(Value::as_object);
    events
        .into_iter()
        .flat_map(|events| events.values())
        .flat_map(|groups| groups.as_array().into_iter().flatten())
        .flat_map(|group| group.get("hooks").and_then(Value::as_array).into_iter().flatten())
        .filter_map(|handler| handler.get("command")?.as_str())
        .filter(|command| runs_tacho_hook(command))
}

/// Whether `command` is of the form that `connect` writes: `<path of tacho> hook …`.
pub fn is_own(command: &str) -> bool {
    let words = shlex::split(command).unwrap_or_default();
    matches!(&words[..], [program, subcommand, ..] if program_name(program).starts_with("tacho") && subcommand == "hook")
}

/// Whether a shell command runs Tachograph's hook anywhere: in a wrapper, or as `${TACHO_BIN:-tacho}` too.
fn runs_tacho_hook(command: &str) -> bool {
    let words = shlex::split(command).unwrap_or_default();
    words.windows(2).any(|pair| program_name(&pair[0]).contains("tacho") && pair[1] == "hook")
}

fn program_name(word: &str) -> &str {
    word.rsplit(['/', '\\']).next().unwrap_or(word)
}

fn own_events(root: &Node, text: &str) -> Vec<String> {
    let Some((_, Node { kind: Kind::Object(events), .. })) = root.member("hooks") else { return Vec::new() };
    let own = |group: &Node| handlers(group, text).any(|(_, _, command)| is_own(&command));
    events
        .iter()
        .filter(|event| event.value.elements().iter().any(own))
        .map(|event| event.key.clone())
        .collect()
}

fn add_event(text: String, event: &Event, command: &str) -> Result<String, TextError> {
    let handler = json!({"type": "command", "command": command, "timeout": event.timeout_seconds});
    let group = json!({"hooks": [handler]});
    let root = checked_outline(&text)?;
    let Some((_, hooks)) = root.member("hooks") else {
        return Ok(json_text::insert_member(&text, &root, "hooks", &json!({event.name: [group]})));
    };
    expect_object(&text, hooks, "`hooks`")?;
    let Some((_, groups)) = hooks.member(event.name) else {
        return Ok(json_text::insert_member(&text, hooks, event.name, &json!([group])));
    };
    if !matches!(groups.kind, Kind::Array(_)) {
        let what = format!("{} in `hooks.{}`", shown(&text, groups), event.name);
        return Err(TextError::Shape { what, expected: "a list" });
    }
    let present =
        groups.elements().iter().any(|group| handlers(group, &text).any(|(_, _, found)| found == command));
    Ok(if present { text } else { json_text::append_element(&text, groups, &group) })
}

/// Removes every handler for which `gone(event, command)` holds, and groups that this empties.
fn remove_where(text: &str, gone: impl Fn(&str, &str) -> bool) -> Result<String, TextError> {
    let mut text = text.to_owned();
    while let Some(next) = remove_first(&text, &gone)? {
        text = next;
    }
    Ok(text)
}

fn remove_first(text: &str, gone: &impl Fn(&str, &str) -> bool) -> Result<Option<String>, TextError> {
    let root = checked_outline(text)?;
    let Some((_, hooks)) = root.member("hooks") else { return Ok(None) };
    let Kind::Object(events) = &hooks.kind else { return Ok(None) };
    for event in events {
        for (group_at, group) in event.value.elements().iter().enumerate() {
            let Some((list, at, _)) = handlers(group, text).find(|(_, _, command)| gone(&event.key, command))
            else {
                continue;
            };
            return Ok(Some(match list.elements().len() {
                1 => json_text::remove_child(text, &event.value, group_at),
                _ => json_text::remove_child(text, list, at),
            }));
        }
    }
    Ok(None)
}

/// The command handlers of a group: the list that holds them, the place in it, the command.
fn handlers<'a>(group: &'a Node, text: &'a str) -> impl Iterator<Item = (&'a Node, usize, String)> {
    group.member("hooks").into_iter().flat_map(move |(_, list)| {
        list.elements().iter().enumerate().filter_map(move |(at, handler)| {
            let (_, command) = handler.member("command")?;
            Some((list, at, command.value(text).as_str()?.to_owned()))
        })
    })
}

fn checked_outline(text: &str) -> Result<Node, TextError> {
    let root = json_text::outline(text)?;
    expect_object(text, &root, "the file")?;
    Ok(root)
}

fn expect_object(text: &str, node: &Node, place: &str) -> Result<(), TextError> {
    match node.kind {
        Kind::Object(_) => Ok(()),
        _ => {
            Err(TextError::Shape { what: format!("{} as {place}", shown(text, node)), expected: "an object" })
        }
    }
}

fn shown(text: &str, node: &Node) -> &'static str {
    match node.value(text) {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests;
