//! Measures the read side: `cargo run --release -p tacho-view --example fold -- [EVENTS] [BATCH] [FOLDER]`.
//!
//! Folds made-up events as an agents' log has them, then asks for pages by every kind of filter. Rates are of
//! the fold alone, by the processor time of its thread, and by the clock in brackets.

use bytes::Bytes;
use std::fmt::Write;
use std::time::{Duration, Instant};
use tacho_event::{Draft, Filter, Pattern, Position, Recorded, Sameness, Sequence, Timestamp};
use tacho_view::{Reader, Scan, StreamQuery};

const STREAMS: u64 = 50_000;
const STREAMS_AT_ONCE: u64 = 500;
const TYPES: u64 = 200;
const ACTORS: u64 = 500;
const VOCABULARY: u64 = 20_000;
const START_NS: i64 = 1_767_225_600_000_000_000;
const STEP_NS: i64 = 7_000_000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number =
        |index: usize, default| arguments.get(index).map_or(default, |text| text.parse().expect("a number"));
    let (events, batch) = (number(0, 5_000_000), number(1, 5_000));
    let folder = arguments.get(2).map_or_else(|| std::env::temp_dir().join("tacho-view-fold"), Into::into);
    let (mut writer, reader) = tacho_view::open(&folder, [7; 16]).expect("opens");
    if writer.position().0 < events {
        fold(&mut writer, events, batch);
    }
    let size: u64 = std::fs::read_dir(&folder)
        .expect("lists")
        .filter_map(|entry| entry.ok()?.metadata().ok().map(|file| file.len()))
        .sum();
    println!("files: {} MB, {} B an event, memory {} MB", size >> 20, size / events, resident_mb());
    drop(writer);
    let opened = Instant::now();
    let (mut writer, _) = tacho_view::open(&folder, [7; 16]).expect("opens again");
    println!("opened in {:.1} ms", opened.elapsed().as_secs_f64() * 1e3);
    while writer.maintain().expect("tidies") {}
    query(&reader, events);
    println!("memory {} MB", resident_mb());
}

fn fold(writer: &mut tacho_view::Writer, events: u64, batch: u64) {
    let mut maker = Maker::new(writer.position().0);
    let mut random = Random(11);
    let (mut clock, mut processor, mut slowest) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
    let (mut bytes, mut folded, mut told) = (0, 0, 0);
    while writer.position().0 < events {
        let made: Vec<Recorded> = (0..batch).map(|_| maker.event(&mut random)).collect();
        bytes += made.iter().map(|event| event.bytes().len()).sum::<usize>();
        let (started, used) = (Instant::now(), processor_time());
        writer.fold(&made).expect("folds");
        clock += started.elapsed();
        processor += processor_time() - used;
        slowest = slowest.max(processor_time() - used);
        folded += batch;
        if folded - told >= 500_000 || writer.position().0 >= events {
            told = folded;
            println!(
                "{folded} folded: {:.0} k/s ({:.0} k/s), {} B each, slowest fold {slowest:.0?}, memory {} MB",
                folded as f64 / processor.as_secs_f64() / 1e3,
                folded as f64 / clock.as_secs_f64() / 1e3,
                bytes / folded as usize,
                resident_mb()
            );
        }
    }
    let started = processor_time();
    while writer.maintain().expect("tidies") {}
    println!("tidied in {:.0?}, memory {} MB", processor_time() - started, resident_mb());
}

fn query(reader: &Reader, events: u64) {
    println!(
        "{:<28} {:>8} {:>8} {:>8} {:>8}  ms a page of 100, full scans",
        "filter", "found", "p50", "p99", "max"
    );
    for (name, make) in filters(events) {
        let mut random = Random(5);
        let mut samples = Vec::new();
        let mut found = 0;
        for round in 0..120 {
            let filter = make(&mut random);
            let after = [None, Some(Position(events / 2)), Some(Position(events - events / 50))][round % 3];
            let scan = Scan { after, until: None, reverse: round % 2 == 1, limit: 100 };
            let started = processor_time();
            let page = reader.candidates(&filter, &scan, &mut || true).expect("answers");
            samples.push(processor_time() - started);
            found += page.positions.len();
        }
        report(name, found / samples.len(), samples);
    }
    let mut samples = Vec::new();
    for number in 0..100 {
        let started = processor_time();
        let query = StreamQuery { prefix: "session/".into(), limit: 100, ..StreamQuery::default() };
        let after = Some(stream(number * 499 % STREAMS));
        reader.streams(&StreamQuery { after, ..query }).expect("lists");
        samples.push(processor_time() - started);
    }
    report("streams of a category", 100, samples);
}

