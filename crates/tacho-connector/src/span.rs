//! Spans of what agents do: session → turn → agent → tool, each told by an event that begins it and one that
//! ends it. Nothing is remembered: the beginning is looked up on the log, so a restart breaks no span.

use serde_json::{Value, json};
use tacho_engine::{Engine, Query, QueryError, Wait};
use tacho_event::trace::{derived_span_id, push_hex};
use tacho_event::{Filter, Pattern, Recorded, Timestamp, TraceContext, json as text};
use tokio::runtime::Runtime;

/// How far back a beginning is looked for, in events of its type and stream.
const LOOKS_BACK: usize = 1_000;

/// Begins what an agent of a factory does.
const FACTORY_AGENT: &str = "agent_started";

/// Events that begin and end a span.
struct Pair {
    begins: &'static str,
    /// And whether that is a failure.
    ends: &'static [(&'static str, bool)],
    /// Fields of the payload that tell one span from another.
    keys: &'static [&'static str],
    /// Whether those come again for another span: then an end takes the beginning before it from later ones.
    keys_repeat: bool,
    level: Level,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Session,
    Turn,
    Agent,
    Tool,
}

const PAIRS: &[Pair] = &[
    Pair {
        begins: "claude.pre_tool_use",
        ends: &[("claude.post_tool_use", false), ("claude.post_tool_use_failure", true)],
        keys: &["tool_use_id"],
        keys_repeat: false,
        level: Level::Tool,
    },
    Pair {
        begins: "claude.subagent_start",
        ends: &[("claude.subagent_stop", false)],
        keys: &["agent_id"],
        keys_repeat: false,
        level: Level::Agent,
    },
    Pair {
        begins: "claude.user_prompt_submit",
        ends: &[("claude.stop", false), ("claude.stop_failure", true)],
        keys: &["prompt_id"],
        keys_repeat: false,
        level: Level::Turn,
    },
    Pair {
        begins: "claude.session_start",
        ends: &[("claude.session_end", false)],
        keys: &["session_id"],
        keys_repeat: false,
        level: Level::Session,
    },
    Pair {
        begins: FACTORY_AGENT,
        ends: &[("agent_completed", false)],
        keys: &["agent", "task_id"],
        keys_repeat: true,
        level: Level::Agent,
    },
];

/// A span that ended, or that nobody will end any more.
pub(crate) struct Span {
    pair: &'static Pair,
    begin: Option<Recorded>,
    /// What tells of it: its end; of one without, its beginning.
    told: Recorded,
    end: Timestamp,
    outcome: Outcome,
    /// The context of the event that caused the end, when it is on the log.
    cause: Option<TraceContext>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Success,
    Failure,
    Unfinished,
}

