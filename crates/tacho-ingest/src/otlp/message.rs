//! The messages of an export (opentelemetry-proto 1.x), as far as they are read.

use super::protobuf::{Field, Kind, Message};
use Kind::{Base64, Bool, Double, Fixed32, Fixed64, Hex, Signed, SignedFixed64, Text, Unsigned, Zigzag};

const fn one(number: u64, name: &'static str, kind: Kind) -> Field {
    Field { number, name, kind, is_repeated: false }
}

const fn many(number: u64, name: &'static str, kind: Kind) -> Field {
    Field { number, name, kind, is_repeated: true }
}

pub(super) static LOGS: Message = Message::new(&[many(1, "resourceLogs", Kind::Message(&RESOURCE_LOGS))]);
pub(super) static TRACES: Message = Message::new(&[many(1, "resourceSpans", Kind::Message(&RESOURCE_SPANS))]);
pub(super) static METRICS: Message =
    Message::new(&[many(1, "resourceMetrics", Kind::Message(&RESOURCE_METRICS))]);

static RESOURCE_LOGS: Message = Message::new(&[
    one(1, "resource", Kind::Message(&RESOURCE)),
    many(2, "scopeLogs", Kind::Message(&SCOPE_LOGS)),
]);
static RESOURCE_SPANS: Message = Message::new(&[
    one(1, "resource", Kind::Message(&RESOURCE)),
    many(2, "scopeSpans", Kind::Message(&SCOPE_SPANS)),
]);
static RESOURCE_METRICS: Message = Message::new(&[
    one(1, "resource", Kind::Message(&RESOURCE)),
    many(2, "scopeMetrics", Kind::Message(&SCOPE_METRICS)),
]);

static SCOPE_LOGS: Message = Message::new(&[
    one(1, "scope", Kind::Message(&SCOPE)),
    many(2, "logRecords", Kind::Message(&LOG_RECORD)),
]);
static SCOPE_SPANS: Message =
    Message::new(&[one(1, "scope", Kind::Message(&SCOPE)), many(2, "spans", Kind::Message(&SPAN))]);
static SCOPE_METRICS: Message =
    Message::new(&[one(1, "scope", Kind::Message(&SCOPE)), many(2, "metrics", Kind::Message(&METRIC))]);

static RESOURCE: Message = Message::new(&[many(1, "attributes", Kind::Message(&KEY_VALUE))]);
static SCOPE: Message = Message::new(&[one(1, "name", Text), one(2, "version", Text)]);

static LOG_RECORD: Message = Message::new(&[
    one(1, "timeUnixNano", Fixed64),
    one(11, "observedTimeUnixNano", Fixed64),
    one(2, "severityNumber", Signed),
    one(3, "severityText", Text),
    one(12, "eventName", Text),
    one(5, "body", Kind::Message(&ANY_VALUE)),
    many(6, "attributes", Kind::Message(&KEY_VALUE)),
    one(8, "flags", Fixed32),
    one(9, "traceId", Hex),
    one(10, "spanId", Hex),
]);

static SPAN: Message = Message::new(&[
    one(1, "traceId", Hex),
    one(2, "spanId", Hex),
    one(3, "traceState", Text),
    one(4, "parentSpanId", Hex),
    one(16, "flags", Fixed32),
    one(5, "name", Text),
    one(6, "kind", Signed),
    one(7, "startTimeUnixNano", Fixed64),
    one(8, "endTimeUnixNano", Fixed64),
    many(9, "attributes", Kind::Message(&KEY_VALUE)),
    many(11, "events", Kind::Message(&SPAN_EVENT)),
    many(13, "links", Kind::Message(&SPAN_LINK)),
    one(15, "status", Kind::Message(&STATUS)),
]);
static SPAN_EVENT: Message = Message::new(&[
    one(1, "timeUnixNano", Fixed64),
    one(2, "name", Text),
    many(3, "attributes", Kind::Message(&KEY_VALUE)),
]);
static SPAN_LINK: Message = Message::new(&[
    one(1, "traceId", Hex),
    one(2, "spanId", Hex),
    many(4, "attributes", Kind::Message(&KEY_VALUE)),
]);
static STATUS: Message = Message::new(&[one(2, "message", Text), one(3, "code", Signed)]);

