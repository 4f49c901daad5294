//! What one request to a model used, as different sources tell it.

use super::money::NanoUsd;
use super::observation::{number, text};
use super::{observations, price};
use crate::error::ViewError;
use crate::facts::Facts;
use rusqlite::Connection;
use std::borrow::Cow;
use tacho_event::{Recorded, json};

/// The better source of a request wins; the numbers are those of the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    /// An agent's own account of its work, where its requests are not known.
    Completion = 0,
    Transcript = 1,
    Span = 2,
    /// Telemetry that tells the cost too.
    Telemetry = 3,
}

#[derive(Debug, Clone)]
pub(crate) struct Usage {
    /// What identifies the request, whichever source tells of it.
    pub key: String,
    pub rank: Rank,
    pub time: i64,
    pub session: Option<String>,
    pub agent: Option<String>,
    pub model: Option<String>,
    pub feature: Option<String>,
    pub tokens: TokenCounts,
    /// In nanoseconds.
    pub duration: i64,
    /// `None` while no price is known.
    pub cost: Option<NanoUsd>,
    /// Whether the source told the cost itself.
    pub is_reported: bool,
}

impl Rank {
    pub(super) fn from_number(number: i64) -> Self {
        let known = [Self::Transcript, Self::Span, Self::Telemetry];
        known.into_iter().find(|rank| *rank as i64 == number).unwrap_or(Self::Completion)
    }
}

/// `input` is without what was read from or written to a cache.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct TokenCounts {
    pub input: i64,
    pub output: i64,
    pub cache_read: i64,
    pub cache_write_5m: i64,
    pub cache_write_1h: i64,
}

impl Usage {
    /// `None` where the event tells of no request. Without a reported cost it is priced by what is in force.
    pub(crate) fn of(
        database: &Connection,
        event: &Recorded,
        facts: &Facts<'_>,
    ) -> Result<Option<Self>, ViewError> {
        let Some(data) = event.data() else { return Ok(None) };
        let read = match event.kind() {
            "claude_code.api_request" => Some(of_telemetry(event, data)),
            "claude.transcript.usage" | "codex.transcript.usage" => of_transcript(data),
            "otel.span" | "otel.log" => of_span(data),
            "agent_completed" | "validation_complete" | "AgentCompleted" | "AgentFailed" => {
                of_completion(database, event, facts, data)?
            }
            _ => None,
        };
        let Some(mut usage) = read else { return Ok(None) };
        usage.time = facts.time.0;
        usage.session = facts.session.as_deref().map(|session| super::bounded(session).to_owned());
        usage.agent = usage.agent.or_else(|| facts.actor_id.as_deref().map(str::to_owned));
        if usage.cost.is_none() {
            usage.cost = price::cost(database, usage.model.as_deref(), usage.time, &usage.tokens)?;
        }
        Ok(Some(usage))
    }

    fn new(rank: Rank, key: String) -> Self {
        Self {
            key,
            rank,
            time: 0,
            session: None,
            agent: None,
            model: None,
            feature: None,
            tokens: TokenCounts::default(),
            duration: 0,
            cost: None,
            is_reported: false,
        }
    }
}

fn of_telemetry(event: &Recorded, data: &[u8]) -> Usage {
    let key = request_key(data).unwrap_or_else(|| format!("event/{}/{}", event.source(), event.id()));
    let (in_5m, in_1h) = (tokens(data, "cache_creation_5m_tokens"), tokens(data, "cache_creation_1h_tokens"));
    let written = tokens(data, "cache_creation_tokens");
    let reported = number(data, &["cost_usd_micros"])
        .map(|micros| NanoUsd((micros * 1e3) as i64))
        .or_else(|| number(data, &["cost_usd"]).and_then(NanoUsd::from_usd));
    Usage {
        model: owned(text(data, &["model"])),
        feature: owned(text(data, &["feature"])).or_else(|| {
            json::member(data, "resource").and_then(|resource| owned(text(resource, &["feature"])))
        }),
        tokens: TokenCounts {
            input: tokens(data, "input_tokens"),
            output: tokens(data, "output_tokens"),
            cache_read: tokens(data, "cache_read_tokens"),
            // A source that does not tell them apart means the short one.
            cache_write_5m: in_5m.max(written - in_1h),
            cache_write_1h: in_1h,
        },
        duration: number(data, &["duration_ms"]).map_or(0, |milliseconds| (milliseconds * 1e6) as i64),
        cost: reported,
        is_reported: reported.is_some(),
        ..Usage::new(Rank::Telemetry, key)
    }
}