fn report(name: &str, found: usize, mut samples: Vec<Duration>) {
    samples.sort();
    let at = |share: usize| samples[(samples.len() * share / 100).min(samples.len() - 1)].as_secs_f64() * 1e3;
    println!("{name:<28} {found:>8} {:>8.2} {:>8.2} {:>8.2}", at(50), at(99), at(100));
}

type Make = Box<dyn Fn(&mut Random) -> Filter>;

fn make(build: impl Fn(&mut Random, &mut Filter) + 'static) -> Make {
    Box::new(move |random| {
        let mut filter = Filter::default();
        build(random, &mut filter);
        filter
    })
}

fn types(text: &str) -> Vec<Pattern> {
    text.split(',').map(Pattern::new).collect()
}

fn filters(events: u64) -> Vec<(&'static str, Make)> {
    let mut all = by_names();
    all.extend(by_attributes(events));
    all.extend(by_words());
    all
}

fn by_names() -> Vec<(&'static str, Make)> {
    vec![
        ("none", make(|_, _| {})),
        ("type", make(move |random, filter| filter.types = types(&kind(random.below(TYPES))))),
        ("type, absent", make(move |_, filter| filter.types = types("no.such"))),
        (
            "type glob",
            make(move |random, filter| filter.types = types(&format!("tool.t{}*", random.below(10)))),
        ),
        ("type glob *.completed", make(move |_, filter| filter.types = types("*.completed"))),
        ("stream", make(|random, filter| filter.stream = Some(Pattern::new(stream(random.below(STREAMS)))))),
        ("stream category", make(|_, filter| filter.stream = Some(Pattern::new("issue/*")))),
        (
            "stream glob",
            make(|random, filter| {
                filter.stream = Some(Pattern::new(format!("issue/P-{}*", random.below(100))))
            }),
        ),
        ("stream glob, absent", make(|_, filter| filter.stream = Some(Pattern::new("*zzz*")))),
        (
            "source",
            make(|random, filter| {
                filter.source = Some(Pattern::new(format!("/agents/a{}", random.below(ACTORS))))
            }),
        ),
    ]
}

fn by_attributes(events: u64) -> Vec<(&'static str, Make)> {
    let moment = move |random: &mut Random| Timestamp(START_NS + random.below(events) as i64 * STEP_NS);
    vec![
        ("session", make(|random, filter| filter.session = Some(session(random.below(STREAMS))))),
        ("agent", make(|random, filter| filter.agent = Some(format!("a{}", random.below(ACTORS))))),
        (
            "actor type:id",
            make(|random, filter| filter.actor = Some(format!("agent:a{}", random.below(ACTORS)))),
        ),
        ("phase", make(|_, filter| filter.phase = Some("VALIDATE".into()))),
        ("phase, absent", make(|_, filter| filter.phase = Some("NEVER".into()))),
        (
            "correlation",
            make(move |random, filter| filter.correlation = Some(format!("c-{}", random.below(events / 20)))),
        ),
        ("trace", make(|random, filter| filter.trace = Some(trace(random.below(STREAMS))))),
        ("id", make(move |random, filter| filter.id = Some(id(1 + random.below(events))))),
        ("since", make(move |random, filter| filter.since = Some(moment(random)))),
        (
            "since and until",
            make(move |random, filter| {
                let since = moment(random);
                (filter.since, filter.until) = (Some(since), Some(Timestamp(since.0 + 3_600_000_000_000)));
            }),
        ),
    ]
}

