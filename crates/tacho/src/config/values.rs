//! The effective value of every setting, and where each came from.

use super::file::unknown;
use super::setting::{self, Kind, SETTINGS, Setting, TABLES};
use anyhow::{Context, Result, anyhow, bail};
use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Read by hooks alone, which read no configuration.
const HOOK_DEBUG: &str = "TACHO_HOOK_DEBUG";

/// A value that fits its setting's kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Text(String),
    Number(u64),
    Flag(bool),
    Texts(Vec<String>),
}

/// Who set it; the later one wins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    Default,
    /// A file and a line of it, 1-based.
    File(PathBuf, usize),
    Variable(String),
    Flag(&'static str),
}

#[derive(Debug)]
pub struct Values {
    by_name: BTreeMap<&'static str, (Value, Origin)>,
}

impl Values {
    pub fn defaults() -> Result<Self> {
        let mut values = Self { by_name: BTreeMap::new() };
        for setting in SETTINGS {
            values.set(setting, Value::parse(setting.kind, setting.default)?, Origin::Default);
        }
        Ok(values)
    }

    pub fn set(&mut self, setting: &'static Setting, value: Value, origin: Origin) {
        self.by_name.insert(setting.name, (value, origin));
    }

    /// Takes the variables of the environment that name a setting. One that looks as if it did is an error.
    pub fn read_environment(&mut self) -> Result<()> {
        let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        if let Some(strange) = names.into_iter().find(|name| is_strange(name)) {
            let known: Vec<String> = SETTINGS.iter().map(Setting::variable).collect();
            bail!(unknown("variable", &strange, known.iter().map(String::as_str)));
        }
        for setting in SETTINGS {
            let name = setting.variable();
            let Some(text) = std::env::var_os(&name).filter(|text| !text.is_empty()) else { continue };
            let text = text.to_str().with_context(|| format!("{name} is not UTF-8"))?;
            let value = Value::parse(setting.kind, text).with_context(|| format!("{name} cannot be read"))?;
            self.set(setting, value, Origin::Variable(name));
        }
        Ok(())
    }

    pub fn iter(&self) -> impl Iterator<Item = (&'static Setting, &Value, &Origin)> {
        SETTINGS.iter().map(|setting| {
            let (value, origin) = &self.by_name[setting.name];
            (setting, value, origin)
        })
    }

    pub fn number(&self, name: &str) -> u64 {
        match self.get(name) {
            Value::Number(number) => *number,
            other => unreachable!("{name} is a number by its kind, not {other:?}"),
        }
    }

    pub fn size(&self, name: &str) -> usize {
        usize::try_from(self.number(name)).unwrap_or(usize::MAX)
    }

    pub fn flag(&self, name: &str) -> bool {
        match self.get(name) {
            Value::Flag(flag) => *flag,
            other => unreachable!("{name} is a flag by its kind, not {other:?}"),
        }
    }

    pub fn text(&self, name: &str) -> &str {
        match self.get(name) {
            Value::Text(text) => text,
            other => unreachable!("{name} is text by its kind, not {other:?}"),
        }
    }

    pub fn texts(&self, name: &str) -> &[String] {
        match self.get(name) {
            Value::Texts(texts) => texts,
            other => unreachable!("{name} is a list by its kind, not {other:?}"),
        }
    }

    pub fn origin(&self, name: &str) -> &Origin {
        &self.by_name[name].1
    }

    fn get(&self, name: &str) -> &Value {
        debug_assert!(setting::find(name).is_some(), "{name} is in the list");
        &self.by_name[name].0
    }
}

impl Value {
    /// Reads the text of a variable, a flag or a default.
    pub fn parse(kind: Kind, text: &str) -> Result<Self> {
        let text = text.trim();
        Ok(match kind {
            Kind::Path => Self::Text(text.to_owned()),
            Kind::Dollars => Self::Text(dollars(text)?),
            Kind::Address => Self::Text(address(text)?),
            Kind::Count => Self::Number(text.parse().map_err(|_| anyhow!("{text:?} is no whole number"))?),
            Kind::Bytes => Self::Number(bytes(text)?),
            Kind::Milliseconds => Self::Number(milliseconds(text)?),
            Kind::Flag => match text {
                "true" | "1" => Self::Flag(true),
                "false" | "0" => Self::Flag(false),
                _ => bail!("{text:?} is neither true nor false"),
            },
            Kind::Texts => Self::Texts(
                text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect(),
            ),
        })
    }

