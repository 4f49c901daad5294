//! `tacho.toml`: raw, as it is written. Keys that nobody knows are errors with a suggestion.

use super::alert;
use super::handler::{self, Handler, hexadecimal};
use super::heal;
use super::mcp::{self, ToolServer};
use super::projection;
use super::rule::{self, IngestRule, RedactRule};
use super::setting::{SETTINGS, TABLES, find};
use super::sink::{self, Sink};
use super::values::{Origin, Value, Values};
use anyhow::{Context, Result, anyhow, bail};
use sha2::{Digest, Sha256};
use std::path::Path;
use std::sync::Arc;
use tacho_engine::{Price, Program, Rule, heal::Rule as HealRule};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Largest file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// Least likeness of a suggestion, 0 to 1.
const LIKENESS: f64 = 0.7;

/// Rules of the file; they have no place in the list of settings.
#[derive(Debug, Default)]
pub struct Rules {
    pub ingest: Vec<IngestRule>,
    pub redact: Vec<RedactRule>,
    pub sinks: Vec<Sink>,
    pub handlers: Vec<Handler>,
    pub servers: Vec<ToolServer>,
    /// In the order in which they are tried.
    pub heals: Vec<HealRule>,
    /// Those of the file; without any, the defaults hold.
    pub alerts: Vec<Rule>,
    pub prices: Vec<Price>,
    pub projections: Vec<Arc<Program>>,
}

impl Rules {
    /// A name is a cursor on the log, so a handler and a sink cannot share one.
    pub fn check_names(&self) -> Result<()> {
        let is_taken = |name: &str| self.sinks.iter().any(|sink| sink.name == name);
        if let Some(handler) = self.handlers.iter().find(|handler| is_taken(&handler.name)) {
            bail!("a handler and a sink are named {:?}: rename one of them", handler.name);
        }
        let is_taken = |name: &str| is_taken(name) || self.handlers.iter().any(|one| one.name == name);
        match self.servers.iter().find(|server| is_taken(&server.name)) {
            Some(server) => {
                bail!("a tool server and another are named {:?}: rename one of them", server.name)
            }
            None => Ok(()),
        }
    }

    /// What starts programs, and which: of the file in the working folder alone where `in_question`.
    pub fn programs(&self, in_question: bool) -> Vec<(String, String)> {
        let handlers = self.handlers.iter().map(|one| (&one.name, &one.run, one.needs_trust));
        let servers = self.servers.iter().map(|one| (&one.name, &one.run, one.needs_trust));
        handlers
            .chain(servers)
            .filter(|(_, _, needs_trust)| *needs_trust || !in_question)
            .filter_map(|(name, run, _)| Some((name.clone(), run.program()?)))
            .collect()
    }
}

/// Reads the file into `values`, and answers its rules, and the SHA-256 of what was read in hexadecimal digits.
pub fn read(path: &Path, values: &mut Values) -> Result<(Rules, String)> {
    let size = std::fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?.len();
    if size > FILE_BYTES_MAX {
        bail!("{} has {size} bytes, more than the {FILE_BYTES_MAX} of a configuration", path.display());
    }
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok((apply(path, &text, values)?, hexadecimal(&Sha256::digest(&text))))
}

pub(super) fn apply(path: &Path, text: &str, values: &mut Values) -> Result<Rules> {
    let table = DeTable::parse(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_of(text, span.start));
        anyhow!("{}:{line}: {}", path.display(), error.message())
    })?;
    let mut rules = Rules::default();
    for (name, value) in table.get_ref() {
        let at = Place { table: name.get_ref(), path, text, line: line_of(text, name.span().start) };
        let known = TABLES.iter().map(|(table, _)| *table).chain([sink::TABLE]).chain(alert::TABLES);
        let known = known.chain([projection::TABLE, handler::TABLE, mcp::TABLE, heal::TABLE]);
        match name.get_ref().as_ref() {
            sink::TABLE => {
                let sinks = read_items(&at, value, "kind", sink::read)?;
                rules.sinks.splice(0..0, sinks);
                continue;
            }
            handler::TABLE => {
                rules.handlers = read_items(&at, value, "name", handler::read)?;
                continue;
            }
            mcp::TABLE => {
                rules.servers = read_items(&at, value, "name", mcp::read)?;
                continue;
            }
            heal::TABLE => {
                rules.heals = read_items(&at, value, "name", heal::read)?;
                continue;
            }
            "alert" => {
                rules.alerts = read_items(&at, value, "condition", |item, _| alert::alert(item))?;
                continue;
            }
            "price" => {
                rules.prices = read_items(&at, value, "model", |item, _| alert::price(item))?;
                continue;
            }
            projection::TABLE => {
                let folder = path.parent().unwrap_or(Path::new("."));
                let read =
                    |item: &toml::Value, others: &[Arc<Program>]| projection::read(item, folder, others);
                rules.projections = read_items(&at, value, "name", read)?;
                continue;
            }
            "alerts" => {
                let channels = alert::channels(&to_value(value), &[]);
                rules.sinks.extend(channels.map_err(|error| at.refuse(format!("{error:#}")))?);
                continue;
            }
            _ => {}
        }
        if !TABLES.iter().any(|(table, _)| table == name.get_ref()) {
            return Err(at.unknown("table", name.get_ref(), known));
        }
        let DeValue::Table(keys) = value.get_ref() else {
            return Err(at.refuse(format!(
                "`{}` is a table: write [{}] above its keys",
                name.get_ref(),
                name.get_ref()
            )));
        };
        read_table(&at, name.get_ref(), keys, values, &mut rules)?;
    }
    rules.check_names().with_context(|| path.display().to_string())?;
    Ok(rules)
}

