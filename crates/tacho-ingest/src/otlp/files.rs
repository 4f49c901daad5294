//! Exports in files: one JSON document, or one a line as collectors write them.

use super::{Encoding, Export, Signal};
use crate::Refusal;
use crate::door::Door;
use crate::import::{Import, Skipped};
use tacho_event::json;
use tacho_event::{Code, Timestamp};

/// Reads a file of exports. A line that cannot be read, or a record that cannot be kept, does not stop the
/// others; `now` is the time of records that name none.
pub fn import(file: &[u8], door: &Door<'_>, now: Timestamp) -> Import {
    let mut import = Import::default();
    let mut whole = Vec::new();
    if json::minify(file, door.limits.depth, &mut whole).is_ok() {
        document(1, &whole, door, now, &mut import);
        return import;
    }
    for (index, line) in file.split(|byte| *byte == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let mut minified = Vec::new();
        match json::minify(line, door.limits.depth, &mut minified) {
            Ok(()) => document(index + 1, &minified, door, now, &mut import),
            Err(error) => import.skipped.push(Skipped { line: index + 1, refusal: error.into() }),
        }
    }
    import
}

/// Reads a file that is the body of one export in protobuf. Its content does not say of which signal it is.
pub fn import_protobuf(signal: Signal, file: &[u8], door: &Door<'_>, now: Timestamp) -> Import {
    let mut import = Import::default();
    match Export::read(signal, Encoding::Protobuf, file, &door.limits) {
        Ok(export) => take(1, &export, door, now, &mut import),
        Err(refusal) => import.skipped.push(Skipped { line: 1, refusal }),
    }
    import
}

fn document(line: usize, minified: &[u8], door: &Door<'_>, now: Timestamp, import: &mut Import) {
    let signals = Signal::ALL.into_iter().filter(|signal| json::member(minified, signal.root()).is_some());
    let mut is_export = false;
    for signal in signals {
        is_export = true;
        take(line, &Export::of_minified(signal, minified), door, now, import);
    }
    if !is_export {
        let detail = "no export of OTLP: none of resourceLogs, resourceSpans, resourceMetrics is there";
        import.skipped.push(Skipped { line, refusal: Refusal::new(Code::InvalidJson, detail) });
    }
}

fn take(line: usize, export: &Export<'_>, door: &Door<'_>, now: Timestamp, import: &mut Import) {
    for event in export.events(door, now) {
        match event {
            Ok(event) => import.events.push(event),
            Err(refusal) => import.skipped.push(Skipped { line, refusal }),
        }
    }
}
