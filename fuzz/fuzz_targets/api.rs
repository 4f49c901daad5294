#![no_main]

use libfuzzer_sys::fuzz_target;
use tacho_event::Timestamp;
use tacho_ingest::{Door, Redactor, api};

fuzz_target!(|bytes: &[u8]| {
    let redactor = Redactor::builtin();
    let door = Door::new(&redactor);
    let attributes: [(&str, &[u8]); 4] =
        [("ce-id", bytes), ("ce-source", b"/fuzz"), ("ce-type", b"fuzz"), ("ce-note", bytes)];
    for (content_type, attributes) in [
        ("application/json", &[][..]),
        ("application/json", &attributes[..]),
        ("text/plain", &attributes[..]),
    ] {
        let request = api::Request { content_type: Some(content_type), attributes, body: bytes };
        let Ok(events) = api::parse(&request, &door, Timestamp(0), &mut || "made".to_owned()) else {
            continue;
        };
        for event in events {
            let mut minified = Vec::new();
            tacho_event::json::minify(event.body(), 200, &mut minified).expect("the body is JSON");
            assert_eq!(minified, event.body(), "the body is minified");
            assert!(event.bytes().len() <= door.limits.event_bytes);
        }
    }
});
