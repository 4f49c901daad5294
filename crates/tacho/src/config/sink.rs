//! `[[sink]]`: where events go.

use super::file::unknown;
use super::secret::SecretPlace;
use super::selection;
use super::setting::Kind;
use super::values::Value;
use anyhow::{Context, Result, anyhow, bail, ensure};
use std::time::Duration;
use tacho_connector::{KINDS, Settings, Surroundings, find};
use tacho_engine::delivery::{Handler, Policy, check_name};
use tacho_event::{Filter, Pattern};

/// The list's name in the file.
pub const TABLE: &str = "sink";
/// A sink as it is configured.
#[derive(Debug)]
pub struct Sink {
    pub kind: &'static str,
    pub name: String,
    pub filter: Filter,
    pub policy: Policy,
    settings: Settings,
    secret: Option<SecretPlace>,
}

/// A key, what it holds, and what it does.
pub struct Key {
    pub name: &'static str,
    pub holds: Holds,
    pub doc: &'static str,
}

/// What a key holds: text of its own meaning, or what a setting can hold.
#[derive(Clone, Copy)]
pub enum Holds {
    Text,
    Filter,
    Setting(Kind),
}

const fn key(name: &'static str, holds: Holds, doc: &'static str) -> Key {
    Key { name, holds, doc }
}

/// The keys of every kind, then those that only some kinds have.
pub const KEYS: &[Key] = &[
    key("kind", Holds::Text, "What it delivers to; see below."),
    key(
        "name",
        Holds::Text,
        "Names its cursor on the log and its dead letters; else the kind, `-2` behind the second of it.",
    ),
    key(
        "on",
        Holds::Filter,
        "What it gets: a pattern of types, a list of them, or a table of conditions such as `{ type = \"claude.*\", stream = \"session/*\", where = \".data.cost_usd > 1\" }`. Types `tacho.*` only when named so.",
    ),
    key(
        "start",
        Holds::Text,
        "Where it begins when it was never there: `now`, `start`, or the position behind which. Default `now`.",
    ),
    key("batch.events", Holds::Setting(Kind::Count), "Most events that go out together."),
    key(
        "batch.bytes",
        Holds::Setting(Kind::Bytes),
        "Most bytes that go out together; one event always fits. Default 1 MiB.",
    ),
    key("batch.window_ms", Holds::Setting(Kind::Milliseconds), "How long an event waits for others."),
    key(
        "retry.attempts",
        Holds::Setting(Kind::Count),
        "Attempts of an event, the first one counted; then it is a dead letter. 0, the default: until it is taken.",
    ),
    key(
        "retry.first_ms",
        Holds::Setting(Kind::Milliseconds),
        "The pause behind the first failure; each further one doubles it. Default 500.",
    ),
    key("retry.longest_ms", Holds::Setting(Kind::Milliseconds), "The longest pause. Default 60000."),
    key("path", Holds::Text, "The file or folder."),
    key("url", Holds::Text, "The receiver."),
    key("mode", Holds::Text, "`http`: `batch`, `structured` or `payload`. `otlp`: `protobuf` or `json`."),
    key(
        "signals",
        Holds::Text,
        "`otlp`: `traces` or `logs` alone, for a receiver of one of them. Default `all`.",
    ),
    key("from", Holds::Text, "The mail address that writes, such as `Tachograph <tacho@example.com>`."),
    key("to", Holds::Text, "The mail addresses that are written to, commas between them."),
    key("user", Holds::Text, "The name at the mail server; the secret is its password."),
    key("secret_env", Holds::Text, "The environment variable that holds the secret."),
    key("secret_file", Holds::Text, "The file whose first line is the secret."),
    key("timeout_ms", Holds::Setting(Kind::Milliseconds), "How long one attempt may take. Default 10000."),
    key(
        "quiet_ms",
        Holds::Setting(Kind::Milliseconds),
        "How long a session is quiet before what it began counts as unfinished. Default 1800000.",
    ),
    key(
        "rotate.bytes",
        Holds::Setting(Kind::Bytes),
        "`jsonl`: the size behind which a new file begins. `files`: of all files together; the oldest go.",
    ),
    key(
        "rotate.age_ms",
        Holds::Setting(Kind::Milliseconds),
        "`jsonl`: the age behind which a new file begins. `files`: the age at which a file goes. May be written `\"7d\"`.",
    ),
    key("rotate.keep", Holds::Setting(Kind::Count), "How many old files are kept; all without it."),
];
/// How many of the keys every kind has.
const FOR_ALL: usize = 10;

/// Reads one item of the list; `others` are those before it.
pub fn read(item: &toml::Value, others: &[Sink]) -> Result<Sink> {
    let table = item.as_table().context("write [[sink]] above each sink")?;
    let name = table.get("kind").and_then(toml::Value::as_str).context("[[sink]]: `kind` is missing")?;
    let Some(kind) = find(name) else {
        bail!(unknown("kind", name, KINDS.iter().map(|kind| kind.name)));
    };
    let mut sink = Sink {
        kind: kind.name,
        name: free_name(kind.name, others),
        filter: Filter::default(),
        policy: Policy { batch: (kind.batch)(), ..Policy::default() },
        settings: Settings::default(),
        secret: None,
    };
    for (name, value) in flat(table) {
        let known = KEYS.iter().enumerate().find(|(_, key)| key.name == name);
        let Some((index, key)) = known else {
            bail!(unknown("key", &name, KEYS.iter().map(|key| key.name)));
        };
        let is_taken = index < FOR_ALL || kind.keys.contains(&key.name);
        ensure!(is_taken, "`{name}` is no key of the kind `{}`", kind.name);
        set(&mut sink, key, value).map_err(|error| match key.holds {
            Holds::Filter => error,
            _ => anyhow!("`{name}`: {error:#}"),
        })?;
    }
    if sink.filter.types.is_empty() {
        sink.filter.types = kind.types.iter().map(|kind| Pattern::new(*kind)).collect();
    }
    check_name(&sink.name)?;
    ensure!(others.iter().all(|other| other.name != sink.name), "two sinks are named {:?}", sink.name);
    let has_secret = sink.secret.is_some();
    (kind.check)(&sink.settings, has_secret).with_context(|| format!("sink `{}`", sink.name))?;
    Ok(sink)
}

