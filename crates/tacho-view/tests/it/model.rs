//! Answers compared with a walk over all events.

use crate::events::{KINDS, Log, PHASES, Random, START_NS, STREAMS, WORDS};
use tacho_event::{Filter, Pattern, Position, Timestamp};
use tacho_view::{Reader, Scan, Writer};

const LOG: [u8; 16] = [3; 16];

pub fn fold(writer: &mut Writer, log: &Log, batch: &mut dyn FnMut() -> usize) {
    while (writer.position().0 as usize) < log.events.len() {
        let start = writer.position().0 as usize;
        let end = (start + batch().max(1)).min(log.events.len());
        writer.fold(&log.events[start..end]).unwrap();
    }
}

fn random_filter(random: &mut Random, events: usize) -> Filter {
    let mut filter = Filter { system: random.one_in(3), ..Filter::default() };
    let patterns = ["*", "demo.*", "*.completed", "tacho.*", "tacho.sys.*", "t*o*", "no.*", "été*"];
    let moment =
        |random: &mut Random| Timestamp(START_NS + random.below(events * 12 / 10) as i64 * 1_000_000_000);
    for _ in 0..random.below(4) {
        match random.below(14) {
            0 => filter.types.push(Pattern::new(random.pick(&KINDS))),
            1 => filter.types.push(Pattern::new(random.pick(&patterns))),
            2 => filter.stream = Some(Pattern::new(random.pick(&STREAMS))),
            3 => {
                let choices =
                    ["issue/*", "*", "issue*", "*/1", "issue/1*", "*s*/*", "absent/*", "issue/10/*"];
                filter.stream = Some(Pattern::new(random.pick(&choices)));
            }
            4 => filter.source = Some(Pattern::new(random.pick(&["/source/1", "/source/*", "*/2", "*"]))),
            5 => filter.session = Some(random.pick(&["s0", "s1", "absent"]).to_owned()),
            6 => filter.agent = Some(random.pick(&["scribe", "agent"]).to_owned()),
            7 => {
                let choices = ["agent", "agent:scribe", "user:agent", "critic-2", "scribe:agent", ":"];
                filter.actor = Some(random.pick(&choices).to_owned());
            }
            8 => filter.phase = Some(random.pick(&PHASES).to_owned()),
            9 => filter.correlation = Some(format!("c{}", random.below(events / 10 + 1))),
            10 => filter.trace = Some(format!("{:032x}", 1 + random.below(9))),
            11 => filter.causation = Some(format!("id{}", random.below(events))),
            12 => filter.id = Some(format!("id{}", random.below(events))),
            _ => {
                let word = random.pick(&WORDS).to_lowercase();
                let word = word.split('-').next().unwrap();
                let prefix: String = word.chars().take(1 + random.below(4)).collect();
                let prefixed = random.one_in(2);
                filter.search.push(if prefixed { format!("{prefix}*") } else { word.to_owned() });
            }
        }
    }
    if random.one_in(4) {
        filter.since = Some(moment(random));
    }
    if random.one_in(4) {
        filter.until = Some(moment(random));
    }
    filter
}

/// The positions that match, by walking over all events, in the order of the scan.
fn walk(log: &Log, filter: &Filter, scan: &Scan) -> Vec<Position> {
    let within = |position: &Position| {
        let past = |bound: Option<Position>, reverse: bool| {
            bound.is_none_or(|bound| if reverse { *position < bound } else { *position > bound })
        };
        let until =
            scan.until.is_none_or(|until| if scan.reverse { *position >= until } else { *position <= until });
        past(scan.after, scan.reverse) && until
    };
    let mut positions: Vec<Position> = log
        .events
        .iter()
        .zip(&log.phase_of)
        .filter(|(event, phase)| filter.matches(event, phase.as_deref()))
        .map(|(event, _)| event.position)
        .filter(within)
        .collect();
    if scan.reverse {
        positions.reverse();
    }
    positions
}

/// All pages of a scan; nothing in them needs the second look that callers give.
fn pages(reader: &Reader, filter: &Filter, scan: Scan, random: &mut Random) -> Vec<Position> {
    let mut found = Vec::new();
    let mut next = scan;
    loop {
        next.limit = 1 + random.below(60);
        let mut patience = random.below(3);
        let mut keep_going = || {
            patience = patience.saturating_sub(1);
            patience > 0
        };
        let page = reader.candidates(filter, &next, &mut keep_going).unwrap();
        assert!(page.positions.len() <= next.limit);
        found.extend(page.positions);
        if page.end {
            return found;
        }
        assert!(next.after.is_none_or(|after| {
            if next.reverse { page.scanned_to < after } else { page.scanned_to > after }
        }));
        next.after = Some(page.scanned_to);
    }
}

fn compare(reader: &Reader, log: &Log, random: &mut Random, filters: usize) {
    let events = log.events.len();
    for number in 0..filters {
        let filter = random_filter(random, events);
        let place = |random: &mut Random| random.one_in(2).then(|| Position(random.below(events + 3) as u64));
        let scan = Scan { after: place(random), until: place(random), reverse: random.one_in(2), limit: 0 };
        let expected = walk(log, &filter, &scan);
        let found = pages(reader, &filter, scan, random);
        assert_eq!(found, expected, "filter {number}: {filter:?} {scan:?}");
    }
}

#[test]
fn answers_are_those_of_a_walk_over_all_events() {
    for seed in 0..12 {
        let mut random = Random(seed);
        let log = Log::new(seed, 100 + random.below(900));
        let folder = tempfile::tempdir().unwrap();
        let (mut writer, reader) = tacho_view::open(folder.path(), LOG).unwrap();
        let most = [1, 3, 40, 1000][seed as usize % 4];
        fold(&mut writer, &log, &mut || random.below(most));
        compare(&reader, &log, &mut Random(seed + 100), 150);
    }
}

#[test]
fn answers_across_segments_are_those_of_a_walk_while_merges_are_under_way() {
    let log = Log::new(99, 140_000);
    let folder = tempfile::tempdir().unwrap();
    let (mut writer, reader) = tacho_view::open(folder.path(), LOG).unwrap();
    let mut random = Random(1);
    fold(&mut writer, &log, &mut || if random.one_in(4) { 9000 } else { random.below(3000) });
    compare(&reader, &log, &mut Random(2), 20);
    while writer.maintain().unwrap() {}
    compare(&reader, &log, &mut Random(3), 20);
}

#[test]
fn answers_do_not_depend_on_how_the_log_was_cut() {
    let log = Log::new(5, 67_000);
    let answers = |batch: usize, maintain: bool| {
        let folder = tempfile::tempdir().unwrap();
        let (mut writer, reader) = tacho_view::open(folder.path(), LOG).unwrap();
        fold(&mut writer, &log, &mut || batch);
        while maintain && writer.maintain().unwrap() {}
        let mut random = Random(6);
        let mut seen = Vec::new();
        for _ in 0..40 {
            let filter = random_filter(&mut random, log.events.len());
            for reverse in [false, true] {
                let scan = Scan { reverse, limit: 500, ..Scan::default() };
                seen.push(reader.candidates(&filter, &scan, &mut || true).unwrap());
            }
        }
        let all = tacho_view::StreamQuery { limit: 100, system: true, ..Default::default() };
        (seen, reader.types(100).unwrap(), reader.streams(&all).unwrap(), reader.totals().unwrap())
    };
    let expected = answers(67_000, false);
    for (batch, maintain) in [(977, false), (977, true), (20_000, true)] {
        assert_eq!(answers(batch, maintain), expected, "in batches of {batch}");
    }
}
