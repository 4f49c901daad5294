//! What lies between two values: a JSON Patch (RFC 6902), and the same told leaf by leaf.

use super::state::{Change, Op, escaped};
use serde_json::{Map, Value};

/// How deep two values are compared; below, they are replaced as wholes.
const MAX_DEPTH: usize = 32;

/// One leaf that differs.
#[derive(Debug, Clone, PartialEq)]
pub struct Leaf {
    /// A JSON Pointer (RFC 6901); of the value before, where it is there no more.
    pub path: String,
    pub before: Option<Value>,
    pub after: Option<Value>,
}

/// The patch that makes `after` of `before`. Of an array it tells what went and what came, by the longest common
/// beginning and end, item by item between them.
pub fn between(before: &Value, after: &Value) -> Vec<Change> {
    let mut changes = Vec::new();
    patch(before, after, &mut String::new(), 0, &mut changes);
    changes
}

/// The same, as pairs of values; items of arrays that moved are not told.
pub fn leaves(before: &Value, after: &Value) -> Vec<Leaf> {
    let mut leaves = Vec::new();
    compare(before, after, &mut String::new(), 0, &mut leaves);
    leaves
}

/// Applies a patch, as a client does.
///
/// # Errors
///
/// The path of the first operation that does not fit.
pub fn apply(value: &mut Value, changes: &[Change]) -> Result<(), String> {
    for change in changes {
        let refuse = || change.path.clone();
        if change.path.is_empty() {
            *value = change.value.clone().ok_or_else(refuse)?;
            continue;
        }
        let (parent, last) = change.path.rsplit_once('/').ok_or_else(refuse)?;
        let last = last.replace("~1", "/").replace("~0", "~");
        let new = change.value.clone();
        match (value.pointer_mut(parent).ok_or_else(refuse)?, change.op) {
            (Value::Object(members), Op::Remove) => {
                members.shift_remove(&last).ok_or_else(refuse)?;
            }
            (Value::Object(members), _) => {
                members.insert(last, new.ok_or_else(refuse)?);
            }
            (Value::Array(items), op) => {
                let index = if last == "-" { items.len() } else { last.parse().map_err(|_| refuse())? };
                match op {
                    Op::Add if index <= items.len() => items.insert(index, new.ok_or_else(refuse)?),
                    Op::Replace if index < items.len() => items[index] = new.ok_or_else(refuse)?,
                    Op::Remove if index < items.len() => {
                        items.remove(index);
                    }
                    _ => return Err(refuse()),
                }
            }
            _ => return Err(refuse()),
        }
    }
    Ok(())
}

fn patch(before: &Value, after: &Value, path: &mut String, depth: usize, out: &mut Vec<Change>) {
    if before == after {
        return;
    }
    match (before, after) {
        (Value::Object(old), Value::Object(new)) if depth < MAX_DEPTH => {
            patch_object(old, new, path, depth, out);
        }
        (Value::Array(old), Value::Array(new)) if depth < MAX_DEPTH => {
            patch_array(old, new, path, depth, out);
        }
        _ => out.push(Change { op: Op::Replace, path: path.clone(), value: Some(after.clone()) }),
    }
}

fn patch_object(
    old: &Map<String, Value>,
    new: &Map<String, Value>,
    path: &mut String,
    depth: usize,
    out: &mut Vec<Change>,
) {
    for name in old.keys().filter(|name| !new.contains_key(*name)) {
        out.push(Change { op: Op::Remove, path: format!("{path}/{}", escaped(name)), value: None });
    }
    for (name, value) in new {
        let length = path.len();
        path.push('/');
        path.push_str(&escaped(name));
        match old.get(name) {
            Some(there) => patch(there, value, path, depth + 1, out),
            None => out.push(Change { op: Op::Add, path: path.clone(), value: Some(value.clone()) }),
        }
        path.truncate(length);
    }
}

