use crate::events::{KINDS, Log, STREAMS};
use crate::model::fold;
use std::collections::BTreeMap;
use tacho_event::{Position, Sequence};
use tacho_view::{StreamQuery, StreamState, Traffic};

const LOG: [u8; 16] = [3; 16];

#[test]
fn streams_have_their_heads_and_phases() {
    let log = Log::new(21, 400);
    let folder = tempfile::tempdir().unwrap();
    let (mut writer, reader) = tacho_view::open(folder.path(), LOG).unwrap();
    fold(&mut writer, &log, &mut || 37);
    for name in STREAMS {
        let of_stream = || log.events.iter().filter(move |event| event.stream() == name);
        let (first, last) = (of_stream().next().unwrap(), of_stream().next_back().unwrap());
        let state = reader.stream(name).unwrap().unwrap();
        let expected = StreamState {
            name: name.to_owned(),
            sequence: Sequence(of_stream().count() as u64),
            first: (first.position, first.time()),
            last: (last.position, last.time()),
            phase: state.phase.clone(),
            bookkeeping: of_stream().filter(|event| event.is_bookkeeping()).count() as u64,
        };
        assert_eq!(state, expected);
        let before_last = &log.phase_of[last.position.0 as usize - 1];
        if last.kind() != "PhaseCompleted" {
            assert_eq!(&state.phase, before_last);
        }
    }
    assert_eq!(reader.stream("issue/3").unwrap(), None);
}

#[test]
fn streams_are_listed_in_pages() {
    let log = Log::new(21, 400);
    let folder = tempfile::tempdir().unwrap();
    let (mut writer, reader) = tacho_view::open(folder.path(), LOG).unwrap();
    fold(&mut writer, &log, &mut || 400);
    let names = |prefix: &str, after: Option<&str>, limit| {
        let (prefix, after) = (prefix.to_owned(), after.map(str::to_owned));
        let query = StreamQuery { prefix, after, limit, system: false };
        let streams = reader.streams(&query).unwrap();
        streams.into_iter().map(|stream| stream.name).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names("", None, 3), "handler/h issue/1 issue/10/x");
    assert_eq!(names("", Some("issue/10/x"), 10), "issue/2 issues/1 plain session/s1");
    assert_eq!(names("issue/", None, 10), "issue/1 issue/10/x issue/2");
    assert_eq!(names("issue/", Some("issue/10/x"), 10), "issue/2");
    assert_eq!(names("issue/", Some("a"), 1), "issue/1");
    assert_eq!(names("issue/", Some("z"), 10), "");
}

#[test]
fn types_and_totals_count_every_event() {
    let log = Log::new(22, 500);
    let folder = tempfile::tempdir().unwrap();
    let (mut writer, reader) = tacho_view::open(folder.path(), LOG).unwrap();
    assert_eq!(reader.totals().unwrap().times, None);
    fold(&mut writer, &log, &mut || 90);
    let mut expected: BTreeMap<&str, (u64, Position, Position)> = BTreeMap::new();
    for event in &log.events {
        let count = expected.entry(event.kind()).or_insert((0, event.position, event.position));
        (count.0, count.2) = (count.0 + 1, event.position);
    }
    let types = reader.types(100).unwrap();
    let counted = types.iter().map(|kind| (kind.name.as_str(), (kind.events, kind.first.0, kind.last.0)));
    assert_eq!(counted.collect::<BTreeMap<_, _>>(), expected);
    let totals = reader.totals().unwrap();
    assert_eq!((totals.position, totals.streams), (Position(500), STREAMS.len() as u64));
    assert_eq!(totals.types, KINDS.len() as u64);
    let times = log.events.iter().map(|event| event.time());
    assert_eq!(totals.times, Some((times.clone().min().unwrap(), times.max().unwrap())));
}

#[test]
fn traffic_counts_every_event_and_byte_once() {
    let log = Log::new(24, 500);
    let folder = tempfile::tempdir().unwrap();
    let (mut writer, reader) = tacho_view::open(folder.path(), LOG).unwrap();
    fold(&mut writer, &log, &mut || 90);
    let bytes: u64 = log.events.iter().map(|event| event.bytes().len() as u64).sum();
    let sums = |rows: &[Traffic]| {
        rows.iter().fold((0, 0), |(events, bytes), row| (events + row.events, bytes + row.bytes))
    };
    let all = reader.traffic(100).unwrap();
    assert_eq!(sums(&all), (500, bytes));
    assert!(all.is_sorted_by(|a, b| a.events >= b.events) && all.len() > 2, "{all:?}");
    let some = reader.traffic(2).unwrap();
    assert_eq!((&some[..2], some.len(), sums(&some)), (&all[..2], 3, (500, bytes)));
    assert_eq!((some[2].family.as_str(), some[2].kind.as_str()), ("other", "other"));
    assert_eq!(reader.traffic(all.len()).unwrap(), all);
    assert!(reader.file_bytes() > 4096);
}

#[test]
fn an_id_is_found_wherever_it_stands() {
    let log = Log::new(23, 700);
    let folder = tempfile::tempdir().unwrap();
    let (mut writer, reader) = tacho_view::open(folder.path(), LOG).unwrap();
    fold(&mut writer, &log, &mut || 33);
    for event in &log.events {
        let expected: Vec<Position> =
            log.events.iter().filter(|other| other.id() == event.id()).map(|other| other.position).collect();
        assert_eq!(reader.by_id(event.id()).unwrap(), expected);
    }
    assert_eq!(reader.by_id("absent").unwrap(), []);
}