fn read_table(
    file: &Place<'_>,
    table: &str,
    keys: &DeTable<'_>,
    values: &mut Values,
    rules: &mut Rules,
) -> Result<()> {
    for (key, value) in keys {
        let at = Place { line: line_of(file.text, key.span().start), ..*file };
        let owned = to_value(value);
        match (table, key.get_ref().as_ref()) {
            ("ingest", "rule") => {
                rules.ingest = rule::ingest(&owned).map_err(|error| at.refuse(format!("{error:#}")))?
            }
            ("redact", "rule") => {
                rules.redact = rule::redact(&owned).map_err(|error| at.refuse(format!("{error:#}")))?;
                for (index, rule) in rules.redact.iter().enumerate() {
                    let at = Place { line: line_of_item(file.text, value, index, "pattern"), ..at };
                    rule.check().map_err(|reason| at.refuse(reason))?;
                }
            }
            (_, key) => {
                let Some(setting) = find(&format!("{table}.{key}")) else {
                    let known = SETTINGS
                        .iter()
                        .filter(|setting| setting.table() == table)
                        .map(|setting| setting.key());
                    return Err(at.unknown("key", key, known));
                };
                let value = Value::from_toml(setting.kind, &owned)
                    .map_err(|error| at.refuse(format!("`{}`: {error:#}", setting.name)))?;
                values.set(setting, value, Origin::File(file.path.to_owned(), at.line));
            }
        }
    }
    Ok(())
}

/// The items of an array of tables; `key` is the one whose line an error names.
fn read_items<T>(
    file: &Place<'_>,
    value: &Spanned<DeValue<'_>>,
    key: &str,
    read: impl Fn(&toml::Value, &[T]) -> Result<T>,
) -> Result<Vec<T>> {
    let DeValue::Array(items) = value.get_ref() else {
        return Err(file.refuse(format!("write [[{0}]] above each {0}", file.table)));
    };
    let mut found: Vec<T> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let at = Place { line: line_of_item(file.text, value, index, key), ..*file };
        let item = read(&to_value(item), &found).map_err(|error| at.refuse(format!("{error:#}")))?;
        found.push(item);
    }
    Ok(found)
}

/// A line of the file, for errors.
#[derive(Clone, Copy)]
struct Place<'a> {
    table: &'a str,
    path: &'a Path,
    text: &'a str,
    line: usize,
}

impl Place<'_> {
    fn refuse(&self, what: String) -> anyhow::Error {
        anyhow!("{}:{}: {what}", self.path.display(), self.line)
    }

    fn unknown<'k>(
        &self,
        what: &str,
        name: &str,
        known: impl Iterator<Item = &'k str> + Clone,
    ) -> anyhow::Error {
        self.refuse(unknown(what, name, known))
    }
}

/// What to say about a name that is not known.
pub(super) fn unknown<'k>(what: &str, name: &str, known: impl Iterator<Item = &'k str> + Clone) -> String {
    match suggestion(name, known.clone()) {
        Some(like) => format!("there is no {what} `{name}`: did you mean `{like}`?"),
        None => format!("there is no {what} `{name}`; known are {}", known.collect::<Vec<_>>().join(", ")),
    }
}

pub(super) fn suggestion<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    known
        .map(|candidate| (strsim::jaro_winkler(name, candidate), candidate))
        .filter(|(likeness, _)| *likeness >= LIKENESS)
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .map(|(_, candidate)| candidate)
}

fn line_of(text: &str, offset: usize) -> usize {
    text[..offset.min(text.len())].matches('\n').count() + 1
}

/// The line of a key in an item of an array of tables, else of what is known to be nearest to it.
fn line_of_item(text: &str, items: &Spanned<DeValue<'_>>, index: usize, key: &str) -> usize {
    let item = match items.get_ref() {
        DeValue::Array(items) => items.get(index),
        _ => None,
    };
    let table = item.and_then(|item| match item.get_ref() {
        DeValue::Table(table) => table.keys().find(|name| name.get_ref() == key),
        _ => None,
    });
    let span = table.map(Spanned::span).or_else(|| item.map(Spanned::span));
    line_of(text, span.unwrap_or_else(|| items.span()).start)
}

