//! Checks `integrations/claude-code` as Claude Code would read it: what it would refuse in silence is refused here.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use super::summary::Outcome;
use crate::workspace::Workspace;

const FOLDER: &str = "integrations/claude-code";

/// Hook events of Claude Code that the plugin may name. `WorktreeCreate` is not among them: a hook on it replaces
/// what git does.
const EVENTS: &[&str] = &[
    "PreToolUse",
    "PostToolUse",
    "PostToolUseFailure",
    "PostToolBatch",
    "Notification",
    "UserPromptSubmit",
    "UserPromptExpansion",
    "SessionStart",
    "SessionEnd",
    "Stop",
    "StopFailure",
    "SubagentStart",
    "SubagentStop",
    "PreCompact",
    "PostCompact",
    "PreModelSwitch",
    "PostModelSwitch",
    "PermissionRequest",
    "PermissionDenied",
    "Setup",
    "TeammateIdle",
    "TaskCreated",
    "TaskCompleted",
    "Elicitation",
    "ElicitationResult",
    "ConfigChange",
    "WorktreeRemove",
    "InstructionsLoaded",
    "CwdChanged",
    "FileChanged",
    "DirectoryAdded",
    "MessageDisplay",
];

pub fn run(workspace: &Workspace) -> Result<Outcome> {
    let root = workspace.root.join(FOLDER);
    let mut faults = Vec::new();
    let mut files = Vec::new();
    walk(&root, &mut files).with_context(|| format!("{FOLDER} cannot be read"))?;
    for path in &files {
        let name = path.strip_prefix(&root).unwrap_or(path).to_string_lossy().into_owned();
        let text = fs::read_to_string(path).with_context(|| name.clone())?;
        faults.extend(check_file(&name, &text).into_iter().map(|fault| format!("{FOLDER}/{name}: {fault}")));
    }
    for needed in [".claude-plugin/plugin.json", "hooks/hooks.json"] {
        if !root.join(needed).is_file() {
            faults.push(format!("{FOLDER}/{needed}: is missing"));
        }
    }
    println!("{} files", files.len());
    Ok(if faults.is_empty() { Outcome::Passed } else { Outcome::Failed(faults.join("\n")) })
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    entries.sort();
    for path in entries {
        match path.is_dir() {
            true => walk(&path, files)?,
            false => files.push(path),
        }
    }
    Ok(())
}

fn check_file(name: &str, text: &str) -> Vec<String> {
    let file = name.rsplit('/').next().unwrap_or(name);
    if file.ends_with(".json") {
        return match serde_json::from_str::<Value>(text) {
            Err(error) => vec![format!("is not JSON: {error}")],
            Ok(value) if file == "plugin.json" => {
                check_text_fields(&value, &["name", "description", "version"])
            }
            Ok(value) if file == "hooks.json" => check_hooks(&value),
            Ok(_) => Vec::new(),
        };
    }
    let is_agent = name.starts_with("agents/") && name.ends_with(".md");
    if file == "SKILL.md" || is_agent { check_front_matter(text) } else { Vec::new() }
}

fn check_text_fields(value: &Value, fields: &[&str]) -> Vec<String> {
    let filled = |field: &str| value[field].as_str().is_some_and(|text| !text.is_empty());
    fields.iter().filter(|field| !filled(field)).map(|field| format!("`{field}` is missing")).collect()
}

/// Skills and agents begin with `---`, lines of YAML that name and describe them, and `---`.
fn check_front_matter(text: &str) -> Vec<String> {
    let Some((front, _)) = text.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---\n")) else {
        return vec!["does not begin with front matter".to_owned()];
    };
    let filled = |key: &str| {
        let value = front.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
        value.is_some_and(|value| !value.trim().is_empty())
    };
    ["name", "description"]
        .iter()
        .filter(|key| !filled(key))
        .map(|key| format!("`{key}` is missing"))
        .collect()
}

fn check_hooks(value: &Value) -> Vec<String> {
    let Some(events) = value["hooks"].as_object().filter(|events| !events.is_empty()) else {
        return vec!["`hooks` names no event".to_owned()];
    };
    let mut faults = Vec::new();
    for (event, groups) in events {
        if !EVENTS.contains(&event.as_str()) {
            faults.push(format!("`{event}` is no event that may be hooked"));
        }
        let groups = groups.as_array().map(Vec::as_slice).unwrap_or_default();
        if groups.is_empty() {
            faults.push(format!("`{event}` has no hooks"));
        }
        for group in groups {
            let hooks = group["hooks"].as_array().map(Vec::as_slice).unwrap_or_default();
            if hooks.is_empty() {
                faults.push(format!("`{event}` has a group without `hooks`"));
            }
            faults.extend(hooks.iter().filter_map(check_hook).map(|fault| format!("`{event}`: {fault}")));
        }
    }
    faults
}

/// Only a command hook survives a server that is away: an `http` hook would lose the event in silence.
fn check_hook(hook: &Value) -> Option<String> {
    let command = hook["command"].as_str().unwrap_or_default();
    let timeout = hook.get("timeout");
    if hook["type"] != "command" {
        Some(format!("type {} is not durable, use `command`", hook["type"]))
    } else if command.is_empty() {
        Some("`command` is missing".to_owned())
    } else if timeout.is_some_and(|timeout| timeout.as_f64().is_none_or(|seconds| seconds <= 0.0)) {
        Some("`timeout` is not a number of seconds".to_owned())
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn hooks() {
        let hooks =
            |hook: Value| check_hooks(&json!({"hooks": {"PreToolUse": [{"matcher": "*", "hooks": [hook]}]}}));
        assert!(hooks(json!({"type": "command", "command": "tacho hook", "timeout": 5})).is_empty());
        assert_eq!(hooks(json!({"type": "http", "url": "http://127.0.0.1"})).len(), 1);
        assert_eq!(hooks(json!({"type": "command"})).len(), 1);
        assert_eq!(hooks(json!({"type": "command", "command": "a", "timeout": "5"})).len(), 1);
        assert_eq!(check_hooks(&json!({"hooks": {"WorktreeCreate": []}})).len(), 2);
        assert_eq!(check_hooks(&json!({})).len(), 1);
    }

    #[test]
    fn other_files() {
        assert_eq!(
            check_file("a/b.json", "{"),
            ["is not JSON: EOF while parsing an object at line 1 column 1"]
        );
        assert_eq!(check_file(".claude-plugin/plugin.json", r#"{"name":"a","version":"1.0.0"}"#).len(), 1);
        assert!(check_file("skills/a/SKILL.md", "---\nname: a\ndescription: b\n---\ntext").is_empty());
        assert_eq!(check_file("agents/a.md", "---\nname: a\n---\ntext"), ["`description` is missing"]);
        assert!(check_file("README.md", "text").is_empty());
    }
}
