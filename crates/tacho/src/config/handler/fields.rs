//! A table of the file whose keys are known. What is read names its key in whole, such as `retry.attempts`.

use crate::config::file::suggestion;
use crate::config::selection;
use crate::config::setting::Kind;
use crate::config::values::Value;
use anyhow::{Context, Result, anyhow, bail, ensure};
use std::collections::BTreeMap;
use tacho_engine::handler::Key;
use tacho_event::Jq;

/// The keys of a list of the file, and what each does.
pub type Keys = &'static [(&'static str, &'static str)];

/// A table, and what stands before its keys: nothing, or `retry.`.
pub struct Fields<'t> {
    table: &'t toml::Table,
    path: String,
    keys: Keys,
}

impl<'t> Fields<'t> {
    /// The item itself.
    pub fn of_item(table: &'t toml::Table, keys: Keys) -> Result<Self> {
        Self::read(table, String::new(), keys)
    }

    fn read(table: &'t toml::Table, path: String, keys: Keys) -> Result<Self> {
        let known: Vec<&str> = keys
            .iter()
            .filter_map(|(key, _)| key.strip_prefix(path.as_str()))
            .map(|rest| rest.split('.').next().unwrap_or(rest))
            .collect();
        match table.keys().find(|name| !known.contains(&name.as_str())) {
            Some(strange) => Err(anyhow!(unknown(&path, strange, known))),
            None => Ok(Self { table, path, keys }),
        }
    }

    /// The table behind a key, when there is one.
    pub fn inner(&self, name: &str) -> Result<Option<Self>> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let table = value.as_table().ok_or_else(|| self.expected(name, "a table", value))?;
        Self::read(table, format!("{}{name}.", self.path), self.keys).map(Some)
    }

    pub fn get(&self, name: &str) -> Option<&'t toml::Value> {
        self.table.get(name)
    }

    /// The key in whole.
    pub fn name(&self, name: &str) -> String {
        format!("{}{name}", self.path)
    }

    pub fn text(&self, name: &str) -> Result<Option<String>> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let text = value.as_str().ok_or_else(|| self.expected(name, "text", value))?;
        ensure!(!text.is_empty(), "`{}` is empty", self.name(name));
        Ok(Some(text.to_owned()))
    }

    /// Text that must be there.
    pub fn need_text(&self, name: &str) -> Result<String> {
        self.text(name)?.with_context(|| format!("`{}` is missing", self.name(name)))
    }

    /// One of these texts.
    pub fn one_of(&self, name: &str, known: &[&str]) -> Result<Option<String>> {
        let text = self.text(name)?;
        if let Some(text) = text.as_deref().filter(|text| !known.contains(text)) {
            bail!("`{}` is {text:?}, but it is one of {}", self.name(name), known.join(", "));
        }
        Ok(text)
    }

    /// A list of texts; empty without the key.
    pub fn list(&self, name: &str) -> Result<Vec<String>> {
        let Some(value) = self.get(name) else { return Ok(Vec::new()) };
        if !value.is_array() {
            return Err(self.expected(name, "a list of texts, such as [\"python3\", \"handler.py\"]", value));
        }
        let texts = selection::texts(value).with_context(|| format!("`{}`", self.name(name)))?;
        Ok(texts.into_iter().map(str::to_owned).collect())
    }

    /// Names and values of one's own, both text.
    pub fn pairs(&self, name: &str) -> Result<BTreeMap<String, String>> {
        let Some(value) = self.get(name) else { return Ok(BTreeMap::new()) };
        let table = value.as_table().ok_or_else(|| self.expected(name, "a table", value))?;
        let pair = |(key, value): (&String, &toml::Value)| match value.as_str() {
            Some(text) => Ok((key.clone(), text.to_owned())),
            None => Err(self.expected(&format!("{name}.{key}"), "text", value)),
        };
        table.iter().map(pair).collect()
    }

    /// A whole number above 0.
    pub fn count(&self, name: &str) -> Result<Option<u64>> {
        self.above_0(name, self.number(name, Kind::Count)?, "1 or more")
    }

    /// A size above 0, in bytes.
    pub fn bytes(&self, name: &str) -> Result<Option<u64>> {
        self.above_0(name, self.number(name, Kind::Bytes)?, "a size such as \"4 MiB\"")
    }

    /// A duration above 0, in milliseconds.
    pub fn duration(&self, name: &str) -> Result<Option<u64>> {
        self.above_0(name, self.number(name, Kind::Milliseconds)?, "a duration such as \"2s\"")
    }

    /// A number that may be 0.
    pub fn number(&self, name: &str, kind: Kind) -> Result<Option<u64>> {
        let Some(value) = self.get(name) else { return Ok(None) };
        match Value::from_toml(kind, value).with_context(|| format!("`{}`", self.name(name)))? {
            Value::Number(number) => Ok(Some(number)),
            _ => Err(self.expected(name, "a number", value)),
        }
    }

    /// A part of a whole, 0 to 1.
    pub fn part(&self, name: &str) -> Result<Option<f64>> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let number = value.as_float().or_else(|| value.as_integer().map(|number| number as f64));
        let number = number.ok_or_else(|| self.expected(name, "a number", value))?;
        ensure!((0.0..=1.0).contains(&number), "`{}` is {number}, write 0 to 1", self.name(name));
        Ok(Some(number))
    }

    /// An attribute, or a jq program.
    pub fn key(&self, name: &str) -> Result<Option<Key>> {
        let read = |text: String| Key::parse(&text).with_context(|| format!("`{}`", self.name(name)));
        self.text(name)?.map(read).transpose()
    }

    /// The text of a jq program.
    pub fn program(&self, name: &str) -> Result<Option<String>> {
        let text = self.text(name)?;
        if let Some(text) = &text {
            Jq::compile(text).with_context(|| format!("`{}`", self.name(name)))?;
        }
        Ok(text)
    }

    fn above_0(&self, name: &str, number: Option<u64>, write: &str) -> Result<Option<u64>> {
        ensure!(number != Some(0), "`{}` is 0: write {write}", self.name(name));
        Ok(number)
    }

    fn expected(&self, name: &str, what: &str, found: &toml::Value) -> anyhow::Error {
        anyhow!("`{}`: expected {what}, found {}", self.name(name), found.type_str())
    }
}

fn unknown(path: &str, name: &str, known: Vec<&str>) -> String {
    match suggestion(name, known.iter().copied()) {
        Some(like) => format!("there is no key `{path}{name}`: did you mean `{path}{like}`?"),
        None => {
            let mut known: Vec<String> = known.iter().map(|key| format!("{path}{key}")).collect();
            known.dedup();
            format!("there is no key `{path}{name}`; known are {}", known.join(", "))
        }
    }
}
