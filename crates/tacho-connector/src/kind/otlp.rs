//! `otlp`: the log as traces and log records of OpenTelemetry, over OTLP/HTTP.

use super::Kind;
use crate::delivery_span;
use crate::model_request;
use crate::protobuf::{self, Message, PartialSuccess};
use crate::quiet::Quiet;
use crate::span::{Span, SpanSet, attribute, context, ended, hex};
use crate::web::{self, Web};
use crate::{Secret, Settings, SettingsError, Surroundings};
use serde_json::{Value, json};
use std::time::Duration;
use tacho_engine::Engine;
use tacho_engine::delivery::{BatchLimits, Deliver, Delivered, Delivery, Failure, Verdict};
use tacho_event::{Filter, Position, Recorded};
use tokio::runtime::Runtime;

pub(super) const KIND: Kind = Kind {
    name: "otlp",
    about: "Sends each event as a log record to `url` + `/v1/logs`, and each session, turn, agent, tool call and request to \
            a model, when it ends, as a span to `url` + `/v1/traces`, with the attributes of the GenAI conventions and \
            links for causation, as Protocol Buffers, or with `mode = \"json\"` as JSON. What has not ended \
            when its session stops, or has been quiet for `quiet_ms`, is sent with `tacho.unfinished`, once; an end that \
            comes later is sent too. Ids of spans are derived: what is sent twice is the same span. The secret is sent as \
            a bearer token.",
    keys: &["url", "mode", "signals", "secret_env", "secret_file", "timeout_ms", "quiet_ms"],
    types: &["*", "tacho.delivered"],
    batch: || BatchLimits { events: 200, bytes: 1 << 20, window_ms: 500 },
    check: |settings, _| {
        web::url(settings)?;
        mode(settings)?;
        signals(settings).map(drop)
    },
    open,
};

/// How long a session is quiet before what it began counts as unfinished.
const QUIET: Duration = Duration::from_secs(30 * 60);

/// How a message is written; receivers must know the first (OTLP, "Binary Protobuf Encoding").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Protobuf,
    Json,
}

fn mode(settings: &Settings) -> Result<Mode, SettingsError> {
    match settings.mode.as_deref() {
        None | Some("protobuf") => Ok(Mode::Protobuf),
        Some("json") => Ok(Mode::Json),
        Some(other) => {
            Err(SettingsError::unusable("mode", format!("{other:?} is neither protobuf nor json")))
        }
    }
}

/// Whether traces are sent, and whether logs are.
fn signals(settings: &Settings) -> Result<(bool, bool), SettingsError> {
    match settings.signals.as_deref() {
        None | Some("all") => Ok((true, true)),
        Some("traces") => Ok((true, false)),
        Some("logs") => Ok((false, true)),
        Some(other) => {
            Err(SettingsError::unusable("signals", format!("{other:?} is none of all, traces and logs")))
        }
    }
}

/// One of the two doors of a receiver.
struct Signal {
    path: &'static str,
    message: &'static Message,
    /// What JSON calls the count of those that were refused.
    rejected: &'static str,
}

const TRACES: Signal = Signal { path: "/v1/traces", message: &protobuf::TRACES, rejected: "rejectedSpans" };
const LOGS: Signal = Signal { path: "/v1/logs", message: &protobuf::LOGS, rejected: "rejectedLogRecords" };

fn open(settings: &Settings, surroundings: &Surroundings) -> super::Opened {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.map_err(|error| SettingsError::unusable("kind", error.to_string()))?;
    let (web, engine, mode) = (Web::open(settings)?, surroundings.engine.clone(), mode(settings)?);
    let (traces, logs) = signals(settings)?;
    let quiet = Quiet::new(settings.quiet_ms.map_or(QUIET, Duration::from_millis));
    let (token, filter) = (settings.secret.clone(), settings.filter.clone());
    let unheard = Some((filter, engine.head()));
    Ok(Box::new(Otlp { web, mode, traces, logs, engine, runtime, token, quiet, unheard }))
}

struct Otlp {
    web: Web,
    mode: Mode,
    /// Which are sent.
    traces: bool,
    logs: bool,
    engine: Engine,
    /// For asking the engine on a thread that is no task.
    runtime: Runtime,
    token: Option<Secret>,
    quiet: Quiet,
    /// Which events to recall, up to where the log ended at the start; `None` when that is done.
    unheard: Option<(Filter, Position)>,
}

impl Deliver for Otlp {
    fn deliver(&mut self, delivery: &Delivery<'_>) -> Result<Delivered, Failure> {
        if self.traces {
            self.recall()?;
            self.send_spans(self.spans(delivery.events)?)?;
        }
        if self.logs {
            let told = delivery.events.iter().filter(|event| !delivery_span::is_told_by(event));
            let records: Vec<Value> = told.map(record).collect();
            self.send_records(records)?;
        }
        delivery.events.iter().for_each(|event| self.quiet.hear(event));
        Ok(Delivered::default())
    }

    fn rest(&mut self) -> Result<Option<Duration>, Failure> {
        if !self.traces {
            return Ok(None);
        }
        self.recall()?;
        let fallen = self.quiet.fallen(self.engine.now());
        let mut spans = Vec::new();
        for (stream, position) in &fallen {
            let open = self.quiet.open(&self.engine, &self.runtime, stream, *position);
            spans.extend(open.map_err(behind)?.iter().map(Span::to_json));
        }
        let sent = self.send_spans(spans);
        if !matches!(&sent, Err(Failure { verdict: Verdict::Retry { .. }, .. })) {
            self.quiet.forget(&fallen);
        }
        sent.map(|()| self.quiet.left(self.engine.now()))
    }
}