fn to_value(value: &Spanned<DeValue<'_>>) -> toml::Value {
    match value.get_ref() {
        DeValue::String(text) => toml::Value::String(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or_else(|_| toml::Value::String(number.to_string()), toml::Value::Integer),
        DeValue::Float(number) => toml::Value::Float(number.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(flag) => toml::Value::Boolean(*flag),
        DeValue::Datetime(moment) => toml::Value::Datetime(*moment),
        DeValue::Array(items) => toml::Value::Array(items.iter().map(to_value).collect()),
        DeValue::Table(table) => toml::Value::Table(
            table.iter().map(|(key, value)| (key.get_ref().to_string(), to_value(value))).collect(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        let mut values = Values::defaults().unwrap();
        format!("{:#}", apply(Path::new("tacho.toml"), text, &mut values).unwrap_err())
    }

    #[test]
    fn a_file_sets_values_and_says_where() {
        let mut values = Values::defaults().unwrap();
        let text = "[journal]\nsegment_bytes = \"1 MiB\"\n\n[server]\nlisten = \"localhost:4000\"\nallowed_origins = [\"null\"]\n[view]\nwait_ms = \"2s\"\n";
        apply(Path::new("t.toml"), text, &mut values).unwrap();
        assert_eq!(values.number("journal.segment_bytes"), 1 << 20);
        assert_eq!(values.text("server.listen"), "127.0.0.1:4000");
        assert_eq!(values.texts("server.allowed_origins"), ["null"]);
        assert_eq!(values.number("view.wait_ms"), 2_000);
        assert_eq!(values.origin("server.listen").to_string(), "t.toml:5");
    }

    #[test]
    fn sinks_are_read_and_refused_with_their_line() {
        let mut values = Values::defaults().unwrap();
        let text = "[[sink]]\nkind = \"jsonl\"\npath = \"a\"\nbatch.events = 7\nrotate.age_ms = \"7d\"\n[[sink]]\nkind = \"jsonl\"\npath = \"b\"\non = { type = [\"a.*\", \"b\"], session = \"s\" }\nretry = { attempts = 3 }\n";
        let sinks = apply(Path::new("t.toml"), text, &mut values).unwrap().sinks;
        assert_eq!((sinks[0].name.as_str(), sinks[1].name.as_str()), ("jsonl", "jsonl-2"));
        assert_eq!((sinks[0].policy.batch.events, sinks[1].policy.retry.attempts), (7, Some(3)));
        assert_eq!((sinks[1].filter.types.len(), sinks[1].filter.session.as_deref()), (2, Some("s")));
        for (text, told) in [
            ("[sink]", "tacho.toml:1: write [[sink]] above each sink"),
            ("\n[[sink]]\nkind = \"jsonk\"", "tacho.toml:3: there is no kind `jsonk`: did you mean `jsonl`?"),
            (
                "[[sink]]\nkind = \"jsonl\"\npth = 1",
                "tacho.toml:2: there is no key `pth`: did you mean `path`?",
            ),
            ("[[sink]]\nkind = \"jsonl\"", "tacho.toml:2: sink `jsonl`: `path` is missing"),
            (
                "[[sink]]\nkind = \"console\"\npath = \"a\"",
                "tacho.toml:2: `path` is no key of the kind `console`",
            ),
            (
                "[[sink]]\nkind = \"console\"\non.tipe = \"a\"",
                "tacho.toml:2: there is no filter `tipe`: did you mean `type`?",
            ),
            ("[[sink]]\nkind = \"console\"\nname = \"A b\"", "tacho.toml:2: \"A b\" is no name of a handler"),
        ] {
            assert!(refused(text).starts_with(told), "{}", refused(text));
        }
    }

    #[test]
    fn a_refusal_names_the_line_and_what_was_meant() {
        assert_eq!(
            refused("[server]\nlissen = \"x\""),
            "tacho.toml:2: there is no key `lissen`: did you mean `listen`?"
        );
        assert_eq!(
            refused("\n[jurnal]\n"),
            "tacho.toml:2: there is no table `jurnal`: did you mean `journal`?"
        );
        assert!(refused("[quux]").ends_with(
            "there is no table `quux`; known are server, journal, view, snapshots, ingest, derive, schemas, redact, hook, registry, budget, sink, alert, alerts, price, projection, handler, mcp, heal"
        ));
        assert_eq!(
            refused("[view]\nscan_ms = true"),
            "tacho.toml:2: `view.scan_ms`: expected number of milliseconds, found boolean"
        );
        assert!(
            refused("[server]\nlisten = \"nowhere\"")
                .starts_with("tacho.toml:2: `server.listen`: \"nowhere\" is no address")
        );
        assert!(refused("[server\n").starts_with("tacho.toml:1: "));
        assert!(refused("server = 1").contains("write [server] above its keys"));
        assert_eq!(
            refused(
                "[[redact.rule]]\nname = \"x\"\npattern = \"y\"\n[[redact.rule]]\nname = \"z\"\npattern = \"(\"\n"
            ),
            "tacho.toml:6: redaction rule `z`: \"(\" is no regular expression: unclosed group"
        );
        assert_eq!(
            refused("[[ingest.rule]]\ntype = \"x\"\naction = \"explode\"\n"),
            "tacho.toml:1: [[ingest.rule]]: unknown variant `explode`, expected one of `drop`, `sample`, `truncate`"
        );
        assert!(refused("[[redact.rule]]\nname = \"x\"\npatern = \"y\"").contains("did you mean `pattern`?"));
    }
}
