//! Query parameters: filters as on the command line, and what pages and streams need.

use crate::intake::Format;
use crate::problem::Problem;
use axum::extract::Query as Pairs;
use axum::http::Uri;
use jiff::tz::TimeZone;
use tacho_engine::{Cursor, From, Query, Wait};
use tacho_event::schema::Mode;
use tacho_event::{Code, Filter, Position, Timestamp};

/// The parameters of a list of events.
#[derive(Debug)]
pub(crate) struct ListParameters {
    pub(crate) query: Query,
    pub(crate) format: Format,
}

/// The parameters of a stream of events.
#[derive(Debug)]
pub(crate) struct StreamParameters {
    pub(crate) filter: Filter,
    pub(crate) from: From,
    /// The id of the log that the position belongs to, when the client knows it.
    pub(crate) log: Option<String>,
    pub(crate) format: Format,
}

/// The pairs of a query string, decoded, in order.
pub(crate) fn pairs(uri: &Uri) -> Result<Vec<(String, String)>, Problem> {
    let pairs = Pairs::<Vec<(String, String)>>::try_from_uri(uri).map_err(|error| {
        Problem::new(Code::InvalidFilter, format!("the query string cannot be read: {error}"))
    })?;
    Ok(pairs.0)
}

impl ListParameters {
    pub(crate) fn read(uri: &Uri, now: Timestamp, page_events: usize) -> Result<Self, Problem> {
        let query = Query { limit: page_events, ..Query::default() };
        let mut list = Self { query, format: Format::default() };
        for (key, value) in pairs(uri)? {
            let query = &mut list.query;
            match key.as_str() {
                "limit" => query.limit = limit(&value)?,
                "reverse" => query.reverse = switch(&key, &value)?,
                "wait" => query.wait = wait(&value)?,
                "after" => query.after = Some(position(&key, &value)?),
                "format" => list.format = format(&value)?,
                "cursor" => query.cursor = Some(cursor(&value)?),
                _ => set_filter(&mut query.filter, &key, &value, now)?,
            }
        }
        Ok(list)
    }
}

impl StreamParameters {
    pub(crate) fn read(uri: &Uri, now: Timestamp, format_default: Format) -> Result<Self, Problem> {
        let mut stream =
            Self { filter: Filter::default(), from: From::Head, log: None, format: format_default };
        for (key, value) in pairs(uri)? {
            match key.as_str() {
                "from" => stream.from = from(&value)?,
                "format" => stream.format = format(&value)?,
                "log" => stream.log = Some(value),
                _ => set_filter(&mut stream.filter, &key, &value, now)?,
            }
        }
        Ok(stream)
    }
}

/// `wait`: 0 answers at once, a position waits for it.
pub(crate) fn wait(value: &str) -> Result<Wait, Problem> {
    match position("wait", value)? {
        Position::ZERO => Ok(Wait::No),
        position => Ok(Wait::For(position)),
    }
}

/// `start`, `end` (or `head`), or the position behind which to begin.
pub(crate) fn from(value: &str) -> Result<From, Problem> {
    match value {
        "start" => Ok(From::Start),
        "end" | "head" => Ok(From::Head),
        _ => match value.parse() {
            Ok(position) => Ok(From::After(Position(position))),
            Err(_) => Err(invalid("from", value, "start, end or a position")),
        },
    }
}

pub(crate) fn format(value: &str) -> Result<Format, Problem> {
    let names = || Format::ALL.map(Format::name).join(", ");
    Format::from_name(value).ok_or_else(|| invalid("format", value, &format!("one of {}", names())))
}

pub(crate) fn position(key: &str, value: &str) -> Result<Position, Problem> {
    value.parse().map(Position).map_err(|_| invalid(key, value, "a position, which is a whole number"))
}

/// RFC 3339, or words such as `yesterday` and `2h`, in UTC.
pub(crate) fn moment(key: &str, value: &str, now: Timestamp) -> Result<Timestamp, Problem> {
    let moment = Timestamp::from_words(value, now, &TimeZone::UTC);
    moment.ok_or_else(|| invalid(key, value, "a moment such as 2026-01-31T09:00:00Z, yesterday or 2h"))
}

pub(crate) fn limit(value: &str) -> Result<usize, Problem> {
    match value.parse() {
        Ok(limit) if limit > 0 => Ok(limit),
        _ => Err(invalid("limit", value, "a whole number of at least 1")),
    }
}

pub(crate) fn switch(key: &str, value: &str) -> Result<bool, Problem> {
    match value {
        "" | "1" | "true" => Ok(true),
        "0" | "false" => Ok(false),
        _ => Err(invalid(key, value, "true or false")),
    }
}

pub(crate) fn cursor(value: &str) -> Result<Cursor, Problem> {
    Cursor::from_text(value).ok_or_else(|| {
        Problem::new(Code::InvalidCursor, format!("cursor {value:?} is none of this log: start without one"))
    })
}

fn set_filter(filter: &mut Filter, key: &str, value: &str, now: Timestamp) -> Result<(), Problem> {
    if filter.set(key, value, now, &TimeZone::UTC)? {
        return Ok(());
    }
    Err(unknown(key))
}

/// `validate` of an append: whether payloads must fit the schemas of their types. `None` where the shape of each
/// event decides.
pub(crate) fn validate(uri: &Uri) -> Result<Option<Mode>, Problem> {
    let mut asked = None;
    if uri.query().is_none() {
        return Ok(asked);
    }
    for (key, value) in pairs(uri)? {
        if key != "validate" {
            return Err(unknown(&key));
        }
        let mode = Mode::parse(&value).ok_or_else(|| invalid(&key, &value, "strict or lenient"))?;
        asked = Some(mode);
    }
    Ok(asked)
}

/// For a path that has no parameters.
pub(crate) fn none(uri: &Uri) -> Result<(), Problem> {
    match uri.query() {
        None | Some("") => Ok(()),
        Some(_) => match pairs(uri)?.first() {
            Some((key, _)) => Err(unknown(key)),
            None => Ok(()),
        },
    }
}

pub(crate) fn unknown(key: &str) -> Problem {
    let detail = format!("parameter {key:?} is none that this path knows: see /openapi.json");
    Problem::new(Code::InvalidFilter, detail).with("parameter", crate::problem::quoted(key))
}

fn invalid(key: &str, value: &str, expected: &str) -> Problem {
    Problem::new(Code::InvalidFilter, format!("parameter `{key}` is {value:?}, but must be {expected}"))
        .with("parameter", crate::problem::quoted(key))
}
