#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use tacho_event::{Position, Recorded, Sequence, Timestamp};
use tacho_ingest::{Door, Redactor, import};

fuzz_target!(|bytes: &[u8]| {
    let redactor = Redactor::builtin();
    let door = Door::new(&redactor);
    let first = import::lines(bytes, &door, Timestamp(0)).events;
    let mut export = Vec::new();
    let exported = first.iter().filter(|event| !event.is_reserved());
    for event in exported.clone() {
        let recorded =
            Recorded::new(Position(1), Sequence(1), Timestamp(0), Bytes::copy_from_slice(event.bytes()));
        recorded.expect("the names are whole").write_cloudevent(&mut export);
        export.push(b'\n');
    }
    let again = import::lines(&export, &door, Timestamp(1));
    assert!(again.events.iter().map(|event| event.bytes()).eq(exported.map(|event| event.bytes())));
});