impl Sink {
    /// Whether the other has its name, or delivers the same to the same place.
    pub fn is_like(&self, other: &Self) -> bool {
        let (own, theirs) = (&self.settings, &other.settings);
        let is_same_place = self.kind == other.kind && own.path == theirs.path && own.url == theirs.url;
        self.name == other.name || (is_same_place && self.is_of_alerts() == other.is_of_alerts())
    }

    /// Whether it gets what the program itself tells.
    fn is_of_alerts(&self) -> bool {
        self.filter.types.iter().any(|pattern| pattern.as_str().starts_with("tacho."))
    }

    /// Ready to be started.
    pub fn open(&self, surroundings: &Surroundings) -> Result<Handler> {
        let kind = find(self.kind).context("the kind is in the list")?;
        let mut settings = self.settings.clone();
        settings.filter = self.filter.clone();
        settings.secret = self.secret.as_ref().map(SecretPlace::read).transpose()?;
        let deliver = (kind.open)(&settings, surroundings);
        let deliver = deliver.with_context(|| format!("sink `{}`", self.name))?;
        let (filter, policy) = (self.filter.clone(), self.policy.clone());
        Ok(Handler { name: self.name.clone(), kind: self.kind, filter, policy, deliver })
    }
}

/// `batch = { events = 7 }` as `batch.events = 7`; `on` stays whole.
fn flat(table: &toml::Table) -> Vec<(String, &toml::Value)> {
    let mut keys = Vec::new();
    for (name, value) in table {
        match value.as_table().filter(|_| name != "on") {
            Some(inner) => keys.extend(inner.iter().map(|(key, value)| (format!("{name}.{key}"), value))),
            None => keys.push((name.clone(), value)),
        }
    }
    keys
}

fn set(sink: &mut Sink, key: &Key, value: &toml::Value) -> Result<()> {
    match key.holds {
        Holds::Filter => {
            sink.filter = selection::filter(value)?;
            Ok(())
        }
        Holds::Text => {
            let text =
                value.as_str().map(str::to_owned).or_else(|| value.as_integer().map(|n| n.to_string()));
            let text = text.with_context(|| format!("expected text, found {}", value.type_str()))?;
            set_text(sink, key.name, text)
        }
        Holds::Setting(kind) => match Value::from_toml(kind, value)? {
            Value::Number(number) => set_number(sink, key.name, number),
            _ => bail!("expected a number"),
        },
    }
}

fn set_text(sink: &mut Sink, key: &str, text: String) -> Result<()> {
    match key {
        "name" => sink.name = text,
        "start" => sink.policy.start = selection::start(&text)?,
        "path" => sink.settings.path = Some(text.into()),
        "url" => sink.settings.url = Some(text),
        "mode" => sink.settings.mode = Some(text),
        "from" => sink.settings.from = Some(text),
        "to" => sink.settings.to = Some(text),
        "user" => sink.settings.user = Some(text),
        "signals" => sink.settings.signals = Some(text),
        "secret_env" => sink.secret = Some(SecretPlace::Variable(text)),
        "secret_file" => sink.secret = Some(SecretPlace::File(text)),
        _ => {}
    }
    Ok(())
}

fn set_number(sink: &mut Sink, key: &str, number: u64) -> Result<()> {
    let size = usize::try_from(number).unwrap_or(usize::MAX);
    let (policy, settings) = (&mut sink.policy, &mut sink.settings);
    match key {
        "batch.events" => policy.batch.events = size,
        "batch.bytes" => policy.batch.bytes = size,
        "batch.window_ms" => policy.batch.window_ms = number,
        "retry.attempts" => {
            policy.retry.attempts = (number > 0).then(|| u32::try_from(number).unwrap_or(u32::MAX));
        }
        "retry.first_ms" => policy.retry.first_ms = number,
        "retry.longest_ms" => policy.retry.longest_ms = number,
        "timeout_ms" => settings.timeout_ms = Some(number),
        "quiet_ms" => settings.quiet_ms = Some(number),
        "rotate.bytes" => settings.rotation.bytes = Some(number),
        "rotate.age_ms" => settings.rotation.age = Some(Duration::from_millis(number)),
        "rotate.keep" => settings.rotation.keep = Some(size),
        _ => {}
    }
    Ok(())
}

/// The kind's name, with a number behind it for the second one of the kind.
fn free_name(kind: &str, others: &[Sink]) -> String {
    match others.iter().filter(|other| other.kind == kind).count() {
        0 => kind.to_owned(),
        more => format!("{kind}-{}", more + 1),
    }
}
