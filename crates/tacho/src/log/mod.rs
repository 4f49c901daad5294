//! The log as a command reads it: through a server, or from its folder when no server answers.

mod folder;
mod reasons;
mod writable;

pub use folder::Folder;
pub use reasons::ProfileShape;
pub use writable::Writable;

use crate::client::{Client, ClientError, percent_encode, query_string};
use crate::cloud_event::CloudEvent;
use crate::data_folder;
use crate::filters::Filters;
use crate::place::Place;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use tacho_engine::CostQuery;
use tacho_event::{Timestamp, json};
use tacho_ingest::shape::Format;

/// Most events that are asked for at once.
const PAGE_EVENTS: u64 = 1_000;

pub enum Log {
    Server(Client),
    Folder(Box<Folder>),
}

/// Which events, in which order, how many.
#[derive(Debug, Clone, Default)]
pub struct Question {
    pub filters: Filters,
    /// Only events behind this position; before it in reverse.
    pub after: Option<u64>,
    /// Newest first.
    pub reverse: bool,
    /// The shape in which events are answered; CloudEvents when none is named.
    pub format: Option<Format>,
    pub limit: u64,
}

impl Log {
    /// Takes the server when it answers, else the folder when it holds a log.
    pub fn open(place: &Place) -> Result<Self> {
        if place.answers() {
            return Ok(Self::Server(place.client.clone()));
        }
        let is_there = data_folder::find_log(&place.data);
        if !is_there
            .with_context(|| format!("{}, and {} cannot be read", place.silence(), place.data.display()))?
        {
            bail!(
                "{} and there is no log in {}: start one with `tacho up`, or name another with --server or --data",
                place.silence(),
                place.data.display()
            );
        }
        place.tell_of_folder();
        Ok(Self::Folder(Box::new(Folder::open(place)?)))
    }

