#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use tacho_event::{Position, Recorded, Sequence, Timestamp, json};
use tacho_ingest::shape::{Format, render};
use tacho_ingest::{Door, Redactor, import};

fuzz_target!(|bytes: &[u8]| {
    let redactor = Redactor::builtin();
    for event in import::lines(bytes, &Door::new(&redactor), Timestamp(0)).events {
        let recorded =
            Recorded::new(Position(1), Sequence(1), Timestamp(0), Bytes::copy_from_slice(event.bytes()));
        for format in Format::ALL {
            let (mut out, mut minified) = (Vec::new(), Vec::new());
            render(recorded.as_ref().expect("the names are whole"), format, &mut out);
            json::minify(&out, 200, &mut minified).expect("the shape is JSON");
            assert_eq!(minified, out);
        }
    }
});
