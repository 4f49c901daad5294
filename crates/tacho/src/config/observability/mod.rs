//! `.claude/observability.yaml`: what a team's agents tell, where it goes, what is watched. Programs of its
//! team read the file too, so it is taken as it stands, and `tacho.toml` wins where both say something.
//!
//! It comes with a project, perhaps with somebody else's: it starts no program, drops no more than the types
//! that it names one by one, writes below the project alone, and listens on loopback alone.

mod alerts;
mod destinations;
mod fields;

use super::file::{Rules, unknown};
use super::rule::{Action, IngestRule};
use super::setting::Setting;
use super::values::{Origin, Value, Values};
use super::yaml::{Document, Holds, Node};
use alerts::Routes;
use anyhow::{Context, Result, bail};
use fields::{Fields, Known};
use std::path::{Path, PathBuf};
use tacho_engine::Condition;

/// Largest file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;
const MINUTE_NS: i64 = 60 * 1_000_000_000;
/// Longest window of the figures, in minutes: a year.
const WINDOW_MINUTES_MAX: u64 = 366 * 24 * 60;

const KEYS: &Known = &[
    ("version", "1."),
    ("events", "The types of events that the project tells."),
    ("destinations", "Where events go."),
    ("metrics", "The key figures."),
    ("alerts", "What is watched."),
    ("channels", "Who is told of alerts."),
];
const EVENT_KEYS: &Known = &[
    ("on", "The type."),
    ("enabled", "`false` drops events of the type before they are stored."),
    ("emit", "The fields of the payload. Whatever else a payload has is kept too."),
];
const METRIC_KEYS: &Known = &[
    ("track", "Names of figures. All are kept, named or not."),
    ("aggregate", "How they are taken together."),
];
const AGGREGATE_KEYS: &Known = &[
    ("window_minutes", "The window of the figures that alerts look at; 60 without it."),
    ("buckets", "`hourly`, `daily`, `weekly`. Figures of any length are computed from the log."),
];
const BUCKETS: [&str; 3] = ["hourly", "daily", "weekly"];

/// What the file says.
#[derive(Debug)]
pub struct Project {
    path: PathBuf,
    rules: Rules,
    listen: Option<(&'static Setting, Value, Origin)>,
    brought: Vec<Brought>,
    pub warnings: Vec<String>,
}

/// Something that the file brings, for `tacho config show`.
#[derive(Debug)]
pub struct Brought {
    pub name: String,
    pub value: String,
    pub origin: Origin,
}

impl Project {
    pub fn read(path: &Path) -> Result<Self> {
        let cannot = || format!("cannot read {}", path.display());
        let size = std::fs::metadata(path).with_context(cannot)?.len();
        if size > FILE_BYTES_MAX {
            bail!("{} has {size} bytes, more than the {FILE_BYTES_MAX} of a configuration", path.display());
        }
        Self::parse(path, &std::fs::read_to_string(path).with_context(cannot)?)
    }

    fn parse(path: &Path, text: &str) -> Result<Self> {
        let document = &Document::parse(path, text)?;
        let mut project = Self {
            path: path.to_owned(),
            rules: Rules::default(),
            listen: None,
            brought: Vec::new(),
            warnings: Vec::new(),
        };
        if document.root.is_null() {
            return Ok(project);
        }
        let fields = Fields::read(document, &document.root, KEYS, &mut project.warnings)?;
        if let Some(version) = fields.number("version")?.filter(|version| *version != 1) {
            let node = fields.get("version").unwrap_or(&document.root);
            return Err(document.refuse(node, format!("there is no version {version} of this file, write 1")));
        }
        for item in fields.list("events")? {
            project.event(document, item)?;
        }
        for item in fields.list("destinations")? {
            destinations::read(document, item, &mut project)?;
        }
        let window_ns = fields.get("metrics").map(|node| project.metrics(document, node)).transpose()?;
        let mut routes = Routes::default();
        for item in fields.list("alerts")? {
            alerts::read(document, item, window_ns.flatten(), &mut routes, &mut project)?;
        }
        let (channels, alerts) = (fields.get("channels"), fields.get("alerts"));
        alerts::channels(document, channels, alerts, &routes, &mut project)?;
        Ok(project)
    }