fn patch_array(old: &[Value], new: &[Value], path: &mut String, depth: usize, out: &mut Vec<Change>) {
    let (start, gone, came) = middle(old, new);
    // From the end, so that the numbers of those before stay.
    let both = gone.min(came);
    for index in (both..gone).rev() {
        out.push(Change { op: Op::Remove, path: format!("{path}/{}", start + index), value: None });
    }
    for index in 0..both {
        let length = path.len();
        path.push_str(&format!("/{}", start + index));
        patch(&old[start + index], &new[start + index], path, depth + 1, out);
        path.truncate(length);
    }
    for index in both..came {
        let value = Some(new[start + index].clone());
        out.push(Change { op: Op::Add, path: format!("{path}/{}", start + index), value });
    }
}

/// Where two arrays begin to differ, and how many items of each are between their common beginning and end.
fn middle(old: &[Value], new: &[Value]) -> (usize, usize, usize) {
    let start = old.iter().zip(new).take_while(|(one, other)| one == other).count();
    let (old_rest, new_rest) = (&old[start..], &new[start..]);
    let end =
        old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(one, other)| one == other).count();
    (start, old_rest.len() - end, new_rest.len() - end)
}

fn compare(before: &Value, after: &Value, path: &mut String, depth: usize, out: &mut Vec<Leaf>) {
    if before == after {
        return;
    }
    let mut below = |name: &str, old: Option<&Value>, new: Option<&Value>| {
        let length = path.len();
        path.push('/');
        path.push_str(&escaped(name));
        match (old, new) {
            (Some(old), Some(new)) => compare(old, new, path, depth + 1, out),
            (old, new) => {
                out.push(Leaf { path: path.clone(), before: old.cloned(), after: new.cloned() });
            }
        }
        path.truncate(length);
    };
    match (before, after) {
        (Value::Object(old), Value::Object(new)) if depth < MAX_DEPTH => {
            for (name, value) in old {
                below(name, Some(value), new.get(name));
            }
            for (name, value) in new.iter().filter(|(name, _)| !old.contains_key(*name)) {
                below(name, None, Some(value));
            }
        }
        (Value::Array(old), Value::Array(new)) if depth < MAX_DEPTH => {
            let (start, gone, came) = middle(old, new);
            // Plain items are told as gone and come: that one name stands where another stood says nothing.
            let plain = |items: &[Value]| items.iter().all(|item| !item.is_object() && !item.is_array());
            let both = if plain(&old[start..start + gone]) && plain(&new[start..start + came]) {
                0
            } else {
                gone.min(came)
            };
            for index in 0..both {
                below(&(start + index).to_string(), Some(&old[start + index]), Some(&new[start + index]));
            }
            for index in both..gone {
                below(&(start + index).to_string(), Some(&old[start + index]), None);
            }
            for index in both..came {
                below(&(start + index).to_string(), None, Some(&new[start + index]));
            }
        }
        _ => out.push(Leaf { path: path.clone(), before: Some(before.clone()), after: Some(after.clone()) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_patch_makes_the_one_of_the_other() {
        let states = [
            json!({"a": [1, 2, 3], "b": {"c/d": 1, "e~": null}, "x": "y"}),
            json!({"a": [2, 3, 4, 5], "b": {"c/d": 2}, "z": [{"n": 1}]}),
            json!({"a": [], "b": 7, "z": [{"n": 2}, {"n": 1}]}),
            json!([1]),
            json!(null),
        ];
        for before in &states {
            for after in &states {
                let mut value = before.clone();
                let changes = between(before, after);
                apply(&mut value, &changes).unwrap();
                assert_eq!(&value, after, "{changes:?}");
                assert_eq!(changes.is_empty(), before == after);
            }
        }
    }

    #[test]
    fn leaves_tell_what_went_and_what_came() {
        let before = json!({"agents": ["a", "b"], "status": "on", "same": [1]});
        let after = json!({"agents": ["b"], "status": "off", "same": [1], "new": 1});
        let told: Vec<String> = leaves(&before, &after)
            .into_iter()
            .map(|leaf| format!("{} {:?} {:?}", leaf.path, leaf.before, leaf.after))
            .collect();
        assert_eq!(
            told,
            [
                "/agents/0 Some(String(\"a\")) None",
                "/status Some(String(\"on\")) Some(String(\"off\"))",
                "/new None Some(Number(1))"
            ]
        );
    }
}
