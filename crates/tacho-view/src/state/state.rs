//! What a projection makes of events: a JSON value that knows how it changes.

use serde_json::{Map, Value};

/// A value under construction. A fold changes it through [`Place`]s, so that the changes can be told.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    value: Value,
    changes: Option<Vec<Change>>,
}

/// One operation of a JSON Patch (RFC 6902).
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    pub op: Op,
    /// A JSON Pointer (RFC 6901).
    pub path: String,
    /// What is put there; `None` of a removal.
    pub value: Option<Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    Add,
    Remove,
    Replace,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key<'k> {
    Field(&'k str),
    Item(usize),
}

/// A place inside a state: a chain of fields and items.
pub struct Place<'s, 'k> {
    state: &'s mut State,
    keys: Vec<Key<'k>>,
}

impl Op {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Remove => "remove",
            Self::Replace => "replace",
        }
    }
}

impl State {
    pub fn new(value: Value) -> Self {
        Self { value, changes: None }
    }

    pub fn value(&self) -> &Value {
        &self.value
    }

    pub fn into_value(self) -> Value {
        self.value
    }

    /// From here on changes are noted.
    pub fn note_changes(&mut self) {
        self.changes = Some(Vec::new());
    }

    /// What changed since the last call, in order: a JSON Patch.
    pub fn take_changes(&mut self) -> Vec<Change> {
        self.changes.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// The value, where nobody asks for the changes.
    pub(super) fn unnoted(&mut self) -> Option<&mut Value> {
        if self.changes.is_none() { Some(&mut self.value) } else { None }
    }

    /// Puts another value in the place of the whole.
    pub fn replace(&mut self, value: Value) {
        if let Some(changes) = &mut self.changes {
            changes.extend(super::difference::between(&self.value, &value));
        }
        self.value = value;
    }

    /// The field of the outermost object.
    pub fn field<'s, 'k>(&'s mut self, name: &'k str) -> Place<'s, 'k> {
        Place { state: self, keys: vec![Key::Field(name)] }
    }

    fn note(&mut self, op: Op, keys: &[Key<'_>], item: Option<usize>, value: Option<Value>) {
        let Some(changes) = &mut self.changes else { return };
        let mut path = pointer(keys);
        if let Some(index) = item {
            path.push_str(&format!("/{index}"));
        }
        changes.push(Change { op, path, value });
    }
}

impl<'k> Place<'_, 'k> {
    #[must_use]
    pub fn field(mut self, name: &'k str) -> Self {
        self.keys.push(Key::Field(name));
        self
    }

    #[must_use]
    pub fn item(mut self, index: usize) -> Self {
        self.keys.push(Key::Item(index));
        self
    }

    /// What stands there now.
    pub fn get(&self) -> Option<&Value> {
        self.keys.iter().try_fold(&self.state.value, |value, key| child(value, *key))
    }

    /// How many items the array there has.
    pub fn count(&self) -> usize {
        self.get().and_then(Value::as_array).map_or(0, Vec::len)
    }

    /// The number of the first item that passes.
    pub fn find(&self, passes: impl FnMut(&Value) -> bool) -> Option<usize> {
        self.get()?.as_array()?.iter().position(passes)
    }

    /// The number of the last item that passes.
    pub fn find_last(&self, passes: impl FnMut(&Value) -> bool) -> Option<usize> {
        self.get()?.as_array()?.iter().rposition(passes)
    }

    /// Puts a value there; objects on the way to it are made.
    pub fn set(self, value: impl Into<Value>) {
        let value = value.into();
        for length in 1..self.keys.len() {
            let parents = &self.keys[..length];
            if walk(&mut self.state.value, parents).is_none() {
                Place { state: &mut *self.state, keys: parents.to_vec() }.set(Map::new());
            }
        }
        let Some((last, parents)) = self.keys.split_last() else { return };
        let Some(parent) = walk(&mut self.state.value, parents) else { return };
        let noted = self.state.changes.is_some().then(|| value.clone());
        let was_there = match (parent, last) {
            (Value::Object(members), Key::Field(name)) => match members.get_mut(*name) {
                Some(there) if *there == value => return,
                Some(there) => {
                    *there = value;
                    true
                }
                None => members.insert((*name).to_owned(), value).is_some(),
            },
            (Value::Array(items), Key::Item(index)) => match items.get_mut(*index) {
                Some(there) if *there != value => {
                    *there = value;
                    true
                }
                _ => return,
            },
            _ => return,
        };
        self.state.note(if was_there { Op::Replace } else { Op::Add }, &self.keys, None, noted);
    }

    /// Adds an item at the end of the array there; makes the array.
    pub fn push(self, value: impl Into<Value>) {
        if self.get().is_none() {
            let place = Place { state: &mut *self.state, keys: self.keys.clone() };
            place.set(Value::Array(Vec::new()));
        }
        let value = value.into();
        let Some(Value::Array(items)) = walk(&mut self.state.value, &self.keys) else { return };
        let noted = self.state.changes.is_some().then(|| value.clone());
        let index = items.len();
        items.push(value);
        self.state.note(Op::Add, &self.keys, Some(index), noted);
    }

    /// Puts an item into the array there, before the one of this number.
    pub fn insert(self, index: usize, value: impl Into<Value>) {
        let value = value.into();
        let Some(Value::Array(items)) = walk(&mut self.state.value, &self.keys) else { return };
        let noted = self.state.changes.is_some().then(|| value.clone());
        let index = index.min(items.len());
        items.insert(index, value);
        self.state.note(Op::Add, &self.keys, Some(index), noted);
    }

    /// Adds one to the number there.
    pub fn count_up(self) {
        let count = self.get().and_then(Value::as_u64).unwrap_or(0);
        self.set(count + 1);
    }

    /// Takes it away.
    pub fn remove(self) {
        let Some((last, parents)) = self.keys.split_last() else { return };
        let Some(parent) = walk(&mut self.state.value, parents) else { return };
        let removed = match (parent, last) {
            (Value::Object(members), Key::Field(name)) => members.shift_remove(*name).is_some(),
            (Value::Array(items), Key::Item(index)) if *index < items.len() => {
                items.remove(*index);
                true
            }
            _ => false,
        };
        if removed {
            self.state.note(Op::Remove, &self.keys, None, None);
        }
    }
}

fn child<'v>(value: &'v Value, key: Key<'_>) -> Option<&'v Value> {
    match (value, key) {
        (Value::Object(members), Key::Field(name)) => members.get(name),
        (Value::Array(items), Key::Item(index)) => items.get(index),
        _ => None,
    }
}

fn walk<'v>(value: &'v mut Value, keys: &[Key<'_>]) -> Option<&'v mut Value> {
    keys.iter().try_fold(value, |value, key| match (value, key) {
        (Value::Object(members), Key::Field(name)) => members.get_mut(*name),
        (Value::Array(items), Key::Item(index)) => items.get_mut(*index),
        _ => None,
    })
}

fn pointer(keys: &[Key<'_>]) -> String {
    let mut text = String::new();
    for key in keys {
        text.push('/');
        match key {
            Key::Field(name) => text.push_str(&escaped(name)),
            Key::Item(index) => text.push_str(&index.to_string()),
        }
    }
    text
}

/// One token of a JSON Pointer (RFC 6901).
pub(super) fn escaped(name: &str) -> String {
    if name.contains(['~', '/']) { name.replace('~', "~0").replace('/', "~1") } else { name.to_owned() }
}

/// An object of these members, in this order; members that are null are left out.
pub(super) fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    let kept = members.into_iter().filter(|(_, value)| !value.is_null());
    Value::Object(kept.map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>())
}
