//! Causes, explanations and profiles, from a server or a folder.

use super::Log;
use crate::client::{percent_encode, query_string};
use anyhow::{Context, Result, bail};
use tacho_engine::{CausesQuery, StreamQuery, Wait, WhyUntil};
use tacho_event::json;
use tacho_server::{causes_json, profile_flamegraph, profile_folded, profile_json, why_json};

/// Most streams that are looked through for one that is meant.
const STREAMS_MAX: usize = 1_000;
/// Streams that are named when more than one is meant.
const STREAMS_TOLD: usize = 3;

/// How a profile is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProfileShape {
    Json,
    FlameGraph,
    Folded,
}

impl Log {
    /// The graph around an event, as `GET /api/causes/{id}` answers it.
    pub fn causes(&self, query: CausesQuery) -> Result<Vec<u8>> {
        match self {
            Self::Server(client) => {
                let mut path = "/api/causes/".to_owned();
                percent_encode(&query.id, &mut path);
                let depth = query.depth.to_string();
                let mut pairs = vec![("depth", depth.as_str())];
                pairs.extend(query.source.as_deref().map(|source| ("source", source)));
                pairs.extend(query.correlated.then_some(("correlated", "true")));
                Ok(client.get(&format!("{path}{}", query_string(pairs)))?)
            }
            Self::Folder(folder) => {
                let causes = folder.ask(|engine| async move { engine.causes(query, Wait::Head).await })?;
                Ok(causes_json(&causes).into_bytes())
            }
        }
    }

    /// Why a stream failed, as `GET /api/why/…` answers it.
    pub fn why(&self, stream: &str, until: WhyUntil) -> Result<Vec<u8>> {
        match self {
            Self::Server(client) => {
                let at = match until {
                    WhyUntil::End => None,
                    WhyUntil::Time(time) => Some(time.to_rfc3339()),
                    WhyUntil::Position(position) => Some(position.to_string()),
                };
                let pairs = at.as_deref().map(|at| ("at", at));
                Ok(client.get(&format!("{}{}", path("/api/why/", stream)?, query_string(pairs)))?)
            }
            Self::Folder(folder) => {
                let stream = stream.to_owned();
                let why = folder.ask(|engine| async move { engine.why(&stream, until, Wait::Head).await })?;
                Ok(why_json(&why).into_bytes())
            }
        }
    }

    /// Where the time and the money of a stream went, as `GET /api/profile/…` answers it.
    pub fn profile(&self, stream: &str, shape: ProfileShape) -> Result<Vec<u8>> {
        match self {
            Self::Server(client) => {
                let rest = match shape {
                    ProfileShape::Json => "",
                    ProfileShape::FlameGraph => "/flamegraph",
                    ProfileShape::Folded => "/flamegraph?format=folded",
                };
                Ok(client.get(&format!("{}{rest}", path("/api/profile/", stream)?))?)
            }
            Self::Folder(folder) => {
                let stream = stream.to_owned();
                let profile =
                    folder.ask(|engine| async move { engine.profile(&stream, Wait::Head).await })?;
                let told = match shape {
                    ProfileShape::Json => profile_json(&profile),
                    ProfileShape::FlameGraph => profile_flamegraph(&profile),
                    ProfileShape::Folded => profile_folded(&profile),
                };
                Ok(told.into_bytes())
            }
        }
    }

    /// The one stream that is meant: by its name, by the beginning of it, or with `…` for a part of it.
    pub fn stream_named(&self, asked: &str) -> Result<String> {
        let (prefix, suffix) = asked.split_once('…').unwrap_or((asked, ""));
        let names = self.streams(prefix)?;
        if names.iter().any(|name| name == asked) {
            return Ok(asked.to_owned());
        }
        let mut meant: Vec<String> = names.into_iter().filter(|name| name.ends_with(suffix)).collect();
        match meant.len() {
            0 => bail!("no event is in stream {asked:?}: `tacho events --reverse` shows what is there"),
            1 => Ok(meant.swap_remove(0)),
            more => {
                meant.truncate(STREAMS_TOLD);
                bail!("{asked:?} fits {more} streams, such as {}: name one", meant.join(", "))
            }
        }
    }

    fn streams(&self, prefix: &str) -> Result<Vec<String>> {
        match self {
            Self::Server(client) => {
                let limit = STREAMS_MAX.to_string();
                let query = query_string([("prefix", prefix), ("limit", limit.as_str())]);
                let answer = client.get(&format!("/api/streams{query}"))?;
                let streams = json::member(&answer, "streams").context("the answer has no `streams`")?;
                let names = json::elements(streams).filter_map(|stream| json::member(stream, "stream"));
                Ok(names.map(|name| json::text(name).into_owned()).collect())
            }
            Self::Folder(folder) => {
                let query =
                    StreamQuery { prefix: prefix.to_owned(), limit: STREAMS_MAX, ..StreamQuery::default() };
                let (streams, _) =
                    folder.ask(|engine| async move { engine.streams(query, Wait::Head).await })?;
                Ok(streams.into_iter().map(|stream| stream.name).collect())
            }
        }
    }
}

fn path(begin: &str, stream: &str) -> Result<String> {
    let Some((category, id)) = stream.split_once('/') else {
        bail!("{stream:?} is no stream: write it as <category>/<id>, such as issue/PROJ-1")
    };
    let mut path = begin.to_owned();
    percent_encode(category, &mut path);
    path.push('/');
    percent_encode(id, &mut path);
    Ok(path)
}
