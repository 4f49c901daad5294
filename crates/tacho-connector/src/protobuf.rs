//! OTLP's JSON as Protocol Buffers (protobuf.dev, "Encoding"; opentelemetry-proto 1.x): many receivers take nothing
//! else. One table says which fields there are, so what is sent in either form says the same.

use serde_json::Value;

pub(crate) struct Message(&'static [(u64, &'static str, Kind)]);

enum Kind {
    Text,
    /// Bytes that OTLP's JSON holds as hex: the ids of traces and spans.
    Hex,
    /// A varint: `int32`, `int64` and enumerations. JSON holds the wider one as text.
    Signed,
    Fixed32,
    Fixed64,
    Double,
    /// A list of them where JSON holds a list.
    Message(&'static Message),
}
use Kind::{Double, Fixed32, Fixed64, Hex, Signed, Text};

pub(crate) static TRACES: Message = Message(&[(1, "resourceSpans", Kind::Message(&RESOURCE_SPANS))]);
pub(crate) static LOGS: Message = Message(&[(1, "resourceLogs", Kind::Message(&RESOURCE_LOGS))]);

static RESOURCE_SPANS: Message =
    Message(&[(1, "resource", Kind::Message(&RESOURCE)), (2, "scopeSpans", Kind::Message(&SCOPE_SPANS))]);
static RESOURCE_LOGS: Message =
    Message(&[(1, "resource", Kind::Message(&RESOURCE)), (2, "scopeLogs", Kind::Message(&SCOPE_LOGS))]);
static SCOPE_SPANS: Message =
    Message(&[(1, "scope", Kind::Message(&SCOPE)), (2, "spans", Kind::Message(&SPAN))]);
static SCOPE_LOGS: Message =
    Message(&[(1, "scope", Kind::Message(&SCOPE)), (2, "logRecords", Kind::Message(&LOG_RECORD))]);
static RESOURCE: Message = Message(&[(1, "attributes", Kind::Message(&KEY_VALUE))]);
static SCOPE: Message = Message(&[(1, "name", Text), (2, "version", Text)]);
static KEY_VALUE: Message = Message(&[(1, "key", Text), (2, "value", Kind::Message(&ANY_VALUE))]);
static ANY_VALUE: Message =
    Message(&[(1, "stringValue", Text), (3, "intValue", Signed), (4, "doubleValue", Double)]);

static SPAN: Message = Message(&[
    (1, "traceId", Hex),
    (2, "spanId", Hex),
    (4, "parentSpanId", Hex),
    (5, "name", Text),
    (6, "kind", Signed),
    (7, "startTimeUnixNano", Fixed64),
    (8, "endTimeUnixNano", Fixed64),
    (9, "attributes", Kind::Message(&KEY_VALUE)),
    (13, "links", Kind::Message(&LINK)),
    (15, "status", Kind::Message(&STATUS)),
]);
static LINK: Message =
    Message(&[(1, "traceId", Hex), (2, "spanId", Hex), (4, "attributes", Kind::Message(&KEY_VALUE))]);
static STATUS: Message = Message(&[(2, "message", Text), (3, "code", Signed)]);

static LOG_RECORD: Message = Message(&[
    (1, "timeUnixNano", Fixed64),
    (2, "severityNumber", Signed),
    (3, "severityText", Text),
    (5, "body", Kind::Message(&ANY_VALUE)),
    (6, "attributes", Kind::Message(&KEY_VALUE)),
    (8, "flags", Fixed32),
    (9, "traceId", Hex),
    (10, "spanId", Hex),
    (11, "observedTimeUnixNano", Fixed64),
    (12, "eventName", Text),
]);

/// What a receiver took only in part: how many it refused, and why.
pub(crate) struct PartialSuccess {
    pub rejected: i64,
    pub message: String,
}

pub(crate) fn encode(value: &Value, message: &Message) -> Vec<u8> {
    let mut out = Vec::new();
    message.write(value, &mut out);
    out
}

/// Of an `ExportTraceServiceResponse` or an `ExportLogsServiceResponse`; `None` where all was taken, or where it cannot
/// be read.
pub(crate) fn partial_success(answer: &[u8]) -> Option<PartialSuccess> {
    let part = fields(answer).into_iter().find_map(|(number, field)| match field {
        Field::Bytes(part) if number == 1 => Some(part),
        _ => None,
    })?;
    let mut told = PartialSuccess { rejected: 0, message: String::new() };
    for field in fields(part) {
        match field {
            (1, Field::Varint(rejected)) => told.rejected = rejected.cast_signed(),
            (2, Field::Bytes(message)) => told.message = String::from_utf8_lossy(message).into_owned(),
            _ => {}
        }
    }
    Some(told)
}

impl Message {
    fn write(&self, value: &Value, out: &mut Vec<u8>) {
        for (number, name, kind) in self.0 {
            match value.get(name) {
                Some(Value::Array(all)) => all.iter().for_each(|one| kind.write(*number, one, out)),
                Some(one) => kind.write(*number, one, out),
                None => {}
            }
        }
    }
}

impl Kind {
    fn write(&self, number: u64, value: &Value, out: &mut Vec<u8>) {
        let mut tag = |wire: u64| varint(number << 3 | wire, out);
        match self {
            Kind::Signed => {
                tag(0);
                varint(integer(value).cast_unsigned(), out);
            }
            Kind::Fixed64 => {
                tag(1);
                out.extend(integer(value).to_le_bytes());
            }
            Kind::Double => {
                tag(1);
                out.extend(value.as_f64().unwrap_or_default().to_le_bytes());
            }
            Kind::Fixed32 => {
                tag(5);
                // Flags: 32 bits at most.
                out.extend((integer(value) as u32).to_le_bytes());
            }
            Kind::Text => bytes(number, value.as_str().unwrap_or_default().as_bytes(), out),
            Kind::Hex => bytes(number, &unhex(value.as_str().unwrap_or_default()), out),
            Kind::Message(message) => bytes(number, &encode(value, message), out),
        }
    }
}

fn bytes(number: u64, of: &[u8], out: &mut Vec<u8>) {
    varint(number << 3 | 2, out);
    varint(of.len() as u64, out);
    out.extend_from_slice(of);
}

fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// JSON holds what is wider than 53 bits as text.
fn integer(value: &Value) -> i64 {
    value.as_i64().or_else(|| value.as_str()?.parse().ok()).unwrap_or_default()
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |byte: u8| (byte as char).to_digit(16).unwrap_or_default() as u8;
    text.as_bytes()
        .chunks(2)
        .map(|pair| digit(pair[0]) << 4 | pair.get(1).map_or(0, |low| digit(*low)))
        .collect()
}

enum Field<'a> {
    Varint(u64),
    Bytes(&'a [u8]),
    Other,
}

/// The fields of a message, up to the first that is damaged.
fn fields(mut message: &[u8]) -> Vec<(u64, Field<'_>)> {
    let mut found = Vec::new();
    while let Some(tag) = read_varint(&mut message) {
        let length = match tag & 7 {
            0 => {
                let Some(value) = read_varint(&mut message) else { break };
                found.push((tag >> 3, Field::Varint(value)));
                continue;
            }
            1 => Some(8),
            2 => read_varint(&mut message),
            5 => Some(4),
            _ => None,
        };
        let length = length.and_then(|length| usize::try_from(length).ok());
        let Some((taken, rest)) = length.and_then(|length| message.split_at_checked(length)) else { break };
        found.push((tag >> 3, if tag & 7 == 2 { Field::Bytes(taken) } else { Field::Other }));
        message = rest;
    }
    found
}

fn read_varint(message: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = message.split_first()?;
        *message = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}
