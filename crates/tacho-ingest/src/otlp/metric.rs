//! Metrics → `otel.metric`, one for each data point.

use super::Signal;
use super::node::Node;
use super::record::{Record, moment};
use super::resource::Resource;
use super::value::{Object, number, text, whole};
use crate::Refusal;
use crate::redact::Redactor;
use std::borrow::Cow;
use std::rc::Rc;
use tacho_event::json::{self, Kind};

/// How the points of a metric are to be read.
#[derive(Clone)]
pub(super) struct Metric {
    name: Option<String>,
    unit: Option<String>,
    kind: &'static str,
    temporality: Option<&'static str>,
    is_monotonic: Option<bool>,
}

/// Members of a metric, of which it has one, and what the payload calls them.
const KINDS: [(&str, &str); 5] = [
    ("sum", "sum"),
    ("gauge", "gauge"),
    ("histogram", "histogram"),
    ("exponentialHistogram", "exponential_histogram"),
    ("summary", "summary"),
];

/// Numbers of a point that is more than one number.
const NUMBERS: [(&str, &str); 6] = [
    ("count", "count"),
    ("sum", "sum"),
    ("min", "min"),
    ("max", "max"),
    ("scale", "scale"),
    ("zeroCount", "zero_count"),
];
/// Its lists of numbers, its objects.
const PARTS: [(&str, &str); 5] = [
    ("bucketCounts", "bucket_counts"),
    ("explicitBounds", "explicit_bounds"),
    ("quantileValues", "quantiles"),
    ("positive", "positive"),
    ("negative", "negative"),
];

/// The data points of a metric, each with the metric.
pub(super) fn points<'a>(metric: Node<'a>) -> Box<dyn Iterator<Item = (Rc<Metric>, Node<'a>)> + 'a> {
    let of_kind = |(member, kind)| metric.child(member).map(|data| (data, kind));
    let Some((data, kind)) = KINDS.into_iter().find_map(of_kind) else {
        return Box::new(std::iter::empty());
    };
    let owned = |name| text(metric.member(name).as_deref()).map(Cow::into_owned);
    let metric = Rc::new(Metric {
        name: owned("name"),
        unit: owned("unit"),
        kind,
        temporality: data.member("aggregationTemporality").and_then(|value| temporality(&value)),
        is_monotonic: data.member("isMonotonic").map(|value| *value == *b"true"),
    });
    Box::new(data.children("dataPoints").map(move |point| (Rc::clone(&metric), point)))
}

fn temporality(value: &[u8]) -> Option<&'static str> {
    let named = text(Some(value));
    match (whole(Some(value)), named.as_deref()) {
        (Some(1), _) | (_, Some("AGGREGATION_TEMPORALITY_DELTA")) => Some("delta"),
        (Some(2), _) | (_, Some("AGGREGATION_TEMPORALITY_CUMULATIVE")) => Some("cumulative"),
        _ => None,
    }
}

pub(super) fn read<'r>(
    metric: &Metric,
    node: Node<'_>,
    resource: &'r Resource,
    redactor: &Redactor,
) -> Result<Record<'r>, Refusal> {
    let point = node.json();
    if json::kind(&point) != Kind::Object {
        return Err(Refusal::event("a data point is no JSON object"));
    }
    let mut data = Object::default();
    for (name, text) in [("name", &metric.name), ("unit", &metric.unit)] {
        if let Some(text) = text {
            data.add_text(name, text);
        }
    }
    data.add_text("kind", metric.kind);
    if let Some(temporality) = metric.temporality {
        data.add_text("temporality", temporality);
    }
    if let Some(is_monotonic) = metric.is_monotonic {
        data.add("monotonic", if is_monotonic { b"true" } else { b"false" });
    }
    data.add("value", &value(&point));
    if let Some(start) = moment(&point, "startTimeUnixNano") {
        data.add_text("start", &start.to_rfc3339());
    }
    data.add("attributes", &resource.attributes(json::member(&point, "attributes")).to_json());
    resource.add_to(&mut data);
    Ok(Record {
        signal: Signal::Metrics,
        kind: Cow::Borrowed("otel.metric"),
        resource,
        time: moment(&point, "timeUnixNano"),
        trace: None,
        severity: None,
        more: Vec::new(),
        data: redactor.redact_json(&data.to_json()).into_owned(),
    })
}

/// The number; of a distribution, an object of what is known of it; null of a point without a value.
fn value(point: &[u8]) -> Vec<u8> {
    let member = |name: &str| json::member(point, name);
    for name in ["asInt", "asDouble"] {
        if let Some(value) = member(name) {
            return number(value).unwrap_or_else(|| value.to_owned());
        }
    }
    let mut object = Object::default();
    for (name, told) in NUMBERS {
        object.add_number(told, member(name));
    }
    for (name, told) in PARTS {
        if let Some(part) = member(name) {
            object.add(told, &numbers(part));
        }
    }
    if object.is_empty() { b"null".to_vec() } else { object.to_json() }
}

/// The value with every number that was sent as a string as a number; lists and objects of any depth.
fn numbers(value: &[u8]) -> Vec<u8> {
    match json::kind(value) {
        Kind::Array => {
            let mut out = vec![b'['];
            for element in json::elements(value) {
                if out.len() > 1 {
                    out.push(b',');
                }
                out.extend_from_slice(&numbers(element));
            }
            out.push(b']');
            out
        }
        Kind::Object => {
            let mut object = Object::default();
            for (key, value) in json::members(value) {
                let key =
                    if key == b"bucketCounts" { "bucket_counts".into() } else { crate::shape::key_text(key) };
                object.add(&key, &numbers(value));
            }
            object.to_json()
        }
        _ => number(value).unwrap_or_else(|| value.to_owned()),
    }
}
