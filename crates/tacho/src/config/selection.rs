//! What a sink or a handler gets: which events, and from where on.

use super::file::unknown;
use anyhow::{Context, Result, bail, ensure};
use jiff::tz::TimeZone;
use tacho_engine::delivery::Start;
use tacho_event::{Filter, Position, Timestamp};

/// The conditions of `on`. Times are left out, for who has an `on` follows the log; so is the phase of a stream.
const FILTERS: [&str; 11] = [
    "type",
    "stream",
    "source",
    "session",
    "agent",
    "actor",
    "correlation",
    "trace",
    "id",
    "search",
    "where",
];

/// `"a.*"`, `["a.*", "b"]`, or a table of conditions.
pub fn filter(value: &toml::Value) -> Result<Filter> {
    let mut filter = Filter::default();
    let mut set = |key: &str, text: &str| -> Result<()> {
        filter.set(key, text, Timestamp(0), &TimeZone::UTC)?;
        Ok(())
    };
    match value {
        toml::Value::Table(conditions) => {
            for (key, value) in conditions {
                ensure!(
                    FILTERS.contains(&key.as_str()),
                    "{}",
                    unknown("filter", key, FILTERS.iter().copied())
                );
                for text in texts(value).with_context(|| format!("`on.{key}`"))? {
                    set(key, text)?;
                }
            }
        }
        types => texts(types).context("`on`")?.into_iter().try_for_each(|text| set("type", text))?,
    }
    Ok(filter)
}

/// Where it begins when it was never there.
pub fn start(text: &str) -> Result<Start> {
    match text {
        "now" => Ok(Start::Now),
        "start" => Ok(Start::Beginning),
        position => match position.parse() {
            Ok(position) => Ok(Start::After(Position(position))),
            Err(_) => bail!("{position:?} is none of now, start, or a position"),
        },
    }
}

/// One text, or a list of them.
pub fn texts(value: &toml::Value) -> Result<Vec<&str>> {
    let refuse = || format!("expected text or a list of texts, found {}", value.type_str());
    match value {
        toml::Value::Array(items) => {
            items.iter().map(|item| item.as_str()).collect::<Option<_>>().with_context(refuse)
        }
        one => Ok(vec![one.as_str().with_context(refuse)?]),
    }
}
