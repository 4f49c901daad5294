//! Reads what is asked, and asks the engine.

use super::render;
use crate::parameters::{self, pairs};
use crate::problem::Problem;
use axum::http::Uri;
use jiff::tz::TimeZone;
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;
use tacho_engine::handler::{Asker, ReplayError, ReplayOrder};
use tacho_engine::{
    AddedEvent, BreakQuery, DivergenceQuery, Engine, HistoryQuery, Keep, Moment, ReplayQuery, StateQuery,
    Supposition, Wait,
};
use tacho_event::time::parse_duration_ns;
use tacho_event::{Code, Filter, Jq, Position, Sequence, Timestamp, json, percent_decoded};

/// Buckets of an overview unless told.
const BUCKETS: usize = 200;

/// Answers a `GET` below `/api/state`, `/api/replay`, `/api/divergence` or `/api/projections`: the same, whether it came
/// over HTTP or from a command that reads a folder.
pub async fn get(engine: &Engine, uri: &Uri) -> Result<Value, Problem> {
    let segments = segments(uri.path())?;
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let asked = Asked::read(engine.now(), uri)?;
    match segments.as_slice() {
        ["api", "projections"] => Ok(render::projections(&engine.projections())),
        ["api", "divergence"] => divergence(engine, asked).await,
        ["api", "replay", category, id] => replay(engine, format!("{category}/{id}"), asked).await,
        ["api", "state", category, id] => state(engine, format!("{category}/{id}"), asked).await,
        ["api", "state", category, id, what] => {
            let stream = format!("{category}/{id}");
            match *what {
                "history" => history(engine, stream, asked).await,
                "overview" => overview(engine, &stream, asked).await,
                "diff" => diff(engine, &stream, asked).await,
                "whatif" => whatif(engine, stream, asked).await,
                "until" => until(engine, stream, asked).await,
                "snapshots" => {
                    asked.end()?;
                    Ok(render::snapshots(&engine.snapshots(&stream).await?))
                }
                _ => Err(nothing(uri)),
            }
        }
        _ => Err(nothing(uri)),
    }
}

/// Answers `POST /api/state/…/whatif`.
pub async fn suppose(engine: &Engine, stream: String, body: &[u8]) -> Result<Value, Problem> {
    let mut supposition = Supposition { stream, ..Supposition::default() };
    let refuse = |what: String| Problem::new(Code::InvalidEvent, what);
    let texts = |value: &[u8]| -> Vec<String> {
        json::elements(value).map(|text| json::text(text).into_owned()).collect()
    };
    for (name, value) in json::members(body) {
        match name {
            b"without" => supposition.without = texts(value),
            b"with" => {
                for (index, event) in json::elements(value).enumerate() {
                    let added = added(event).map_err(|error| refuse(format!("with[{index}]: {error}")))?;
                    supposition.with.push(added);
                }
            }
            b"instead" => {
                for (id, data) in json::members(value) {
                    let id = json::text(&[b"\"", id, b"\""].concat()).into_owned();
                    supposition.instead.insert(id, data.to_vec());
                }
            }
            b"until" => supposition.until = moment("until", &json::text(value), engine.now())?,
            b"projection" => supposition.projection = Some(json::text(value).into_owned()),
            other => {
                let other = String::from_utf8_lossy(other);
                let known = "without, with, instead, until, projection";
                return Err(refuse(format!("there is no `{other}` here; known are {known}")));
            }
        }
    }
    let stream = supposition.stream.clone();
    Ok(render::supposed(&stream, engine.suppose(supposition).await?))
}

fn added(event: &[u8]) -> Result<AddedEvent, String> {
    let text = |name: &str| json::member(event, name).map(|value| json::text(value).into_owned());
    let kind = text("type").filter(|kind| !kind.is_empty()).ok_or("it has no `type`")?;
    let time = match text("time") {
        Some(time) => Some(Timestamp::from_rfc3339(&time).ok_or("its `time` is none of RFC 3339")?),
        None => None,
    };
    let after = match text("after") {
        Some(after) => Some(Sequence(after.parse().map_err(|_| "its `after` is no number of an event")?)),
        None => None,
    };
    Ok(AddedEvent { kind, data: json::member(event, "data").unwrap_or(b"{}").to_vec(), time, after })
}

/// The parameters of a question; what nobody takes is unknown.
struct Asked {
    pairs: Vec<(String, String)>,
    now: Timestamp,
}

impl Asked {
    fn read(now: Timestamp, uri: &Uri) -> Result<Self, Problem> {
        Ok(Self { pairs: if uri.query().is_some() { pairs(uri)? } else { Vec::new() }, now })
    }

    fn take(&mut self, name: &str) -> Option<String> {
        let index = self.pairs.iter().position(|(key, _)| key == name)?;
        Some(self.pairs.remove(index).1)
    }

    fn take_all(&mut self, name: &str) -> Vec<String> {
        std::iter::from_fn(|| self.take(name)).collect()
    }