fn behind(error: tacho_engine::QueryError) -> Failure {
    Failure::retry("view_behind", error.to_string())
}

impl Otlp {
    fn recall(&mut self) -> Result<(), Failure> {
        if let Some((filter, head)) = &self.unheard {
            self.quiet.recall(&self.engine, &self.runtime, filter, *head).map_err(behind)?;
            self.unheard = None;
        }
        Ok(())
    }

    /// The spans that end with these events.
    fn spans(&self, events: &[Recorded]) -> Result<Vec<Value>, Failure> {
        let mut spans = Vec::new();
        for event in events {
            if SpanSet::stops(event.kind()) {
                let open = self.quiet.open(&self.engine, &self.runtime, event.stream(), event.position);
                spans.extend(open.map_err(behind)?.iter().map(Span::to_json));
            }
            let span = ended(&self.engine, &self.runtime, event).map_err(behind)?;
            spans.extend(span.map(|span| span.to_json()));
            spans.extend(model_request::span(event));
            spans.extend(delivery_span::spans(event));
        }
        Ok(spans)
    }

    fn send_spans(&self, spans: Vec<Value>) -> Result<(), Failure> {
        if spans.is_empty() {
            return Ok(());
        }
        self.send(
            &TRACES,
            &json!({"resourceSpans": [{
                "resource": resource(), "scopeSpans": [{"scope": scope(), "spans": spans}]
            }]}),
        )
    }

    fn send_records(&self, records: Vec<Value>) -> Result<(), Failure> {
        if records.is_empty() {
            return Ok(());
        }
        self.send(
            &LOGS,
            &json!({"resourceLogs": [{
                "resource": resource(), "scopeLogs": [{"scope": scope(), "logRecords": records}]
            }]}),
        )
    }

    fn send(&self, signal: &Signal, message: &Value) -> Result<(), Failure> {
        let authorization = self.token.as_ref().map(|token| format!("Bearer {}", token.reveal()));
        let (media_type, body) = match self.mode {
            Mode::Protobuf => ("application/x-protobuf", protobuf::encode(message, signal.message)),
            Mode::Json => ("application/json", message.to_string().into_bytes()),
        };
        let mut headers = vec![("content-type", media_type)];
        headers.extend(authorization.as_deref().map(|value| ("authorization", value)));
        let now = self.engine.now().0.div_euclid(1_000_000_000);
        let answer = self.web.post(signal.path, &headers, &body, now)?;
        // A success may be partial (OTLP, "Partial Success"): those are not to be sent again.
        let partial = match self.mode {
            Mode::Protobuf => protobuf::partial_success(&answer),
            Mode::Json => partial_success(&answer, signal.rejected),
        };
        match partial {
            Some(PartialSuccess { rejected, message }) if rejected > 0 => {
                let why = if message.is_empty() { "no reason was given" } else { &message };
                Err(Failure::reject(
                    "partial_success",
                    format!("{} refused {rejected}: {why}", self.web.host()),
                ))
            }
            _ => Ok(()),
        }
    }
}

fn partial_success(answer: &[u8], rejected: &str) -> Option<PartialSuccess> {
    let answer: Value = serde_json::from_slice(answer).ok()?;
    let partial = answer.get("partialSuccess")?;
    let rejected = &partial[rejected];
    let rejected = rejected.as_str().map_or_else(|| rejected.as_i64(), |text| text.parse().ok())?;
    let message = partial["errorMessage"].as_str().unwrap_or_default().to_owned();
    Some(PartialSuccess { rejected, message })
}

fn resource() -> Value {
    json!({"attributes": [attribute("service.name", "tachograph")]})
}

fn scope() -> Value {
    json!({"name": "tacho", "version": env!("CARGO_PKG_VERSION")})
}

/// An event as a log record; its payload is the body, as text.
fn record(event: &Recorded) -> Value {
    let context = context(event);
    let (number, severity) = match event.text("severity").as_deref() {
        Some("error") => (17, "ERROR"),
        Some("warning") => (13, "WARN"),
        _ => (9, "INFO"),
    };
    let payload = event.data().map(|data| String::from_utf8_lossy(data).into_owned());
    let names = [
        ("session.id", "sessionid"),
        ("gen_ai.conversation.id", "sessionid"),
        ("gen_ai.agent.name", "actorid"),
        ("tacho.causation_id", "causationid"),
        ("tacho.correlation_id", "correlationid"),
    ];
    let mut attributes = vec![
        attribute("tacho.event.id", event.id()),
        attribute("tacho.event.source", event.source()),
        attribute("tacho.stream", event.stream()),
        json!({"key": "tacho.position", "value": {"intValue": event.position.0.to_string()}}),
    ];
    attributes.extend(names.iter().filter_map(|(name, own)| Some(attribute(name, &event.text(own)?))));
    json!({
        "timeUnixNano": event.time().0.to_string(),
        "observedTimeUnixNano": event.recorded.0.to_string(),
        "severityNumber": number,
        "severityText": severity,
        "eventName": event.kind(),
        "body": {"stringValue": payload.unwrap_or_default()},
        "attributes": attributes,
        "traceId": hex(&context.trace_id),
        "spanId": hex(&context.span_id),
        "flags": u32::from(context.flags),
    })
}
