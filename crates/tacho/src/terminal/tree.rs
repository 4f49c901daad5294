//! A JSON value as an indented tree, and what differs between two of them.

use super::{Palette, escape};
use serde_json::Value;

/// Longest value that stands on its field's line, in characters.
const INLINE_CHARACTERS: usize = 90;

/// A line a field; short values stand behind their names.
pub fn tree_lines(value: &Value, palette: Palette) -> Vec<String> {
    let mut lines = Vec::new();
    match value {
        Value::Object(members) if !members.is_empty() => add_members(value, 0, palette, &mut lines),
        Value::Array(items) if !items.is_empty() => add_members(value, 0, palette, &mut lines),
        value => lines.push(inline(value)),
    }
    lines
}

/// A line a change: `~ /status  "in_progress" → "failed"`, `+ /failed_agents/0  "api"`.
pub fn change_lines(changes: &Value, palette: Palette) -> Vec<String> {
    let line = |change: &Value| {
        let path = escape(change["path"].as_str().unwrap_or_default()).into_owned();
        let (before, after) = (inline(&change["before"]), inline(&change["after"]));
        match change["kind"].as_str() {
            Some("added") => format!("{} {}  {after}", palette.good("+"), palette.bold(path)),
            Some("removed") => format!("{} {}  {before}", palette.bad("-"), palette.bold(path)),
            _ => format!("~ {}  {} → {after}", palette.bold(path), palette.dim(before)),
        }
    };
    changes.as_array().into_iter().flatten().map(line).collect()
}

fn add_members(value: &Value, depth: usize, palette: Palette, lines: &mut Vec<String>) {
    let indent = "  ".repeat(depth);
    let mut add = |name: String, member: &Value| {
        let told = inline(member);
        let is_nested = matches!(member, Value::Object(_) | Value::Array(_)) && !is_empty(member);
        if is_nested && told.chars().count() > INLINE_CHARACTERS {
            lines.push(format!("{indent}{}", palette.bold(name)));
            add_members(member, depth + 1, palette, lines);
        } else {
            let told = if member.is_null() || is_empty(member) { palette.dim(told) } else { told };
            lines.push(format!("{indent}{}  {told}", palette.bold(name)));
        }
    };
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                add(escape(name).into_owned(), member);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                add(index.to_string(), item);
            }
        }
        _ => {}
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

fn inline(value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::String(text) => escape(text).into_owned(),
        Value::Array(items) if items.iter().all(|item| !item.is_object() && !item.is_array()) => {
            if items.is_empty() {
                "none".to_owned()
            } else {
                items.iter().map(inline).collect::<Vec<_>>().join(", ")
            }
        }
        value => escape(&value.to_string()).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn short_values_stand_behind_their_names() {
        let state = json!({"status": "failed", "agents": ["a", "b"], "gaps": [], "at": null,
            "commits": [{"sha": "abc", "message": "m".repeat(100)}]});
        let lines = tree_lines(&state, Palette { colour: false });
        let long = "m".repeat(100);
        let expected = [
            "status  failed".to_owned(),
            "agents  a, b".to_owned(),
            "gaps  none".to_owned(),
            "at  –".to_owned(),
            "commits".to_owned(),
            "  0".to_owned(),
            "    sha  abc".to_owned(),
            format!("    message  {long}"),
        ];
        assert_eq!(lines, expected);
    }
}
