//! The keys of one part of the file. One that nobody knows is told of and left out: others read the file too.

use crate::config::file::suggestion;
use crate::config::yaml::{Document, Holds, Node};
use anyhow::Result;

/// A key, and what it does.
pub type Known = [(&'static str, &'static str)];

pub struct Fields<'d> {
    pub document: &'d Document<'d>,
    pub node: &'d Node,
    entries: &'d [(Node, Node)],
}

impl<'d> Fields<'d> {
    pub fn read(
        document: &'d Document<'d>,
        node: &'d Node,
        known: &Known,
        warnings: &mut Vec<String>,
    ) -> Result<Self> {
        let Holds::Map(entries) = &node.holds else {
            return Err(document.refuse(node, format!("expected keys and values, found {}", node.name())));
        };
        for (key, _) in entries {
            let name = key.text().unwrap_or_default();
            if known.iter().all(|(key, _)| *key != name) {
                warnings.push(document.say(key, unknown(name, known)));
            }
        }
        Ok(Self { document, node, entries })
    }

    /// What stands behind a key, when something does.
    pub fn get(&self, name: &str) -> Option<&'d Node> {
        self.entry(name).map(|(_, value)| value).filter(|value| !value.is_null())
    }

    /// The key itself, for what is to be said about it.
    pub fn key(&self, name: &str) -> &'d Node {
        self.entry(name).map_or(self.node, |(key, _)| key)
    }

    pub fn text(&self, name: &str) -> Result<Option<&'d str>> {
        self.one(name, "text", Node::text)
    }

    pub fn number(&self, name: &str) -> Result<Option<u64>> {
        self.one(name, "a whole number", Node::number)
    }

    /// `true` unless it says otherwise.
    pub fn is_enabled(&self) -> Result<bool> {
        Ok(self.one("enabled", "true or false", Node::flag)?.unwrap_or(true))
    }

    /// Text that must be there.
    pub fn need(&self, name: &str) -> Result<&'d str> {
        let found = self.text(name)?;
        found.ok_or_else(|| self.document.refuse(self.node, format!("`{name}` is missing")))
    }

    pub fn list(&self, name: &str) -> Result<&'d [Node]> {
        match self.get(name).map(|node| (node, &node.holds)) {
            None => Ok(&[]),
            Some((_, Holds::List(items))) => Ok(items),
            Some((node, _)) => Err(self.expected(name, node, "a list")),
        }
    }

    /// A list of texts with the place of each.
    pub fn texts(&self, name: &str) -> Result<Vec<(&'d Node, &'d str)>> {
        let text = |node: &'d Node| match node.text() {
            Some(text) => Ok((node, text)),
            None => Err(self.expected(name, node, "text")),
        };
        self.list(name)?.iter().map(text).collect()
    }

    fn one<T>(&self, name: &str, kind: &str, read: impl FnOnce(&'d Node) -> Option<T>) -> Result<Option<T>> {
        let Some(node) = self.get(name) else { return Ok(None) };
        read(node).map(Some).ok_or_else(|| self.expected(name, node, kind))
    }

    fn expected(&self, name: &str, node: &Node, kind: &str) -> anyhow::Error {
        self.document.refuse(node, format!("`{name}`: expected {kind}, found {}", node.name()))
    }

    fn entry(&self, name: &str) -> Option<&'d (Node, Node)> {
        self.entries.iter().find(|(key, _)| key.text() == Some(name))
    }
}

fn unknown(name: &str, known: &Known) -> String {
    let names = || known.iter().map(|(key, _)| *key);
    let all = names().collect::<Vec<_>>().join(", ");
    let hint = suggestion(name, names()).map(|like| format!("; did you mean `{like}`?")).unwrap_or_default();
    format!("there is no key `{name}` here, it is left out{hint} (known are {all})")
}
