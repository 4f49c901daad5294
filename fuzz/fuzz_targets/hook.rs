#![no_main]

use libfuzzer_sys::fuzz_target;
use tacho_event::Timestamp;
use tacho_ingest::hook::{self, Agent, HookInput};
use tacho_ingest::{Door, Limits, Redactor};

fuzz_target!(|bytes: &[u8]| {
    let redactor = Redactor::builtin();
    let limits = Limits { event_bytes: 4096, ..Limits::default() };
    let door = Door { limits, ..Door::new(&redactor) };
    for agent in Agent::ALL {
        let input = HookInput {
            agent,
            id: "fuzz",
            time: Timestamp(0),
            git_sha: std::str::from_utf8(bytes).ok(),
            branch: None,
            traceparent: std::str::from_utf8(bytes).ok(),
            payload: bytes,
        };
        let events = hook::parse(&input, &door);
        assert!(!events.is_empty());
        for event in events {
            let mut minified = Vec::new();
            tacho_event::json::minify(event.body(), 200, &mut minified).expect("the body is JSON");
            assert!(event.bytes().len() <= limits.event_bytes);
        }
    }
});
