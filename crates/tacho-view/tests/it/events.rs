//! Made-up events for tests: few names, so that filters meet.

use bytes::Bytes;
use std::collections::HashMap;
use tacho_event::{Draft, Position, Recorded, Sameness, Sequence, Timestamp};

pub const KINDS: [&str; 8] = [
    "demo.a",
    "demo.b",
    "tool.x.completed",
    "tool.y.completed",
    "PhaseCompleted",
    "tacho.marker_rejected",
    "tacho.sys.progress",
    "été.ouvert",
];
pub const STREAMS: [&str; 7] =
    ["issue/1", "issue/2", "issue/10/x", "issues/1", "session/s1", "plain", "handler/h"];
pub const WORDS: [&str; 9] = ["alpha", "Alphabet", "beta", "über", "ÜBERALL", "x1", "1", "dead-letter", "ſ"];
pub const PHASES: [&str; 4] = ["EXPLORE", "BUILD", "VALIDATE", "é"];
pub const START_NS: i64 = 1_700_000_000_000_000_000;

/// SplitMix64.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    pub fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    pub fn pick<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }
}

/// A log that grows.
pub struct Log {
    random: Random,
    position: u64,
    sequences: HashMap<String, u64>,
    phases: HashMap<String, String>,
    /// Every event, with the phase that its stream was in when it came, its own included.
    pub events: Vec<Recorded>,
    pub phase_of: Vec<Option<String>>,
}

impl Log {
    pub fn new(seed: u64, count: usize) -> Self {
        let mut log = Self {
            random: Random(seed),
            position: 0,
            sequences: HashMap::new(),
            phases: HashMap::new(),
            events: Vec::new(),
            phase_of: Vec::new(),
        };
        for _ in 0..count {
            log.grow();
        }
        log
    }

    pub fn grow(&mut self) {
        let random = &mut self.random;
        self.position += 1;
        let kind = random.pick(&KINDS);
        let stream = random.pick(&STREAMS).to_owned();
        let id = format!("id{}", random.below(self.position as usize + 5));
        let mut draft = Draft::new(kind, format!("/source/{}", random.below(4)), id);
        draft.subject = Some(stream.clone().into());
        attributes(random, &mut draft, self.position);
        let (named, next) = payload(random, &mut draft, kind);

        let sequence = self.sequences.entry(stream.clone()).or_default();
        *sequence += 1;
        if let Some(named) = named {
            self.phases.insert(stream.clone(), named);
        }
        self.phase_of.push(self.phases.get(&stream).cloned());
        if let Some(next) = next {
            self.phases.insert(stream.clone(), next);
        }
        let event = draft.finish(Sameness::FirstWins).unwrap();
        let recorded = Recorded::new(
            Position(self.position),
            Sequence(*sequence),
            Timestamp(START_NS + self.position as i64 * 1_000_000_001),
            Bytes::copy_from_slice(event.bytes()),
        );
        self.events.push(recorded.unwrap());
    }
}

fn attributes(random: &mut Random, draft: &mut Draft<'_>, position: u64) {
    if random.one_in(2) {
        let nanos = START_NS + position as i64 * 1_000_000_000 + random.below(900) as i64 * 1_000_000_000;
        draft.put_text("time", &Timestamp(nanos).to_rfc3339());
    }
    if random.one_in(2) {
        draft.put_text("sessionid", &format!("s{}", random.below(3)));
    }
    if random.one_in(2) {
        draft.put_text("actortype", random.pick(&["agent", "user"]));
        draft.put_text("actorid", random.pick(&["scribe", "agent", "critic-2"]));
    }
    if random.one_in(3) {
        draft.put_text("correlationid", &format!("c{}", position / 10));
    }
    if random.one_in(3) {
        draft.put_text("causationid", &format!("id{}", random.below(position as usize + 1)));
    }
    if random.one_in(3) {
        draft.put_text("traceparent", &format!("00-{:032x}-00000000000000aa-01", 1 + random.below(9)));
    }
}

/// Answers the phase that the payload names, and the one that it moves the stream to.
fn payload(random: &mut Random, draft: &mut Draft<'_>, kind: &str) -> (Option<String>, Option<String>) {
    let text = (0..random.below(5)).map(|_| random.pick(&WORDS)).collect::<Vec<_>>().join(" ");
    let (mut named, mut next) = (None, None);
    let mut data = format!("{{\"text\":\"{text}\",\"n\":{}", random.below(20));
    match random.below(8) {
        0 => {
            let phase = random.pick(&PHASES);
            data += &format!(",\"phase\":\"{phase}\",\"initial_phase\":\"OTHER\"");
            named = Some(phase.to_owned());
        }
        1 => {
            data += ",\"initial_phase\":\"EXPLORE\"";
            named = Some("EXPLORE".to_owned());
        }
        // No text, so it names none.
        2 => data += ",\"phase\":7",
        _ => {}
    }
    if random.one_in(3) {
        let phase = random.pick(&PHASES);
        data += &format!(",\"next_phase\":\"{phase}\"");
        next = (kind == "PhaseCompleted").then(|| phase.to_owned());
    }
    data.push('}');
    if !random.one_in(10) {
        draft.set_data(data.into_bytes());
        return (named, next);
    }
    (None, None)
}