static METRIC: Message = Message::new(&[
    one(1, "name", Text),
    one(3, "unit", Text),
    one(5, "gauge", Kind::Message(&GAUGE)),
    one(7, "sum", Kind::Message(&SUM)),
    one(9, "histogram", Kind::Message(&HISTOGRAM)),
    one(10, "exponentialHistogram", Kind::Message(&EXPONENTIAL_HISTOGRAM)),
    one(11, "summary", Kind::Message(&SUMMARY)),
]);
static GAUGE: Message = Message::new(&[many(1, "dataPoints", Kind::Message(&NUMBER_POINT))]);
static SUM: Message = Message::new(&[
    many(1, "dataPoints", Kind::Message(&NUMBER_POINT)),
    one(2, "aggregationTemporality", Signed),
    one(3, "isMonotonic", Bool),
]);
static HISTOGRAM: Message = Message::new(&[
    many(1, "dataPoints", Kind::Message(&HISTOGRAM_POINT)),
    one(2, "aggregationTemporality", Signed),
]);
static EXPONENTIAL_HISTOGRAM: Message = Message::new(&[
    many(1, "dataPoints", Kind::Message(&EXPONENTIAL_POINT)),
    one(2, "aggregationTemporality", Signed),
]);
static SUMMARY: Message = Message::new(&[many(1, "dataPoints", Kind::Message(&SUMMARY_POINT))]);

static NUMBER_POINT: Message = Message::new(&[
    many(7, "attributes", Kind::Message(&KEY_VALUE)),
    one(2, "startTimeUnixNano", Fixed64),
    one(3, "timeUnixNano", Fixed64),
    one(4, "asDouble", Double),
    one(6, "asInt", SignedFixed64),
]);
static HISTOGRAM_POINT: Message = Message::new(&[
    many(9, "attributes", Kind::Message(&KEY_VALUE)),
    one(2, "startTimeUnixNano", Fixed64),
    one(3, "timeUnixNano", Fixed64),
    one(4, "count", Fixed64),
    one(5, "sum", Double),
    one(11, "min", Double),
    one(12, "max", Double),
    many(6, "bucketCounts", Fixed64),
    many(7, "explicitBounds", Double),
]);
static EXPONENTIAL_POINT: Message = Message::new(&[
    many(1, "attributes", Kind::Message(&KEY_VALUE)),
    one(2, "startTimeUnixNano", Fixed64),
    one(3, "timeUnixNano", Fixed64),
    one(4, "count", Fixed64),
    one(5, "sum", Double),
    one(12, "min", Double),
    one(13, "max", Double),
    one(6, "scale", Zigzag),
    one(7, "zeroCount", Fixed64),
    one(8, "positive", Kind::Message(&BUCKETS)),
    one(9, "negative", Kind::Message(&BUCKETS)),
]);
static BUCKETS: Message = Message::new(&[one(1, "offset", Zigzag), many(2, "bucketCounts", Unsigned)]);
static SUMMARY_POINT: Message = Message::new(&[
    many(7, "attributes", Kind::Message(&KEY_VALUE)),
    one(2, "startTimeUnixNano", Fixed64),
    one(3, "timeUnixNano", Fixed64),
    one(4, "count", Fixed64),
    one(5, "sum", Double),
    many(6, "quantileValues", Kind::Message(&QUANTILE)),
]);
static QUANTILE: Message = Message::new(&[one(1, "quantile", Double), one(2, "value", Double)]);

static KEY_VALUE: Message = Message::new(&[one(1, "key", Text), one(2, "value", Kind::Message(&ANY_VALUE))]);
static ANY_VALUE: Message = Message::new(&[
    one(1, "stringValue", Text),
    one(2, "boolValue", Bool),
    one(3, "intValue", Signed),
    one(4, "doubleValue", Double),
    one(5, "arrayValue", Kind::Message(&ARRAY_VALUE)),
    one(6, "kvlistValue", Kind::Message(&KEY_VALUE_LIST)),
    one(7, "bytesValue", Base64),
]);
static ARRAY_VALUE: Message = Message::new(&[many(1, "values", Kind::Message(&ANY_VALUE))]);
static KEY_VALUE_LIST: Message = Message::new(&[many(1, "values", Kind::Message(&KEY_VALUE))]);
