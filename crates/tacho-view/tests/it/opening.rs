use crate::events::{Log, Random};
use crate::model::fold;
use std::path::Path;
use tacho_event::{Filter, Pattern, Position};
use tacho_view::{FILE_NAME, Reader, Restart, Scan, ViewError};

fn open(folder: &Path, log: u8) -> (tacho_view::Writer, Reader) {
    tacho_view::open(folder, [log; 16]).unwrap()
}

fn all(reader: &Reader) -> Vec<Position> {
    let filter = Filter { system: true, ..Filter::default() };
    let scan = Scan { limit: 10_000, ..Scan::default() };
    reader.candidates(&filter, &scan, &mut || true).unwrap().positions
}

#[test]
fn goes_on_where_it_ended() {
    let log = Log::new(1, 300);
    let folder = tempfile::tempdir().unwrap();
    for end in [100, 101, 300] {
        let (mut writer, _) = open(folder.path(), 1);
        assert_eq!(writer.restart(), None);
        let start = writer.position().0 as usize;
        writer.fold(&log.events[start..end]).unwrap();
    }
    let (writer, reader) = open(folder.path(), 1);
    assert_eq!((writer.position(), reader.position()), (Position(300), Position(300)));
    assert_eq!(all(&reader).len(), 300);
}

#[test]
fn events_out_of_order_are_refused_and_change_nothing() {
    let log = Log::new(1, 20);
    let folder = tempfile::tempdir().unwrap();
    let (mut writer, reader) = open(folder.path(), 1);
    writer.fold(&log.events[..10]).unwrap();
    for wrong in [&log.events[11..], &log.events[..5]] {
        assert!(matches!(writer.fold(wrong), Err(ViewError::OutOfOrder { expected: Position(11), .. })));
    }
    writer.fold(&[]).unwrap();
    assert_eq!(all(&reader).len(), 10);
    fold(&mut writer, &log, &mut || 3);
    assert_eq!(all(&reader).len(), 20);
}

#[test]
fn a_view_of_another_log_or_version_or_of_garbage_is_thrown_away() {
    let log = Log::new(1, 300);
    type Spoil = dyn Fn(&Path);
    let spoil: [(Restart, &Spoil); 4] = [
        (Restart::OtherLog, &|_| ()),
        (Restart::OtherVersion, &|file| {
            let database = rusqlite::Connection::open(file).unwrap();
            database.pragma_update(None, "user_version", 99).unwrap();
        }),
        (Restart::Damaged, &|file| std::fs::write(file, "no database at all".repeat(500)).unwrap()),
        (Restart::Damaged, &|file| {
            let database = rusqlite::Connection::open(file).unwrap();
            database.execute("UPDATE head SET position = position + 1", []).unwrap();
        }),
    ];
    for (restart, spoil) in spoil {
        let folder = tempfile::tempdir().unwrap();
        let before = {
            let (mut writer, reader) = open(folder.path(), 1);
            fold(&mut writer, &log, &mut || 50);
            all(&reader)
        };
        spoil(&folder.path().join(FILE_NAME));
        let id = if restart == Restart::OtherLog { 2 } else { 1 };
        let (mut writer, reader) = open(folder.path(), id);
        assert_eq!(writer.restart(), Some(restart));
        assert_eq!((writer.position(), all(&reader)), (Position::ZERO, vec![]));
        fold(&mut writer, &log, &mut || 70);
        assert_eq!(all(&reader), before);
    }
}

#[test]
fn without_the_file_its_leftovers_are_not_believed() {
    let log = Log::new(1, 300);
    let folder = tempfile::tempdir().unwrap();
    let (mut writer, _reader) = open(folder.path(), 1);
    fold(&mut writer, &log, &mut || 50);
    let wal = std::fs::read(folder.path().join("view.sqlite-wal")).unwrap();
    drop(writer);
    std::fs::remove_file(folder.path().join(FILE_NAME)).unwrap();
    std::fs::write(folder.path().join("view.sqlite-wal"), wal).unwrap();
    let (mut writer, reader) = open(folder.path(), 1);
    assert_eq!((writer.position(), writer.restart()), (Position::ZERO, None));
    fold(&mut writer, &log, &mut || 50);
    assert_eq!(all(&reader).len(), 300);
}

#[test]
fn damage_is_told_and_never_a_panic() {
    let log = Log::new(1, 3000);
    let folder = tempfile::tempdir().unwrap();
    let (mut writer, _) = open(folder.path(), 1);
    fold(&mut writer, &log, &mut || 500);
    while writer.maintain().unwrap() {}
    drop(writer);
    let file = folder.path().join(FILE_NAME);
    let whole = std::fs::read(&file).unwrap();
    let mut random = Random(17);
    for _ in 0..150 {
        let mut bytes = whole.clone();
        for _ in 0..20 {
            let at = random.below(bytes.len());
            bytes[at] = random.next() as u8;
        }
        for leftover in ["view.sqlite-wal", "view.sqlite-shm"] {
            let _ = std::fs::remove_file(folder.path().join(leftover));
        }
        std::fs::write(&file, bytes).unwrap();
        let Ok((mut writer, reader)) = tacho_view::open(folder.path(), [1; 16]) else { continue };
        for text in ["demo.*", "t*", "demo.a"] {
            let filter = Filter { types: vec![Pattern::new(text)], ..Filter::default() };
            let scan = Scan { limit: 5000, ..Scan::default() };
            let _ = reader.candidates(&filter, &scan, &mut || true);
        }
        let _ = (reader.by_id("id7"), reader.types(100), reader.stream("issue/1"), reader.totals());
        let start = writer.position().0 as usize;
        for events in log.events[start.min(log.events.len())..].chunks(100) {
            if writer.fold(events).is_err() {
                break;
            }
        }
    }
}
