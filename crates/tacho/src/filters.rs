//! The filters that `events` and `tail` share.

use crate::failure::WrongUsage;
use crate::identity;
use anyhow::Result;
use clap::Args;
use jiff::tz::TimeZone;
use tacho_event::{Filter, Timestamp};

#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Filters")]
pub struct FilterArguments {
    /// Only these types; `*` matches any run of characters; may be given several times
    #[arg(long = "type", value_name = "PATTERN")]
    types: Vec<String>,
    /// Only this stream, such as session/9826…; `*` matches any run of characters
    #[arg(long, value_name = "STREAM")]
    stream: Option<String>,
    /// Only this session
    #[arg(long, value_name = "ID")]
    session: Option<String>,
    /// Only what this agent did
    #[arg(long, value_name = "ID")]
    agent: Option<String>,
    /// Only this actor, as TYPE, ID or TYPE:ID
    #[arg(long, value_name = "ACTOR")]
    actor: Option<String>,
    /// Only this phase of work
    #[arg(long, value_name = "PHASE")]
    phase: Option<String>,
    /// Only this correlation id
    #[arg(long, value_name = "ID")]
    correlation: Option<String>,
    /// Only what names the event with this id as its cause
    #[arg(long, value_name = "ID")]
    causation: Option<String>,
    /// Only this trace, 32 hexadecimal digits
    #[arg(long, value_name = "ID")]
    trace: Option<String>,
    /// Only the event with this id
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// From this moment on: RFC 3339, 14:00, yesterday, "last week", 2h
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Before this moment
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Only what holds these words; a word ending in `*` matches its beginning
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// Only what this jq filter holds for, such as '.data.exit_code != 0'
    #[arg(long = "where", value_name = "JQ")]
    where_jq: Option<String>,
    /// Bookkeeping of Tachograph itself too
    #[arg(long)]
    system: bool,
}

/// Filters that were checked: for a server as parameters, for a folder as a filter.
#[derive(Debug, Clone, Default)]
pub struct Filters {
    pub parameters: Vec<(&'static str, String)>,
    pub filter: Filter,
}

impl FilterArguments {
    /// Moments are resolved here, in the reader's time zone: a server may be in another.
    pub fn check(&self) -> Result<Filters> {
        let (now, zone) = (identity::now(), TimeZone::system());
        let mut filters = Filters::default();
        for (key, value) in self.given() {
            let known = filters.filter.set(key, &value, now, &zone);
            known.map_err(|error| WrongUsage(error.to_string()))?;
            let moment = match key {
                "since" => filters.filter.since,
                "until" => filters.filter.until,
                _ => None,
            };
            filters.parameters.push((key, moment.map_or(value, Timestamp::to_rfc3339)));
        }
        Ok(filters)
    }

    /// The events of one type.
    pub fn of_type(kind: &str) -> Self {
        Self { types: vec![kind.to_owned()], ..Self::default() }
    }

    fn given(&self) -> impl Iterator<Item = (&'static str, String)> {
        let single = [
            ("stream", &self.stream),
            ("session", &self.session),
            ("agent", &self.agent),
            ("actor", &self.actor),
            ("phase", &self.phase),
            ("correlation", &self.correlation),
            ("causation", &self.causation),
            ("trace", &self.trace),
            ("id", &self.id),
            ("since", &self.since),
            ("until", &self.until),
            ("search", &self.search),
            ("where", &self.where_jq),
        ];
        let types = self.types.iter().map(|pattern| ("type", pattern.clone()));
        let single = single.into_iter().filter_map(|(key, value)| Some((key, value.clone()?)));
        types.chain(single).chain(self.system.then(|| ("system", "true".to_owned())))
    }
}

impl Filters {
    /// The events of one stream.
    pub fn of_stream(stream: &str) -> Result<Self> {
        let arguments = FilterArguments { stream: Some(stream.to_owned()), ..FilterArguments::default() };
        arguments.check()
    }
}
