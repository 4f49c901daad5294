#![no_main]

use libfuzzer_sys::fuzz_target;
use tacho_event::Timestamp;
use tacho_ingest::hook::Agent;
use tacho_ingest::transcript::{self, TranscriptInput};
use tacho_ingest::{Door, Redactor};

fuzz_target!(|bytes: &[u8]| {
    let redactor = Redactor::builtin();
    let door = Door::new(&redactor);
    for agent in Agent::ALL {
        let input = TranscriptInput { agent, session: Some("s"), now: Timestamp(0), jsonl: bytes };
        assert_eq!(transcript::parse(&input, &door).events, transcript::parse(&input, &door).events);
    }
});
