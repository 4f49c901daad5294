//! A writer that ends anywhere, and readers beside it.

use crate::events::Log;
use crate::model::fold;
use std::path::Path;
use tacho_event::{Filter, Pattern, Position};
use tacho_view::{FILE_NAME, Scan, StreamQuery};

const LOG: [u8; 16] = [3; 16];

/// The files as a process that ends now leaves them.
fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if !entry.file_name().to_string_lossy().ends_with("-shm") {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

fn count(folder: &Path, sql: &str) -> i64 {
    let database = rusqlite::Connection::open(folder.join(FILE_NAME)).unwrap();
    database.query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn a_merge_that_was_under_way_is_begun_anew() {
    let log = Log::new(8, 90_000);
    let folder = tempfile::tempdir().unwrap();
    let (mut writer, _) = tacho_view::open(folder.path(), LOG).unwrap();
    for events in log.events[..66_000].chunks(8000) {
        writer.fold(events).unwrap();
    }
    for end in [66_001, 66_002, 66_003] {
        writer.fold(&log.events[writer.position().0 as usize..end]).unwrap();
        let crashed = tempfile::tempdir().unwrap();
        copy(folder.path(), crashed.path());
        assert_eq!(count(crashed.path(), "SELECT count(unfinished) FROM head"), 1);
        let (mut writer, reader) = tacho_view::open(crashed.path(), LOG).unwrap();
        assert_eq!((writer.position(), writer.restart()), (Position(end as u64), None));
        fold(&mut writer, &log, &mut || 7000);
        while writer.maintain().unwrap() {}
        let ownerless = "SELECT count(*) FROM pages WHERE id >> 24 NOT IN (SELECT id FROM runs)";
        assert_eq!(count(crashed.path(), ownerless), 0);
        let filter = Filter { stream: Some(Pattern::new("issue/1")), system: true, ..Filter::default() };
        let scan = Scan { limit: usize::MAX, ..Scan::default() };
        let found = reader.candidates(&filter, &scan, &mut || true).unwrap().positions;
        let expected: Vec<Position> = log
            .events
            .iter()
            .filter(|event| event.stream() == "issue/1")
            .map(|event| event.position)
            .collect();
        assert_eq!(found, expected);
    }
}

#[test]
fn readers_see_whole_transactions_only() {
    const BATCH: usize = 70;
    let log = Log::new(4, BATCH * 120);
    let folder = tempfile::tempdir().unwrap();
    let (mut writer, reader) = tacho_view::open(folder.path(), LOG).unwrap();
    let whole = |count: usize| assert_eq!(count % BATCH, 0);
    std::thread::scope(|scope| {
        for _ in 0..6 {
            let reader = reader.clone();
            scope.spawn(move || {
                let filter = Filter { system: true, ..Filter::default() };
                loop {
                    let published = reader.position();
                    let scan = Scan { limit: usize::MAX, ..Scan::default() };
                    let page = reader.candidates(&filter, &scan, &mut || true).unwrap();
                    whole(page.positions.len());
                    assert!(page.positions.len() as u64 >= published.0);
                    let query = StreamQuery { limit: 100, system: true, ..StreamQuery::default() };
                    let streams = reader.streams(&query).unwrap();
                    whole(streams.iter().map(|stream| stream.sequence.0 as usize).sum());
                    whole(reader.types(100).unwrap().iter().map(|kind| kind.events as usize).sum());
                    if published.0 as usize == BATCH * 120 {
                        break;
                    }
                }
            });
        }
        for events in log.events.chunks(BATCH) {
            writer.fold(events).unwrap();
        }
    });
}

#[test]
fn a_reader_who_stays_does_not_stop_the_writer_and_what_it_held_back_is_given_back() {
    let log = Log::new(4, 2000);
    let folder = tempfile::tempdir().unwrap();
    let (mut writer, _) = tacho_view::open(folder.path(), LOG).unwrap();
    let wal_bytes = || std::fs::metadata(folder.path().join("view.sqlite-wal")).unwrap().len();
    let reader = rusqlite::Connection::open(folder.path().join(FILE_NAME)).unwrap();
    reader.execute_batch("BEGIN; SELECT position FROM head").unwrap();
    fold(&mut writer, &log, &mut || 4);
    assert_eq!(writer.position(), Position(2000));
    assert!(wal_bytes() > 8 << 20, "{} bytes", wal_bytes());
    reader.execute_batch("COMMIT").unwrap();
    while writer.maintain().unwrap() {}
    assert!(wal_bytes() <= 4 << 20, "{} bytes", wal_bytes());
}
