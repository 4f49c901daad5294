//! Spans of what agents do: session → turn → agent → tool, each told by an event that begins it and one that
//! ends it. Nothing is remembered: the beginning is looked up on the log, so a restart breaks no span.

use serde_json::{Value, json};
use tacho_engine::{Engine, Query, QueryError, Wait};
use tacho_event::trace::{derived_span_id, push_hex};
use tacho_event::{Filter, Pattern, Recorded, TraceContext, json as text};
use tokio::runtime::Runtime;

/// How far back a beginning is looked for, in events of its type and stream.
const LOOKS_BACK: usize = 1_000;

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
        begins: "agent_started",
        ends: &[("agent_completed", false)],
        keys: &["agent", "task_id"],
        keys_repeat: true,
        level: Level::Agent,
    },
];

/// A span that ended.
pub(crate) struct Span<'a> {
    pair: &'static Pair,
    begin: Option<Recorded>,
    end: &'a Recorded,
    is_failure: bool,
    /// The context of the event that caused the end, when it is on the log.
    cause: Option<TraceContext>,
}

/// The trace and span of any event, as its log record names them.
pub(crate) fn context(event: &Recorded) -> TraceContext {
    event.text("traceparent").and_then(|text| TraceContext::parse(&text)).unwrap_or_else(|| {
        let session = session(event);
        TraceContext::derived(&session, event.id())
    })
}

/// The span that an event ends, if it ends one.
pub(crate) fn ended<'a>(
    engine: &Engine,
    runtime: &Runtime,
    event: &'a Recorded,
) -> Result<Option<Span<'a>>, QueryError> {
    let found = PAIRS.iter().find_map(|pair| {
        let (_, is_failure) = pair.ends.iter().find(|(kind, _)| *kind == event.kind())?;
        Some((pair, *is_failure))
    });
    let Some((pair, is_failure)) = found else { return Ok(None) };
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
    Ok(Some(Span { pair, begin, end: event, is_failure, cause }))
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
    let is_same = |begin: &Recorded| {
        begin.position < end.position && pair.keys.iter().all(|key| field(begin, key) == field(end, key))
    };
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

impl Span<'_> {
    /// As OTLP's JSON has it, with the attributes of the GenAI conventions.
    pub(crate) fn to_json(&self) -> Value {
        let session = session(self.end);
        let trace = self.begin.as_ref().map_or_else(|| context(self.end), context).trace_id;
        let begin = self.begin.as_ref().map_or_else(|| lasted_since(self.end), |begin| begin.time().0);
        let end = self.end.time().0.max(begin);
        let (code, message) = match self.is_failure {
            true => (2, field(self.end, "error").unwrap_or_default()),
            false => (1, String::new()),
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
        let key = |name: &str| field(self.end, name).unwrap_or_default();
        match self.pair.level {
            Level::Session => session.to_owned(),
            Level::Tool => key("tool_use_id"),
            Level::Turn => format!("turn:{}", key("prompt_id")),
            Level::Agent => field(self.end, "agent_id").unwrap_or_else(|| {
                // An agent of a factory has no id of its own: its beginning tells its spans apart.
                let begin = self.begin.as_ref().unwrap_or(self.end);
                format!("{}:{}", key("agent"), begin.id())
            }),
        }
    }

    fn parent(&self, session: &str) -> Option<[u8; 8]> {
        let (agent, turn) = (field(self.end, "agent_id"), field(self.end, "prompt_id"));
        match self.pair.level {
            Level::Session => None,
            Level::Turn => child_of(self.end, session, None, None),
            Level::Agent => child_of(self.end, session, None, turn.as_deref()),
            Level::Tool => child_of(self.end, session, agent.as_deref(), turn.as_deref()),
        }
    }

    fn name(&self) -> String {
        let named = |word: &str, field_name: &str| match field(self.end, field_name) {
            Some(name) if !name.is_empty() => format!("{word} {name}"),
            _ => word.to_owned(),
        };
        match self.pair.level {
            Level::Session => "session".to_owned(),
            Level::Turn => "turn".to_owned(),
            Level::Agent if self.end.kind() == "agent_completed" => named("invoke_agent", "agent"),
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
        let text = |name: &str| field(self.end, name);
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
            ("error.type", self.is_failure.then(|| self.end.kind().to_owned())),
            ("tacho.event.id", Some(self.end.id().to_owned())),
            ("tacho.stream", Some(self.end.stream().to_owned())),
        ];
        let told = told.into_iter().filter_map(|(name, value)| Some(attribute(name, &value?)));
        let cost = text("cost_usd").and_then(|cost| cost.parse::<f64>().ok());
        told.chain(cost.map(|cost| json!({"key": "tacho.cost_usd", "value": {"doubleValue": cost}})))
            .collect()
    }

    fn links(&self) -> Vec<Value> {
        let origin = self.end.text("origintraceparent").and_then(|text| TraceContext::parse(&text));
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