    fn wait(&mut self) -> Result<Wait, Problem> {
        self.take("wait").map_or(Ok(Wait::Head), |value| parameters::wait(&value))
    }

    fn sequence(&mut self, name: &str) -> Result<Option<Sequence>, Problem> {
        let number = |value: String| Ok(Sequence(parameters::position(name, &value)?.0));
        self.take(name).map(number).transpose()
    }

    fn jq(&mut self, name: &str) -> Result<Option<Jq>, Problem> {
        let compiled = self.take(name).map(|text| Jq::compile(&text)).transpose();
        compiled.map_err(|error| invalid(name, error.to_string()))
    }

    fn end(self) -> Result<(), Problem> {
        match self.pairs.first() {
            Some((key, _)) => Err(parameters::unknown(key)),
            None => Ok(()),
        }
    }
}

async fn state(engine: &Engine, stream: String, mut asked: Asked) -> Result<Value, Problem> {
    let mut query = StateQuery { stream, projection: asked.take("projection"), ..StateQuery::default() };
    query.wait = asked.wait()?;
    query.path = asked.jq("path")?;
    let path = query.path.clone();
    if let Some(at) = asked.take("at") {
        query.moment = moment("at", &at, asked.now)?;
    }
    if let Some(position) = asked.take("position") {
        query.moment = Moment::Position(parameters::position("position", &position)?);
    }
    if let Some(sequence) = asked.sequence("sequence")? {
        query.moment = Moment::Sequence(sequence);
    }
    if let Some(known_at) = asked.take("known_at") {
        query.known_at = Some(parameters::moment("known_at", &known_at, asked.now)?);
    }
    if let Some(around) = asked.take("around") {
        let length = parse_duration_ns(&around).and_then(|nanos| u64::try_from(nanos).ok());
        let length =
            length.ok_or_else(|| invalid("around", format!("{around:?} is no length such as 5m")))?;
        query.around = Some(Duration::from_nanos(length));
    }
    asked.end()?;
    Ok(render::state(engine.state(query).await?, path.as_ref()))
}

async fn history(engine: &Engine, stream: String, mut asked: Asked) -> Result<Value, Problem> {
    let mut query = HistoryQuery { stream, projection: asked.take("projection"), ..HistoryQuery::default() };
    query.wait = asked.wait()?;
    query.path = asked.jq("path")?;
    query.from = asked.sequence("from")?.unwrap_or(Sequence(1));
    query.to = asked.sequence("to")?;
    if let Some(limit) = asked.take("limit") {
        query.limit = parameters::limit(&limit)?;
    }
    asked.end()?;
    let stream = query.stream.clone();
    Ok(render::history(&stream, &engine.history(query).await?))
}

async fn overview(engine: &Engine, stream: &str, mut asked: Asked) -> Result<Value, Problem> {
    let projection = asked.take("projection");
    let buckets = asked.take("buckets").map_or(Ok(BUCKETS), |value| parameters::limit(&value))?;
    let wait = asked.wait()?;
    asked.end()?;
    let overview = engine.overview(stream, projection.as_deref(), buckets, wait).await?;
    Ok(render::overview(stream, &overview))
}

async fn diff(engine: &Engine, stream: &str, mut asked: Asked) -> Result<Value, Problem> {
    let projection = asked.take("projection");
    let wait = asked.wait()?;
    let mut moments = [Moment::Sequence(Sequence::ZERO), Moment::Now];
    for (moment, name) in moments.iter_mut().zip(["from", "to"]) {
        if let Some(value) = asked.take(name) {
            *moment = self::moment(name, &value, asked.now)?;
        }
        if let Some(sequence) = asked.sequence(&format!("{name}_sequence"))? {
            *moment = Moment::Sequence(sequence);
        }
    }
    asked.end()?;
    let [from, to] = moments;
    let comparison = engine.compare(stream, projection.as_deref(), (from, to), wait).await?;
    Ok(render::comparison(stream, &comparison))
}

async fn whatif(engine: &Engine, stream: String, mut asked: Asked) -> Result<Value, Problem> {
    let mut supposition =
        Supposition { stream, projection: asked.take("projection"), ..Supposition::default() };
    supposition.wait = asked.wait()?;
    supposition.without = asked.take_all("without");
    if let Some(until) = asked.take("until") {
        supposition.until = moment("until", &until, asked.now)?;
    }
    asked.end()?;
    let stream = supposition.stream.clone();
    Ok(render::supposed(&stream, engine.suppose(supposition).await?))
}

async fn until(engine: &Engine, stream: String, mut asked: Asked) -> Result<Value, Problem> {
    let projection = asked.take("projection");
    let condition = asked.jq("where")?;
    let condition =
        condition.ok_or_else(|| invalid("where", "it is missing: name a condition in jq".into()))?;
    let from = asked.sequence("from")?.unwrap_or_default();
    let wait = asked.wait()?;
    asked.end()?;
    let query = BreakQuery { stream: stream.clone(), projection, condition, from, wait };
    Ok(render::found(&stream, engine.break_where(query).await?))
}

