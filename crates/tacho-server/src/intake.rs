//! From foreign bytes to events, with this server's redactor, limits and rules.

use crate::config::Intake;
use crate::validity::Validity;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use bytes::Bytes;
use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use tacho_engine::{HookFrame, LiveEvent, Parsers};
use tacho_event::schema::Mode;
use tacho_event::{Event, Timestamp, json};
use tacho_ingest::api::{self, Incoming, Request};
use tacho_ingest::hook::{self, Agent, HookInput};
use tacho_ingest::{Door, Refusal, marker, transcript};

pub(crate) use tacho_ingest::shape::{Format, render};

const _: () = assert!(Format::ALL.len() == LiveEvent::SHAPES);
const _: () = assert!(Format::CloudEvents as usize == LiveEvent::CLOUDEVENT);

/// Attributes of CloudEvents in binary mode: more headers than an event may have attributes are not looked at.
const MAX_ATTRIBUTE_HEADERS: usize = 128;

/// A live event in the shape that a subscriber takes, shared with all others who take it.
pub(crate) fn shaped(event: &LiveEvent, format: Format) -> &Bytes {
    event.in_shape(format as usize, |event, out| render(event, format, out))
}

pub(crate) struct IntakeDoor {
    intake: Intake,
    /// What the rules have done since the start.
    dropped: AtomicU64,
    truncated: AtomicU64,
    pub(crate) validity: Validity,
}

impl IntakeDoor {
    pub(crate) fn new(intake: Intake) -> Arc<Self> {
        let (dropped, truncated) = (AtomicU64::new(0), AtomicU64::new(0));
        Arc::new(Self { intake, dropped, truncated, validity: Validity::default() })
    }

    /// The events of a request to append, before the rules.
    pub(crate) fn parse_request(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now: Timestamp,
        new_id: &mut dyn FnMut() -> String,
    ) -> Result<Vec<Incoming>, Refusal> {
        let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let attributes: Vec<(&str, &[u8])> = headers
            .iter()
            .filter(|(name, _)| name.as_str().starts_with("ce-"))
            .take(MAX_ATTRIBUTE_HEADERS)
            .map(|(name, value)| (name.as_str(), value.as_bytes()))
            .collect();
        let request = Request { content_type, attributes: &attributes, body };
        api::read(&request, &self.door(), now, new_id)
    }

    /// Whether the payload must fit the schema of its type; `asked` is what the request says of it.
    pub(crate) fn is_strict(&self, incoming: &Incoming, asked: Option<Mode>) -> bool {
        let of_shape = incoming.format.is_some_and(|format| self.intake.strict.contains(&format));
        asked.map_or(of_shape, |mode| mode == Mode::Strict)
    }

    /// What the engine needs to read hooks.
    pub(crate) fn parsers(self: &Arc<Self>) -> Parsers {
        let (frames, transcripts, usages, spooled) = (self.clone(), self.clone(), self.clone(), self.clone());
        Parsers {
            frame: Box::new(move |frame: HookFrame| frames.parse_frame(&frame)),
            transcript_path: Box::new(|event| hook::transcript_path(event).map(PathBuf::from)),
            transcript: Box::new(move |cause, lines| {
                let events = marker::from_transcript(cause, lines, &transcripts.door());
                transcripts.apply_rules(events)
            }),
            usages: Box::new(move |cause, lines| {
                usages.apply_rules(transcript::usages(cause, lines, &usages.door()))
            }),
            redact: Box::new(move |payload| spooled.redact(payload)),
        }
    }

    pub(crate) fn write_metrics(&self, text: &mut String) {
        for (name, help, number) in [
            ("tacho_ingest_dropped_total", "Events that a rule dropped, since the start.", &self.dropped),
            (
                "tacho_ingest_truncated_total",
                "Events that a rule truncated, since the start.",
                &self.truncated,
            ),
        ] {
            let value = number.load(Relaxed);
            let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} counter\n{name} {value}\n");
        }
        self.validity.write_metrics(text);
    }

    fn redact(&self, payload: &[u8]) -> Vec<u8> {
        let redactor = &self.intake.redactor;
        let mut minified = Vec::new();
        if json::minify(payload, self.intake.limits.depth, &mut minified).is_ok() {
            return redactor.redact_json(&minified).into_owned();
        }
        redactor.redact_text(&String::from_utf8_lossy(payload)).into_owned().into_bytes()
    }

    fn parse_frame(&self, frame: &HookFrame) -> Vec<Event> {
        let input = HookInput {
            agent: Agent::from_name(&frame.agent).unwrap_or(Agent::ClaudeCode),
            id: &frame.id,
            time: frame.time,
            git_sha: frame.git_sha.as_deref(),
            branch: frame.branch.as_deref(),
            traceparent: frame.traceparent.as_deref(),
            payload: &frame.payload,
        };
        self.apply_rules(hook::parse(&input, &self.door()))
    }

    pub(crate) fn door(&self) -> Door<'_> {
        let Intake { redactor, limits, markers, derives, .. } = &self.intake;
        Door { redactor, limits: *limits, markers: markers.clone(), derives: *derives }
    }

    /// What every door does with its events last. Whether their payloads are valid is counted as they came.
    pub(crate) fn apply_rules(&self, events: Vec<Event>) -> Vec<Event> {
        self.validity.count(&events);
        if self.intake.rules.0.is_empty() {
            return events;
        }
        let (kept, counts) = self.intake.rules.apply(events);
        for count in counts {
            self.dropped.fetch_add(count.dropped, Relaxed);
            self.truncated.fetch_add(count.truncated, Relaxed);
        }
        kept
    }
}