    /// Hands over every event that answers the question, in order; follows cursors until the limit.
    pub fn each(&self, question: &Question, visit: &mut dyn FnMut(CloudEvent) -> Result<()>) -> Result<u64> {
        let mut cursor = None;
        let mut found = 0;
        while found < question.limit {
            let wanted = (question.limit - found).min(PAGE_EVENTS);
            let page = self.page(question, cursor.as_deref(), wanted)?;
            for event in page.events {
                visit(event)?;
                found += 1;
            }
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        Ok(found)
    }

    /// The key figures of the last `window_ns` nanoseconds and of as many days, as `GET /api/metrics` answers them.
    pub fn figures(&self, window_ns: i64, trend_days: u32) -> Result<Vec<u8>> {
        match self {
            Self::Server(client) => {
                let (window, trend) = (format!("{}s", window_ns / 1_000_000_000), format!("{trend_days}d"));
                let pairs = [("window", window.as_str()), ("trend", trend.as_str())];
                let asked = if trend_days == 0 { &pairs[..1] } else { &pairs };
                Ok(client.get(&format!("/api/metrics{}", query_string(asked.iter().copied())))?)
            }
            Self::Folder(folder) => folder.figures(window_ns, trend_days),
        }
    }

    /// The rules of alerts, as `GET /api/alerts` answers them.
    pub fn alert_rules(&self) -> Result<Vec<u8>> {
        match self {
            Self::Server(client) => Ok(client.get("/api/alerts")?),
            Self::Folder(folder) => folder.alert_rules(),
        }
    }

    /// What waits for a person, as `GET /api/waits` answers it.
    pub fn waits(&self) -> Result<Vec<u8>> {
        match self {
            Self::Server(client) => Ok(client.get("/api/waits")?),
            Self::Folder(folder) => folder.waits(),
        }
    }

    /// What was spent, as `GET /api/cost` answers it.
    pub fn costs(&self, query: CostQuery) -> Result<Vec<u8>> {
        match self {
            Self::Server(client) => {
                let moment = |time: Option<Timestamp>| time.map(Timestamp::to_rfc3339);
                let (since, until) = (moment(query.since), moment(query.until));
                let mut pairs = vec![("by", query.by.name())];
                pairs.extend(since.as_deref().map(|since| ("since", since)));
                pairs.extend(until.as_deref().map(|until| ("until", until)));
                Ok(client.get(&format!("/api/cost{}", query_string(pairs)))?)
            }
            Self::Folder(folder) => folder.costs(query),
        }
    }

    /// What the server answers to a `GET` of this path, below `/api/state`, `/api/replay`, `/api/divergence` or
    /// `/api/projections`.
    pub fn rewound(&self, path: &str) -> Result<Value> {
        let answer = match self {
            Self::Server(client) => client.get(path)?,
            Self::Folder(folder) => return folder.rewound(path),
        };
        serde_json::from_slice(&answer).context("the server's answer cannot be read")
    }

    /// The state of a history that is not the true one; `body` is that of `POST /api/state/…/whatif`.
    pub fn suppose(&self, stream: &str, body: &[u8]) -> Result<Value> {
        let answer = match self {
            Self::Server(client) => client.post(&stream_path("state", stream, "whatif"), &[], body)?,
            Self::Folder(folder) => return folder.suppose(stream, body),
        };
        serde_json::from_slice(&answer).context("the server's answer cannot be read")
    }

    /// Makes a snapshot; answers it.
    pub fn create_snapshot(
        &self,
        stream: &str,
        projection: Option<&str>,
        sequence: Option<u64>,
    ) -> Result<Value> {
        let answer = match self {
            Self::Server(client) => {
                let sequence = sequence.map(|sequence| sequence.to_string());
                let pairs = [("projection", projection), ("sequence", sequence.as_deref())];
                let given = pairs.into_iter().filter_map(|(name, value)| Some((name, value?)));
                let path = format!("{}{}", stream_path("state", stream, "snapshots"), query_string(given));
                client.post(&path, &[], b"")?
            }
            Self::Folder(folder) => return folder.create_snapshot(stream, projection, sequence),
        };
        serde_json::from_slice(&answer).context("the server's answer cannot be read")
    }

    /// Drops snapshots of a stream, all of them or all but so many; answers how many.
    pub fn prune_snapshots(&self, stream: &str, keep: Option<u64>) -> Result<u64> {
        let answer = match self {
            Self::Server(client) => {
                let query = keep.map_or("?all=true".to_owned(), |keep| format!("?keep={keep}"));
                client.delete(&format!("{}{query}", stream_path("state", stream, "snapshots")))?
            }
            Self::Folder(folder) => return folder.prune_snapshots(stream, keep),
        };
        let answer: Value = serde_json::from_slice(&answer).context("the server's answer cannot be read")?;
        Ok(answer["removed"].as_u64().unwrap_or(0))
    }

    fn page(&self, question: &Question, cursor: Option<&str>, wanted: u64) -> Result<Page> {
        match self {
            Self::Server(client) => page_of_server(client, question, cursor, wanted),
            Self::Folder(folder) => folder.page(question, cursor, wanted),
        }
    }
}

/// Reads the name of a stream from the command line.
pub fn stream_name(text: &str) -> Result<String, String> {
    match text.split_once('/') {
        Some((category, id)) if !category.is_empty() && !id.is_empty() => Ok(text.to_owned()),
        _ => Err(format!("a stream is <category>/<id>, such as issue/{}", text.trim_matches('/'))),
    }
}

/// The path of what there is of a stream: `/api/state/issue/PROJ-1/diff`.
pub fn stream_path(part: &str, stream: &str, what: &str) -> String {
    let (category, id) = stream.split_once('/').unwrap_or(("source", stream));
    let mut path = format!("/api/{part}/");
    percent_encode(category, &mut path);
    path.push('/');
    percent_encode(id, &mut path);
    if !what.is_empty() {
        path.push('/');
        path.push_str(what);
    }
    path
}

/// Some events and where the next ones begin.
pub struct Page {
    pub events: Vec<CloudEvent>,
    pub next: Option<String>,
}

fn page_of_server(client: &Client, question: &Question, cursor: Option<&str>, wanted: u64) -> Result<Page> {
    let mut parameters = question.filters.parameters.clone();
    parameters.push(("limit", wanted.to_string()));
    parameters.extend(question.after.map(|position| ("after", position.to_string())));
    parameters.extend(question.reverse.then(|| ("reverse", "true".to_owned())));
    parameters.extend(question.format.map(|format| ("format", format.name().to_owned())));
    parameters.extend(cursor.map(|cursor| ("cursor", cursor.to_owned())));
    let query = query_string(parameters.iter().map(|(name, value)| (*name, value.as_str())));
    let body = client.get(&format!("/api/events{query}"))?;
    let mut answer = Vec::with_capacity(body.len());
    let unreadable = |source: Box<dyn std::error::Error + Send + Sync>| ClientError::Unreadable {
        server: client.server().to_owned(),
        source,
    };
    json::minify(&body, json::DEFAULT_DEPTH + 8, &mut answer).map_err(|error| unreadable(error.into()))?;
    let events = json::member(&answer, "events").context("the answer has no `events`")?;
    let events = json::elements(events).map(|event| CloudEvent::new(event.to_vec())).collect();
    let next = json::member(&answer, "next").filter(|next| json::kind(next) == json::Kind::String);
    Ok(Page { events, next: next.map(|next| json::text(next).into_owned()) })
}