async fn divergence(engine: &Engine, mut asked: Asked) -> Result<Value, Problem> {
    let mut name = |name: &str| {
        let stream = asked.take(name);
        stream.ok_or_else(|| invalid(name, "it is missing: name a stream such as issue/PROJ-1".into()))
    };
    let (a, b) = (name("a")?, name("b")?);
    let exact = asked.take("exact").map_or(Ok(false), |value| parameters::switch("exact", &value))?;
    let query = DivergenceQuery { a, b, projection: asked.take("projection"), exact, wait: asked.wait()? };
    asked.end()?;
    Ok(render::divergence(&engine.divergence(query).await?))
}

async fn replay(engine: &Engine, stream: String, asked: Asked) -> Result<Value, Problem> {
    let query = replay_query(stream.clone(), asked)?;
    Ok(render::plan(&stream, &engine.replay_plan(query).await?))
}

/// Answers `POST /api/replay/…`: what the address asks for is done.
pub(crate) async fn execute(
    engine: &Engine,
    stream: String,
    uri: &Uri,
    order: Execution,
) -> Result<Value, Problem> {
    let query = replay_query(stream.clone(), Asked::read(engine.now(), uri)?)?;
    let Execution { id, sequences, patience, asker } = order;
    let done = engine.replay(ReplayOrder { query, id, sequences, patience }, asker).await?;
    Ok(render::replay(&stream, &done))
}

impl From<ReplayError> for Problem {
    fn from(error: ReplayError) -> Self {
        match error {
            ReplayError::Query(error) => error.into(),
            ReplayError::Append(error) => error.into(),
            ReplayError::Control(error) => error.into(),
            ReplayError::Event(error) => Self::new(Code::InvalidEvent, error.to_string()),
        }
    }
}

/// How a replay is executed.
pub(crate) struct Execution {
    pub(crate) id: Option<String>,
    pub(crate) sequences: Option<BTreeSet<Sequence>>,
    pub(crate) patience: Duration,
    pub(crate) asker: Asker,
}

fn replay_query(stream: String, mut asked: Asked) -> Result<ReplayQuery, Problem> {
    let mut query = ReplayQuery { stream, wait: asked.wait()?, ..ReplayQuery::default() };
    query.from = asked.sequence("from")?.unwrap_or_default();
    query.to = asked.sequence("to")?;
    let mut filter = Filter { system: true, ..Filter::default() };
    for (key, value) in std::mem::take(&mut asked.pairs) {
        if !filter.set(&key, &value, asked.now, &TimeZone::UTC)? {
            return Err(parameters::unknown(&key));
        }
    }
    query.filter = filter;
    Ok(query)
}

/// `keep=N` or `all=true`.
pub(crate) fn keep(uri: &Uri) -> Result<Keep, Problem> {
    let mut asked = Asked::read(Timestamp::default(), uri)?;
    let all = asked.take("all").map_or(Ok(false), |value| parameters::switch("all", &value))?;
    let keep = asked.take("keep").map(|value| parameters::position("keep", &value)).transpose()?;
    asked.end()?;
    match (all, keep) {
        (true, None) => Ok(Keep::None),
        (false, Some(keep)) => Ok(Keep::Newest(keep.0)),
        _ => {
            Err(invalid("keep", "say how many stay of each projection, or all=true to drop them all".into()))
        }
    }
}

/// The projection, and the event behind which the snapshot is made.
pub(crate) fn to_create(uri: &Uri) -> Result<(Option<String>, Option<Sequence>), Problem> {
    let mut asked = Asked::read(Timestamp::default(), uri)?;
    let found = (asked.take("projection"), asked.sequence("sequence")?);
    asked.end()?;
    Ok(found)
}

/// A position of the log, or a moment as people write it.
fn moment(name: &str, value: &str, now: Timestamp) -> Result<Moment, Problem> {
    match value.parse() {
        Ok(position) => Ok(Moment::Position(Position(position))),
        Err(_) => Ok(Moment::Time(parameters::moment(name, value, now)?)),
    }
}

/// The parts of a path, decoded.
fn segments(path: &str) -> Result<Vec<String>, Problem> {
    let refused = || Problem::new(Code::NotFound, format!("{path} cannot be read"));
    path.trim_start_matches('/').split('/').map(|part| percent_decoded(part).ok_or_else(refused)).collect()
}

fn nothing(uri: &Uri) -> Problem {
    Problem::new(Code::NotFound, format!("nothing is at {}: see /openapi.json", uri.path()))
}

fn invalid(name: &str, reason: String) -> Problem {
    let problem = Problem::new(Code::InvalidFilter, format!("parameter `{name}`: {reason}"));
    problem.with("parameter", crate::problem::quoted(name))
}