    /// Reads a value of the file.
    pub fn from_toml(kind: Kind, value: &toml::Value) -> Result<Self> {
        match (kind, value) {
            (Kind::Count | Kind::Bytes | Kind::Milliseconds, toml::Value::Integer(number)) => {
                Ok(Self::Number(u64::try_from(*number).context("the number is negative")?))
            }
            (Kind::Dollars, toml::Value::Integer(_) | toml::Value::Float(_)) => {
                Self::parse(kind, &value.to_string())
            }
            (Kind::Flag, toml::Value::Boolean(flag)) => Ok(Self::Flag(*flag)),
            (Kind::Count | Kind::Flag | Kind::Texts, toml::Value::String(_)) => {
                bail!(wrong_kind(kind, value))
            }
            (Kind::Texts, toml::Value::Array(items)) => {
                let texts = items.iter().map(|item| item.as_str().map(str::to_owned));
                Ok(Self::Texts(texts.collect::<Option<_>>().with_context(|| wrong_kind(kind, value))?))
            }
            (_, toml::Value::String(text)) => Self::parse(kind, text),
            _ => bail!(wrong_kind(kind, value)),
        }
    }

    /// As JSON, for `config show --json`.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Text(text) => text.clone().into(),
            Self::Number(number) => (*number).into(),
            Self::Flag(flag) => (*flag).into(),
            Self::Texts(texts) => texts.clone().into(),
        }
    }
}

/// Whether the name begins like those of settings, without being one.
fn is_strange(name: &str) -> bool {
    let of_a_table = TABLES.iter().any(|(table, _)| {
        let rest =
            name.strip_prefix("TACHO_").and_then(|rest| rest.strip_prefix(table.to_uppercase().as_str()));
        rest.is_some_and(|rest| rest.starts_with('_'))
    });
    of_a_table && name != HOOK_DEBUG && !SETTINGS.iter().any(|setting| setting.variable() == name)
}

fn wrong_kind(kind: Kind, value: &toml::Value) -> String {
    format!("expected {}, found {}", kind.name(), value.type_str())
}

fn dollars(text: &str) -> Result<String> {
    let amount: Option<f64> = text.parse().ok().filter(|amount| (0.0..1e9).contains(amount) && *amount > 0.0);
    if text.is_empty() || amount.is_some() {
        return Ok(text.to_owned());
    }
    bail!("{text:?} is no amount of US dollars above 0")
}

fn address(text: &str) -> Result<String> {
    if text.is_empty() {
        return Ok(String::new());
    }
    let text = if text.starts_with("localhost:") {
        text.replacen("localhost", "127.0.0.1", 1)
    } else {
        text.to_owned()
    };
    text.parse::<SocketAddr>()
        .with_context(|| format!("{text:?} is no address: write one such as 127.0.0.1:3010"))?;
    Ok(text)
}

fn bytes(text: &str) -> Result<u64> {
    let refuse = || format!("{text:?} is no size: write a number of bytes, or one such as 64 MiB");
    let digits = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..digits].parse().map_err(|_| anyhow!(refuse()))?;
    let factor = match text[digits..].trim() {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => bail!(refuse()),
    };
    number.checked_mul(factor).with_context(refuse)
}

fn milliseconds(text: &str) -> Result<u64> {
    if let Ok(number) = text.parse() {
        return Ok(number);
    }
    let nanos = tacho_event::time::parse_duration_ns(text)
        .with_context(|| format!("{text:?} is no duration: write milliseconds, or one such as 2s"))?;
    Ok(nanos.unsigned_abs() / 1_000_000)
}

impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(formatter, "{text:?}"),
            Self::Number(number) => write!(formatter, "{number}"),
            Self::Flag(flag) => write!(formatter, "{flag}"),
            Self::Texts(texts) => write!(formatter, "{texts:?}"),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => formatter.write_str("default"),
            Self::File(path, line) => write!(formatter, "{}:{line}", path.display()),
            Self::Variable(name) => formatter.write_str(name),
            Self::Flag(name) => formatter.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_durations() {
        assert_eq!(bytes("64 MiB").unwrap(), 64 << 20);
        assert_eq!(bytes("7").unwrap(), 7);
        assert!(bytes("7 MB").is_err() && bytes("").is_err() && bytes("99999999999999999 GiB").is_err());
        assert_eq!((milliseconds("2s").unwrap(), milliseconds("50").unwrap()), (2_000, 50));
    }

    #[test]
    fn every_default_fits_its_kind_and_every_table_is_described() {
        Values::defaults().unwrap();
        for setting in SETTINGS {
            assert!(setting::TABLES.iter().any(|(table, _)| *table == setting.table()), "{}", setting.name);
        }
    }
}
