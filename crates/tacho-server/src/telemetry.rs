//! Exports of OpenTelemetry on their way to the log, whatever door they came through.

use crate::doors::Doors;
use crate::problem::Problem;
use tacho_event::{Event, json};
use tacho_ingest::otlp::{Encoding, Export, Signal};

/// The records of an export that are no events; the others were appended.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Rejected {
    pub(crate) records: u64,
    /// Why the first of them is none.
    pub(crate) reason: String,
}

/// Appends the events of an export, in as many batches as the limits of a batch make of it; returns when they
/// are on the disk. Blocks: for a thread that may.
///
/// # Errors
/// A malformed body stores nothing. When the log refuses a later batch, earlier ones stay: the client sends the
/// export again, and they are found to be there.
pub(crate) fn take(
    doors: &Doors,
    signal: Signal,
    encoding: Encoding,
    body: &[u8],
) -> Result<Rejected, Problem> {
    let door = doors.intake.door();
    let export = Export::read(signal, encoding, body, &door.limits)?;
    let mut rejected = Rejected::default();
    let mut batch = Vec::new();
    let mut bytes = 0;
    for event in export.events(&door, doors.engine.now()) {
        let event = match event {
            Ok(event) => event,
            Err(refusal) => {
                if rejected.records == 0 {
                    rejected.reason = refusal.detail;
                }
                rejected.records += 1;
                continue;
            }
        };
        let is_full =
            batch.len() >= door.limits.batch_events || bytes + event.bytes().len() > door.limits.batch_bytes;
        if is_full && !batch.is_empty() {
            append(doors, std::mem::take(&mut batch))?;
            bytes = 0;
        }
        bytes += event.bytes().len();
        batch.push(event);
    }
    append(doors, batch)?;
    Ok(rejected)
}

fn append(doors: &Doors, batch: Vec<Event>) -> Result<(), Problem> {
    let batch = doors.intake.apply_rules(batch);
    if !batch.is_empty() {
        doors.engine.append_and_wait(batch)?;
    }
    Ok(())
}

/// The `Export…ServiceResponse` of a success: empty, or with what was rejected as its `partial_success`.
pub(crate) fn response(signal: Signal, encoding: Encoding, rejected: &Rejected) -> Vec<u8> {
    let Rejected { records, reason } = rejected;
    match (encoding, records) {
        (Encoding::Json, 0) => b"{}".to_vec(),
        (Encoding::Protobuf, 0) => Vec::new(),
        (Encoding::Json, records) => {
            let member = match signal {
                Signal::Logs => "rejectedLogRecords",
                Signal::Traces => "rejectedSpans",
                Signal::Metrics => "rejectedDataPoints",
            };
            let mut out =
                format!("{{\"partialSuccess\":{{\"{member}\":\"{records}\",\"errorMessage\":").into_bytes();
            json::write_string(reason, &mut out);
            out.extend_from_slice(b"}}");
            out
        }
        // Field 1 is the message partial_success: its field 1 the count, its field 2 the reason.
        (Encoding::Protobuf, records) => {
            let mut partial = vec![0x08];
            push_varint(*records, &mut partial);
            partial.push(0x12);
            push_varint(reason.len() as u64, &mut partial);
            partial.extend_from_slice(reason.as_bytes());
            let mut out = vec![0x0a];
            push_varint(partial.len() as u64, &mut out);
            out.extend_from_slice(&partial);
            out
        }
    }
}

fn push_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn responses_of_both_encodings() {
        let none = Rejected::default();
        assert_eq!(response(Signal::Logs, Encoding::Json, &none), b"{}");
        assert_eq!(response(Signal::Logs, Encoding::Protobuf, &none), b"");
        let some = Rejected { records: 300, reason: "no \"object\"".to_owned() };
        assert_eq!(
            String::from_utf8(response(Signal::Traces, Encoding::Json, &some)).unwrap(),
            r#"{"partialSuccess":{"rejectedSpans":"300","errorMessage":"no \"object\""}}"#
        );
        assert_eq!(
            response(Signal::Metrics, Encoding::Protobuf, &some),
            b"\x0a\x10\x08\xac\x02\x12\x0bno \"object\""
        );
    }
}