fn by_words() -> Vec<(&'static str, Make)> {
    vec![
        ("word, frequent", make(|_, filter| filter.search = vec!["w3x".into()])),
        (
            "word, rare",
            make(|random, filter| filter.search = vec![format!("w{}x", 15_000 + random.below(5000))]),
        ),
        (
            "two words",
            make(|random, filter| filter.search = vec![format!("w{}x", random.below(500)), "w5x".into()]),
        ),
        ("word prefix", make(|random, filter| filter.search = vec![format!("w{}*", random.below(100))])),
        ("word prefix, absent", make(|_, filter| filter.search = vec!["zzz*".into()])),
        (
            "frequent and never together",
            make(move |_, filter| {
                filter.types = types("tool.*");
                filter.phase = Some("VALIDATE".into());
                filter.source = Some(Pattern::new("/agents/*7"));
                filter.search = vec!["w3x".into(), "absent".into()];
            }),
        ),
    ]
}

fn kind(number: u64) -> String {
    format!("tool.t{number}.{}", if number.is_multiple_of(2) { "completed" } else { "started" })
}

fn stream(number: u64) -> String {
    if number.is_multiple_of(4) {
        format!("issue/P-{number}")
    } else {
        format!("session/{}", session(number))
    }
}

fn session(number: u64) -> String {
    format!("0190a5b2-7c3d-7e4f-8a1b-{number:012x}")
}

fn trace(number: u64) -> String {
    format!("4bf92f3577b34da6{:016x}", number.wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

fn id(position: u64) -> String {
    format!(
        "0190{:08x}-7{:03x}-{:016x}",
        position >> 8,
        position & 0xFFF,
        position.wrapping_mul(0xD134_2543_DE82_EF95)
    )
}

struct Maker {
    position: u64,
    sequences: Vec<u64>,
    spread: bool,
}

impl Maker {
    /// With `SPREAD` in the environment, events go to all streams evenly instead of to those of their time.
    fn new(position: u64) -> Self {
        let spread = std::env::var_os("SPREAD").is_some();
        Self { position, sequences: vec![0; STREAMS as usize], spread }
    }

    fn event(&mut self, random: &mut Random) -> Recorded {
        self.position += 1;
        let oldest = self.position / 100;
        let number = if self.spread {
            random.below(STREAMS)
        } else {
            (oldest + random.below(STREAMS_AT_ONCE)) % STREAMS
        };
        let actor = number % ACTORS;
        let mut draft =
            Draft::new(kind(random.skewed(TYPES)), format!("/agents/a{actor}"), id(self.position));
        draft.subject = Some(stream(number).into());
        let time =
            Timestamp(START_NS + self.position as i64 * STEP_NS + random.below(2000) as i64 * 1_000_000);
        draft.put_text("time", &time.to_rfc3339());
        draft.put_text("sessionid", &session(number));
        draft.put_text("actortype", "agent");
        draft.put_text("actorid", &format!("a{actor}"));
        draft.put_text("correlationid", &format!("c-{}", self.position / 20));
        draft.put_text("traceparent", &format!("00-{}-{:016x}-01", trace(number), self.position));
        let mut words = String::new();
        for _ in 0..12 {
            let _ = write!(words, "w{}x ", random.skewed(VOCABULARY));
        }
        let phase = match random.below(50) {
            0 => format!("\"phase\":\"{}\",", ["EXPLORE", "BUILD", "VALIDATE"][random.below(3) as usize]),
            _ => String::new(),
        };
        let file = random.skewed(5000);
        let duration = random.below(10_000);
        draft.set_data(
            format!(r#"{{{phase}"path":"/src/module{}/file{file}.rs","text":"{words}","duration_ms":{duration},"ok":true}}"#, file % 40)
                .into_bytes(),
        );
        let event = draft.finish(Sameness::FirstWins).expect("is an event");
        self.sequences[number as usize] += 1;
        let (position, sequence) = (Position(self.position), Sequence(self.sequences[number as usize]));
        Recorded::new(position, sequence, time, Bytes::copy_from_slice(event.bytes())).expect("is whole")
    }
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// Small numbers more often.
    fn skewed(&mut self, bound: u64) -> u64 {
        let share = self.below(1 << 20) as f64 / f64::from(1 << 20);
        (share * share * share * bound as f64) as u64
    }
}

/// What this thread has used of a processor: other work on the machine does not count.
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn resident_mb() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    text.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4 / 1024
}
