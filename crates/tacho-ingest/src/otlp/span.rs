//! Spans → `otel.span`. The event's time is the span's end: before it, nobody knew what it tells.

use super::node::Node;
use super::record::{Record, moment, trace_context};
use super::resource::Resource;
use super::value::{Object, attributes, text, whole};
use super::{Signal, usage};
use crate::Refusal;
use crate::redact::Redactor;
use std::borrow::Cow;
use tacho_event::json::{self, Kind};
use tacho_event::{Timestamp, TraceContext};

const KINDS: [&str; 6] = [
    "SPAN_KIND_UNSPECIFIED",
    "SPAN_KIND_INTERNAL",
    "SPAN_KIND_SERVER",
    "SPAN_KIND_CLIENT",
    "SPAN_KIND_PRODUCER",
    "SPAN_KIND_CONSUMER",
];
const STATUSES: [&str; 3] = ["STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"];

pub(super) fn read<'r>(
    node: Node<'_>,
    resource: &'r Resource,
    redactor: &Redactor,
) -> Result<Record<'r>, Refusal> {
    let span = node.json();
    if json::kind(&span) != Kind::Object {
        return Err(Refusal::event("a span is no JSON object"));
    }
    let member = |name: &str| json::member(&span, name);
    let kind = enumerated(member("kind"), &KINDS);
    let status = member("status").unwrap_or(b"{}");
    let code = enumerated(json::member(status, "code"), &STATUSES);
    let parent = parent(member("parentSpanId"));
    // What was exported was sampled, whatever the sender's flags say of it.
    let trace = trace_context(&span).map(|context| TraceContext { flags: context.flags | 1, ..context });

    let mut data = Object::default();
    data.add_string("name", member("name"));
    data.add_text("kind", kind);
    let end = add_times(&span, &mut data);
    let mut told = Object::default();
    told.add_text("code", code);
    told.add_string("message", json::member(status, "message"));
    data.add("status", &told.to_json());
    if let Some(parent) = &parent {
        data.add_text("parent_span_id", parent);
    }
    if trace.is_none() {
        data.add_string("trace_id", member("traceId"));
        data.add_string("span_id", member("spanId"));
    }
    let attributes = resource.attributes(member("attributes")).to_json();
    if let Some(usage) = usage::of_attributes(&attributes, resource.is_claude_code) {
        data.add("usage", &usage);
    }
    data.add("attributes", &attributes);
    add_list("events", member("events"), span_event, &mut data);
    add_list("links", member("links"), span_link, &mut data);
    resource.add_to(&mut data);

    let mut more = vec![("otelkind", kind.to_owned()), ("otelstatus", code.to_owned())];
    more.extend(parent.map(|parent| ("parentspanid", parent)));
    let state = text(member("traceState")).map(|state| redactor.redact_text(&state).into_owned());
    more.extend(state.map(|state| ("tracestate", state)));
    Ok(Record {
        signal: Signal::Traces,
        kind: Cow::Borrowed("otel.span"),
        resource,
        time: end,
        trace,
        severity: (code == STATUSES[2]).then_some("error"),
        more,
        data: redactor.redact_json(&data.to_json()).into_owned(),
    })
}

/// A number, or its name as some senders write it against the standard.
fn enumerated(value: Option<&[u8]>, names: &[&'static str]) -> &'static str {
    let by_name = || names.iter().copied().find(|name| text(value).as_deref() == Some(*name));
    let by_number = whole(value).and_then(|number| names.get(usize::try_from(number).ok()?).copied());
    by_number.or_else(by_name).unwrap_or(names[0])
}

/// 16 hex digits that are not all zeros.
fn parent(value: Option<&[u8]>) -> Option<String> {
    let id = text(value)?.to_ascii_lowercase();
    let is_id = id.len() == 16
        && id.bytes().all(|byte| byte.is_ascii_hexdigit())
        && id.bytes().any(|byte| byte != b'0');
    is_id.then_some(id)
}

/// Start, end and duration; answers the end, or the start of a span without an end.
fn add_times(span: &[u8], data: &mut Object) -> Option<Timestamp> {
    let (start, end) = (moment(span, "startTimeUnixNano"), moment(span, "endTimeUnixNano"));
    for (name, moment) in [("start", start), ("end", end)] {
        if let Some(moment) = moment {
            data.add_text(name, &moment.to_rfc3339());
        }
    }
    if let (Some(start), Some(end)) = (start, end) {
        let nanos = end.0.saturating_sub(start.0).max(0);
        data.add("duration_ms", (nanos as f64 / 1e6).to_string().as_bytes());
    }
    end.or(start)
}

fn add_list(name: &str, list: Option<&[u8]>, read: fn(&[u8]) -> Vec<u8>, data: &mut Object) {
    let mut all = vec![b'['];
    for element in json::elements(list.unwrap_or(b"[]")) {
        if all.len() > 1 {
            all.push(b',');
        }
        all.extend_from_slice(&read(element));
    }
    all.push(b']');
    if all.len() > 2 {
        data.add(name, &all);
    }
}

fn span_event(event: &[u8]) -> Vec<u8> {
    let mut object = Object::default();
    object.add_string("name", json::member(event, "name"));
    if let Some(time) = moment(event, "timeUnixNano") {
        object.add_text("time", &time.to_rfc3339());
    }
    with_attributes(object, event)
}

fn span_link(link: &[u8]) -> Vec<u8> {
    let mut object = Object::default();
    object.add_string("trace_id", json::member(link, "traceId"));
    object.add_string("span_id", json::member(link, "spanId"));
    with_attributes(object, link)
}

fn with_attributes(mut object: Object, of: &[u8]) -> Vec<u8> {
    let found = attributes(json::member(of, "attributes"), false);
    if !found.is_empty() {
        object.add("attributes", &found.to_json());
    }
    object.to_json()
}
