//! Exports of OpenTelemetry (OTLP 1.x: logs, traces, metrics; JSON and protobuf) → events.
//!
//! A body is checked whole, then read record by record where it lies, so that the events of a large export
//! can be appended in parts without a tree of it in memory. Unknown fields are passed over. Ids are derived
//! from what a record says, and the first event of an id wins: an export that is sent again adds nothing.

mod files;
mod log;
mod message;
mod metric;
mod node;
mod protobuf;
mod record;
mod resource;
mod span;
mod summary;
mod usage;
mod value;

pub use files::{import, import_protobuf};
pub use summary::summary;

use crate::door::Door;
use crate::{Limits, Refusal};
use node::Node;
use record::Record;
use resource::Resource;
use std::borrow::Cow;
use std::rc::Rc;
use tacho_event::json::{self, Kind};
use tacho_event::{Code, Event, Timestamp};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    Logs,
    Traces,
    Metrics,
}

impl Signal {
    pub const ALL: [Self; 3] = [Self::Logs, Self::Traces, Self::Metrics];

    /// As the path of its endpoint ends: `/v1/logs`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Logs => "logs",
            Self::Traces => "traces",
            Self::Metrics => "metrics",
        }
    }

    /// The member of an export's JSON that holds everything.
    fn root(self) -> &'static str {
        match self {
            Self::Logs => "resourceLogs",
            Self::Traces => "resourceSpans",
            Self::Metrics => "resourceMetrics",
        }
    }

    fn message(self) -> &'static protobuf::Message {
        match self {
            Self::Logs => &message::LOGS,
            Self::Traces => &message::TRACES,
            Self::Metrics => &message::METRICS,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Json,
    Protobuf,
}

impl Encoding {
    /// Of a Content-Type header.
    pub fn of_media_type(content_type: &str) -> Option<Self> {
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        match essence.to_ascii_lowercase().as_str() {
            "application/json" => Some(Self::Json),
            "application/x-protobuf" | "application/protobuf" => Some(Self::Protobuf),
            _ => None,
        }
    }

    pub fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Protobuf => "application/x-protobuf",
        }
    }
}

/// The body of an export request, checked.
pub struct Export<'a> {
    signal: Signal,
    body: Body<'a>,
}

enum Body<'a> {
    /// Minified.
    Json(Cow<'a, [u8]>),
    Protobuf(&'a [u8]),
}

impl<'a> Export<'a> {
    /// Checks the whole body, to the depth of the limits.
    ///
    /// # Errors
    /// What is malformed, with a stable code. The sizes of batches are not looked at: an export may hold more
    /// events than a batch.
    pub fn read(
        signal: Signal,
        encoding: Encoding,
        body: &'a [u8],
        limits: &Limits,
    ) -> Result<Self, Refusal> {
        let body = match encoding {
            Encoding::Json => {
                let mut minified = Vec::new();
                json::minify(body, limits.depth, &mut minified)?;
                if json::kind(&minified) != Kind::Object {
                    let detail = format!("an export is a JSON object with `{}`: this is none", signal.root());
                    return Err(Refusal::new(Code::InvalidJson, detail));
                }
                Body::Json(Cow::Owned(minified))
            }
            Encoding::Protobuf => {
                protobuf::check(body, signal.message(), limits.depth).map_err(|error| {
                    let detail = format!("{error}: send an Export{}ServiceRequest", camel_case(signal));
                    Refusal::new(Code::InvalidProtobuf, detail)
                })?;
                Body::Protobuf(body)
            }
        };
        Ok(Self { signal, body })
    }

    /// An export that is minified JSON already.
    fn of_minified(signal: Signal, minified: &'a [u8]) -> Self {
        Self { signal, body: Body::Json(Cow::Borrowed(minified)) }
    }

    /// The events, in the order of the export, or why a record is none. `now` is the time of records that
    /// name none.
    pub fn events<'e>(
        &'e self,
        door: &'e Door<'e>,
        now: Timestamp,
    ) -> impl Iterator<Item = Result<Event, Refusal>> + 'e {
        let signal = self.signal;
        let root = match &self.body {
            Body::Json(json) => Node::Json(json),
            Body::Protobuf(bytes) => Node::Protobuf(bytes, signal.message()),
        };
        let [scopes, records] = match signal {
            Signal::Logs => ["scopeLogs", "logRecords"],
            Signal::Traces => ["scopeSpans", "spans"],
            Signal::Metrics => ["scopeMetrics", "metrics"],
        };
        let scopes = root.children(signal.root()).flat_map(move |resource| {
            resource.children(scopes).map(move |scope| (resource.child("resource"), scope))
        });
        scopes.flat_map(move |(resource, scope)| {
            let resource = Rc::new(Resource::read(resource, scope.child("scope"), door.redactor));
            scope.children(records).flat_map(move |record| events_of(signal, record, &resource, door, now))
        })
    }
}

type Events<'e> = Box<dyn Iterator<Item = Result<Event, Refusal>> + 'e>;

/// The events of a record: one, but for a metric, which has one for each of its points.
fn events_of<'e>(
    signal: Signal,
    record: Node<'e>,
    resource: &Rc<Resource>,
    door: &'e Door<'e>,
    now: Timestamp,
) -> Events<'e> {
    let event = move |read: Result<Record<'_>, Refusal>| read.and_then(|record| record.into_event(door, now));
    match signal {
        Signal::Logs => Box::new(std::iter::once(event(log::read(record, resource, door.redactor)))),
        Signal::Traces => Box::new(std::iter::once(event(span::read(record, resource, door.redactor)))),
        Signal::Metrics => {
            let resource = Rc::clone(resource);
            let points = metric::points(record);
            Box::new(
                points.map(move |(metric, point)| {
                    event(metric::read(&metric, point, &resource, door.redactor))
                }),
            )
        }
    }
}

fn camel_case(signal: Signal) -> &'static str {
    match signal {
        Signal::Logs => "Logs",
        Signal::Traces => "Trace",
        Signal::Metrics => "Metrics",
    }
}