    /// A type may be named alone.
    fn event(&mut self, document: &Document<'_>, node: &Node) -> Result<()> {
        if matches!(node.holds, Holds::Scalar { .. }) {
            return Ok(());
        }
        let fields = Fields::read(document, node, EVENT_KEYS, &mut self.warnings)?;
        let kind = fields.need("on")?;
        fields.texts("emit")?;
        if fields.is_enabled()? {
            return Ok(());
        }
        if kind.contains('*') {
            let told = format!(
                "`on`: {kind:?} is a pattern: name each type that is dropped, or write an [[ingest.rule]] in tacho.toml"
            );
            return Err(document.refuse(fields.get("on").unwrap_or(node), told));
        }
        let rule =
            IngestRule { pattern: kind.to_owned(), action: Action::Drop, keep: None, max_string_bytes: None };
        self.rules.ingest.push(rule);
        self.bring(node, "ingest.rule".to_owned(), format!("drop {kind}"));
        Ok(())
    }

    /// Answers the window of the figures.
    fn metrics(&mut self, document: &Document<'_>, node: &Node) -> Result<Option<i64>> {
        let fields = Fields::read(document, node, METRIC_KEYS, &mut self.warnings)?;
        for (node, name) in fields.texts("track")? {
            if let Err(error) = Condition::parse(&format!("{name} > 0")) {
                self.warnings.push(document.say(node, format!("`track`: {error}")));
            }
        }
        let Some(node) = fields.get("aggregate") else { return Ok(None) };
        let fields = Fields::read(document, node, AGGREGATE_KEYS, &mut self.warnings)?;
        for (node, name) in fields.texts("buckets")? {
            if !BUCKETS.contains(&name) {
                self.warnings.push(document.say(node, unknown("bucket", name, BUCKETS.into_iter())));
            }
        }
        let Some(minutes) = fields.number("window_minutes")? else { return Ok(None) };
        let node = fields.get("window_minutes").unwrap_or(node);
        if !(1..=WINDOW_MINUTES_MAX).contains(&minutes) {
            let told = format!("`window_minutes`: write 1 to {WINDOW_MINUTES_MAX}");
            return Err(document.refuse(node, told));
        }
        self.bring(node, "alert.window".to_owned(), format!("{minutes}m"));
        Ok(i64::try_from(minutes).ok().map(|minutes| minutes * MINUTE_NS))
    }

    fn bring(&mut self, node: &Node, name: String, value: String) {
        self.brought.push(Brought { name, value, origin: Origin::File(self.path.clone(), node.line) });
    }

    /// Adds what `tacho.toml`, the environment and flags leave open; answers what there is of it.
    pub fn merge_into(self, values: &mut Values, rules: &mut Rules) -> Vec<Brought> {
        let mut brought = self.brought;
        let mut leave_out = |name: &str, text: &str| {
            for item in brought.iter_mut().filter(|item| item.name == name && says(&item.value, text)) {
                item.value.push_str(", left out: tacho.toml says something of it");
            }
        };
        for rule in self.rules.ingest {
            match rules.ingest.iter().any(|other| other.pattern == rule.pattern) {
                true => leave_out("ingest.rule", &format!("drop {}", rule.pattern)),
                false => rules.ingest.push(rule),
            }
        }
        let own = std::mem::take(&mut rules.alerts);
        for rule in self.rules.alerts {
            match own.iter().any(|other| other.condition.metric == rule.condition.metric) {
                true => leave_out("alert", &rule.condition.to_string()),
                false => rules.alerts.push(rule),
            }
        }
        rules.alerts.splice(0..0, own);
        let known = rules.sinks.len();
        for sink in self.rules.sinks {
            match rules.sinks[..known].iter().any(|other| other.is_like(&sink)) {
                true => leave_out(&format!("sink.{}", sink.name), ""),
                false => rules.sinks.push(sink),
            }
        }
        if let Some((setting, value, origin)) = self.listen
            && *values.origin(setting.name) == Origin::Default
        {
            values.set(setting, value, origin);
        }
        brought
    }
}

/// Whether what was brought is about `text`; what it says beyond stands behind a space.
fn says(value: &str, text: &str) -> bool {
    text.is_empty() || value == text || value.starts_with(&format!("{text} ("))
}