fn of_transcript(data: &[u8]) -> Option<Usage> {
    let usage = json::member(data, "usage")?;
    let key = request_key(data)
        .or_else(|| text(data, &["message_id"]).map(|message| format!("message/{message}")))?;
    let by_age = json::member(usage, "cache_creation").unwrap_or(b"{}");
    let in_1h = tokens(by_age, "ephemeral_1h_input_tokens");
    let written = tokens(usage, "cache_creation_input_tokens");
    Some(Usage {
        model: owned(text(data, &["model"])),
        tokens: TokenCounts {
            input: tokens(usage, "input_tokens"),
            output: tokens(usage, "output_tokens"),
            cache_read: tokens(usage, "cache_read_input_tokens"),
            cache_write_5m: tokens(by_age, "ephemeral_5m_input_tokens").max(written - in_1h),
            cache_write_1h: in_1h,
        },
        ..Usage::new(Rank::Transcript, key)
    })
}

/// A span or log that was normalised at the door: `usage` stands beside its attributes.
fn of_span(data: &[u8]) -> Option<Usage> {
    let usage = json::member(data, "usage")?;
    let attributes = json::member(data, "attributes").unwrap_or(data);
    let key = request_key(attributes)
        .or_else(|| text(attributes, &["gen_ai.response.id"]).map(|id| format!("request/{id}")))
        .or_else(|| {
            let (trace, span) = (text(data, &["trace_id"])?, text(data, &["span_id"])?);
            Some(format!("span/{trace}/{span}"))
        })?;
    Some(Usage {
        model: owned(text(attributes, &["gen_ai.response.model", "gen_ai.request.model", "model"])),
        agent: owned(text(attributes, &["agent_id", "gen_ai.agent.id", "gen_ai.agent.name"])),
        feature: owned(text(attributes, &["feature"])),
        tokens: TokenCounts {
            input: tokens(usage, "input_tokens"),
            output: tokens(usage, "output_tokens"),
            cache_read: tokens(usage, "cache_read_tokens"),
            cache_write_5m: tokens(usage, "cache_creation_tokens"),
            cache_write_1h: 0,
        },
        duration: number(data, &["duration_ms"]).map_or(0, |milliseconds| (milliseconds * 1e6) as i64),
        ..Usage::new(Rank::Span, key)
    })
}

/// An agent's own account; only where no session leads to the requests themselves.
fn of_completion(
    database: &Connection,
    event: &Recorded,
    facts: &Facts<'_>,
    data: &[u8],
) -> Result<Option<Usage>, ViewError> {
    let Some(cost) = number(data, &["cost_usd", "cost"]).and_then(NanoUsd::from_usd) else { return Ok(None) };
    if facts.session.is_some() {
        return Ok(None);
    }
    let task = text(data, &["task_id"]);
    let feature = match (text(data, &["feature"]), &task) {
        (Some(feature), _) => Some(feature.into_owned()),
        (None, Some(task)) => observations::feature_of_task(database, task)?,
        (None, None) => None,
    };
    let agent = text(data, &["agent", "agent_name", "agent_id"]);
    let model = match (text(data, &["model"]), &task, &agent) {
        (Some(model), ..) => Some(model.into_owned()),
        (None, Some(task), Some(agent)) => observations::model_of_start(database, task, agent)?,
        _ => None,
    };
    Ok(Some(Usage {
        agent: owned(agent).or_else(|| Some("validation".to_owned())),
        model,
        feature,
        duration: 0,
        cost: Some(cost),
        is_reported: true,
        ..Usage::new(Rank::Completion, format!("event/{}/{}", event.source(), event.id()))
    }))
}

fn request_key(data: &[u8]) -> Option<String> {
    text(data, &["request_id", "requestId"]).map(|id| format!("request/{id}"))
}

fn tokens(data: &[u8], name: &str) -> i64 {
    // More than a trillion is a mistake.
    number(data, &[name]).filter(|count| (0.0..1e12).contains(count)).map_or(0, |count| count as i64)
}

fn owned(text: Option<Cow<'_, str>>) -> Option<String> {
    text.map(Cow::into_owned)
}
