#![no_main]

use libfuzzer_sys::fuzz_target;
use tacho_event::Timestamp;
use tacho_ingest::otlp::{self, Encoding, Export, Signal};
use tacho_ingest::{Door, Redactor};

fuzz_target!(|bytes: &[u8]| {
    let redactor = Redactor::builtin();
    let door = Door::new(&redactor);
    for signal in Signal::ALL {
        for encoding in [Encoding::Json, Encoding::Protobuf] {
            let Ok(export) = Export::read(signal, encoding, bytes, &door.limits) else { continue };
            for event in export.events(&door, Timestamp(0)).filter_map(Result::ok) {
                let mut minified = Vec::new();
                tacho_event::json::minify(event.body(), 200, &mut minified).expect("the body is JSON");
                assert_eq!(minified, event.body(), "the body is minified");
                assert!(event.bytes().len() <= door.limits.event_bytes);
            }
        }
    }
    otlp::import(bytes, &door, Timestamp(0));
});