/// What is open in a stream, while one walks along it.
#[derive(Default)]
pub(crate) struct SpanSet(Vec<(&'static Pair, Recorded)>);

/// The trace and span of any event, as its log record names them.
pub(crate) fn context(event: &Recorded) -> TraceContext {
    event.text("traceparent").and_then(|text| TraceContext::parse(&text)).unwrap_or_else(|| {
        let session = session(event);
        TraceContext::derived(&session, event.id())
    })
}

/// The span that an event ends, if it ends one.
pub(crate) fn ended(
    engine: &Engine,
    runtime: &Runtime,
    event: &Recorded,
) -> Result<Option<Span>, QueryError> {
    let Some((pair, is_failure)) = ended_by(event.kind()) else { return Ok(None) };
    let begin = beginning(engine, runtime, pair, event)?;
    // Compaction ends an agent that never began.
    if begin.is_none() && event.kind() == "claude.subagent_stop" {
        return Ok(None);
    }
    let is_failure = is_failure || field(event, "status").is_some_and(|status| status == "failed");
    let cause = match event.text("causationid") {
        Some(id) => match runtime.block_on(engine.event(&id, None, Wait::Head)) {
            Ok(cause) => Some(context(&cause)),
            Err(QueryError::EventNotFound(_) | QueryError::AmbiguousId { .. }) => None,
            Err(error) => return Err(error),
        },
        None => None,
    };
    let outcome = if is_failure { Outcome::Failure } else { Outcome::Success };
    Ok(Some(Span { pair, begin, told: event.clone(), end: event.time(), outcome, cause }))
}

/// The pair that events of this type end, and whether that is a failure.
fn ended_by(kind: &str) -> Option<(&'static Pair, bool)> {
    PAIRS.iter().find_map(|pair| {
        let (_, is_failure) = pair.ends.iter().find(|(end, _)| *end == kind)?;
        Some((pair, *is_failure))
    })
}

/// The last event before `end` that begins the same, unless it has ended already.
fn beginning(
    engine: &Engine,
    runtime: &Runtime,
    pair: &Pair,
    end: &Recorded,
) -> Result<Option<Recorded>, QueryError> {
    let ends = pair.ends.iter().filter(|_| pair.keys_repeat).map(|(kind, _)| *kind);
    let filter = Filter {
        types: std::iter::once(pair.begins).chain(ends).map(Pattern::new).collect(),
        stream: Some(Pattern::new(end.stream())),
        ..Filter::default()
    };
    let (after, limit) = (Some(end.position), 100);
    let mut query =
        Query { filter, after, limit, reverse: true, wait: Wait::For(end.position), cursor: None };
    let is_same = |begin: &Recorded| begin.position < end.position && pair.is_same(begin, end);
    for _ in 0..LOOKS_BACK / 100 {
        let page = runtime.block_on(engine.query(query.clone()))?;
        if let Some(found) = page.events.into_iter().find(is_same) {
            return Ok(Some(found).filter(|found| found.kind() == pair.begins));
        }
        match page.next {
            Some(next) => query.cursor = Some(next),
            None => break,
        }
    }
    Ok(None)
}

impl Pair {
    /// Whether two events tell of the same span.
    fn is_same(&self, one: &Recorded, other: &Recorded) -> bool {
        self.keys.iter().all(|key| field(one, key) == field(other, key))
    }
}

impl SpanSet {
    /// Whether events of this type begin something.
    pub(crate) fn begins(kind: &str) -> bool {
        PAIRS.iter().any(|pair| pair.begins == kind)
    }

    /// Whether events of this type end all that goes on in their stream.
    pub(crate) fn stops(kind: &str) -> bool {
        ended_by(kind).is_some_and(|(pair, _)| pair.level == Level::Session)
    }

    /// Follows the stream by an event.
    pub(crate) fn add(&mut self, event: &Recorded) {
        if let Some((pair, _)) = ended_by(event.kind()) {
            let same = |(known, begin): &(&Pair, Recorded)| {
                known.begins == pair.begins && pair.is_same(begin, event)
            };
            self.0.iter().rposition(same).map(|index| self.0.remove(index));
        }
        if let Some(pair) = PAIRS.iter().find(|pair| pair.begins == event.kind()) {
            // A session that is resumed begins again; agents of a factory may be several at once.
            if pair.begins != FACTORY_AGENT {
                self.0.retain(|(known, begin)| known.begins != pair.begins || !pair.is_same(begin, event));
            }
            self.0.push((pair, event.clone()));
        }
    }

    /// What is left when nothing comes behind `last`.
    pub(crate) fn unfinished(self, last: &Recorded) -> Vec<Span> {
        let span = |(pair, begin): (&'static Pair, Recorded)| Span {
            pair,
            told: begin.clone(),
            begin: Some(begin),
            end: last.time(),
            outcome: Outcome::Unfinished,
            cause: None,
        };
        self.0.into_iter().map(span).collect()
    }
}

impl Span {
    /// As OTLP's JSON has it, with the attributes of the GenAI conventions.
    pub(crate) fn to_json(&self) -> Value {
        let session = session(&self.told);
        let trace = context(self.begin.as_ref().unwrap_or(&self.told)).trace_id;
        let begin = self.begin.as_ref().map_or_else(|| lasted_since(&self.told), |begin| begin.time().0);
        let end = self.end.0.max(begin);
        let (code, message) = match self.outcome {
            Outcome::Unfinished => (0, String::new()),
            Outcome::Success => (1, String::new()),
            Outcome::Failure => (2, field(&self.told, "error").unwrap_or_default()),
        };
        let mut span = json!({
            "traceId": hex(&trace),
            "spanId": hex(&self.id(&session)),
            "name": self.name(),
            "kind": 1,
            "startTimeUnixNano": begin.to_string(),
            "endTimeUnixNano": end.to_string(),
            "attributes": self.attributes(&session),
            "status": {"code": code, "message": message},
            "links": self.links(),
        });
        if let Some(parent) = self.parent(&session) {
            span["parentSpanId"] = hex(&parent).into();
        }
        span
    }

    fn id(&self, session: &str) -> [u8; 8] {
        derived_span_id(session, &self.part(session))
    }

    /// What tells the span from others of its session.
    fn part(&self, session: &str) -> String {
        let key = |name: &str| field(&self.told, name).unwrap_or_default();
        match self.pair.level {
            Level::Session => session.to_owned(),
            Level::Tool => key("tool_use_id"),
            Level::Turn => format!("turn:{}", key("prompt_id")),
            Level::Agent => field(&self.told, "agent_id").unwrap_or_else(|| {
                // An agent of a factory has no id of its own: its beginning tells its spans apart.
                let begin = self.begin.as_ref().unwrap_or(&self.told);
                format!("{}:{}", key("agent"), begin.id())
            }),
        }
    }

    fn parent(&self, session: &str) -> Option<[u8; 8]> {
        let (agent, turn) = (field(&self.told, "agent_id"), field(&self.told, "prompt_id"));
        match self.pair.level {
            Level::Session => None,
            Level::Turn => child_of(&self.told, session, None, None),
            Level::Agent => child_of(&self.told, session, None, turn.as_deref()),
            Level::Tool => child_of(&self.told, session, agent.as_deref(), turn.as_deref()),
        }
    }

    fn name(&self) -> String {
        let named = |word: &str, field_name: &str| match field(&self.told, field_name) {
            Some(name) if !name.is_empty() => format!("{word} {name}"),
            _ => word.to_owned(),
        };
        match self.pair.level {
            Level::Session => "session".to_owned(),
            Level::Turn => "turn".to_owned(),
            Level::Agent if self.pair.begins == FACTORY_AGENT => named("invoke_agent", "agent"),
            Level::Agent => named("invoke_agent", "agent_type"),
            Level::Tool => named("execute_tool", "tool_name"),
        }
    }

    fn attributes(&self, session: &str) -> Vec<Value> {
        let operation = match self.pair.level {
            Level::Session | Level::Turn => None,
            Level::Agent => Some("invoke_agent"),
            Level::Tool => Some("execute_tool"),
        };
        let text = |name: &str| field(&self.told, name);
        // A reader takes what names a model and no operation for a request to it.
        let model = operation.and(self.begin.as_ref()).and_then(|begin| field(begin, "model"));
        let told = [
            ("gen_ai.operation.name", operation.map(str::to_owned)),
            ("gen_ai.conversation.id", Some(session.to_owned())),
            ("session.id", Some(session.to_owned())),
            ("gen_ai.tool.name", text("tool_name")),
            ("gen_ai.tool.call.id", text("tool_use_id")),
            ("gen_ai.agent.id", text("agent_id")),
            ("gen_ai.agent.name", text("agent_type").or(text("agent")).filter(|name| !name.is_empty())),
            ("gen_ai.request.model", model),
            ("error.type", (self.outcome == Outcome::Failure).then(|| self.told.kind().to_owned())),
            ("tacho.event.id", Some(self.told.id().to_owned())),
            ("tacho.stream", Some(self.told.stream().to_owned())),
        ];
        let told = told.into_iter().filter_map(|(name, value)| Some(attribute(name, &value?)));
        let cost = text("cost_usd").and_then(|cost| cost.parse::<f64>().ok());
        let cost = cost.map(|cost| json!({"key": "tacho.cost_usd", "value": {"doubleValue": cost}}));
        let unfinished = (self.outcome == Outcome::Unfinished)
            .then(|| json!({"key": "tacho.unfinished", "value": {"boolValue": true}}));
        told.chain(cost).chain(unfinished).collect()
    }

    fn links(&self) -> Vec<Value> {
        let origin = self.told.text("origintraceparent").and_then(|text| TraceContext::parse(&text));
        let link = |(context, why): (TraceContext, &str)| {
            let attributes = [attribute("tacho.link", why)];
            json!({"traceId": hex(&context.trace_id), "spanId": hex(&context.span_id), "attributes": attributes})
        };
        let links = [self.cause.map(|cause| (cause, "causation")), origin.map(|origin| (origin, "origin"))];
        links.into_iter().flatten().map(link).collect()
    }
}

/// The span in which something happened: the agent's, else the turn's, else the session's.
pub(crate) fn child_of(
    event: &Recorded,
    session: &str,
    agent: Option<&str>,
    turn: Option<&str>,
) -> Option<[u8; 8]> {
    let in_session = event.attribute("sessionid").is_some().then(|| derived_span_id(session, session));
    let of_turn = || turn.map(|turn| derived_span_id(session, &format!("turn:{turn}")));
    agent.map(|agent| derived_span_id(session, agent)).or_else(of_turn).or(in_session)
}

/// What a trace is derived from: the session, else the stream.
pub(crate) fn session(event: &Recorded) -> String {
    event.text("sessionid").map_or_else(|| event.stream().to_owned(), |session| session.into_owned())
}

/// When what an event ends began, by what it says of how long it took; in nanoseconds.
pub(crate) fn lasted_since(end: &Recorded) -> i64 {
    let took = field(end, "duration_ms").and_then(|text| text.parse::<f64>().ok());
    end.time().0.saturating_sub((took.unwrap_or(0.0).max(0.0) * 1e6) as i64)
}

/// The text of a field of the payload.
pub(crate) fn field(event: &Recorded, name: &str) -> Option<String> {
    let value = text::member(event.data()?, name)?;
    (text::kind(value) != text::Kind::Null).then(|| text::text(value).into_owned())
}

pub(crate) fn attribute(name: &str, value: &str) -> Value {
    json!({"key": name, "value": {"stringValue": value}})
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut out = String::new();
    push_hex(&mut out, bytes);
    out
}
