//! Every byte of a small log, changed in turn: the change is detected, and nothing wrong is served.

use crate::builder::{batch, event, small};
use std::collections::BTreeMap;
use std::sync::Arc;
use tacho_event::{Position, Recorded};
use tacho_journal::stepped::Stepped;
use tacho_journal::{JournalError, Options, ReadLimit};
use tacho_testkit::disk::Disk;

type Files = BTreeMap<String, Vec<u8>>;

/// A log with a sealed segment, a raw one, and a clean stop.
fn small_log() -> (Files, Vec<Recorded>) {
    let disk = Disk::new(1);
    let mut log = Stepped::open(Arc::new(disk.clone()), Arc::new(Disk::new(2)), options()).unwrap();
    for number in 0..24 {
        let events = (0..2)
            .map(|part| {
                event(
                    &format!("task/{}", number % 3),
                    &format!("{number}.{part}"),
                    "{\"text\":\"something that compresses\"}",
                )
            })
            .collect();
        log.commit(&[batch(events)]).remove(0).unwrap();
    }
    while log.step_chore() {}
    let told = log.read(Position(1), ReadLimit { events: 1000, bytes: 1 << 20 }).unwrap();
    log.close().unwrap();
    let files = without_leftovers(disk.contents());
    assert_eq!(
        files.keys().map(|name| name.rsplit('.').next().unwrap()).collect::<Vec<_>>(),
        ["sealed", "log"]
    );
    (files, told)
}

fn without_leftovers(mut files: Files) -> Files {
    files.retain(|name, _| !name.ends_with(".tmp"));
    files
}

fn options() -> Options {
    Options { segment_bytes: 9 << 10, preallocate_bytes: 512, block_bytes: 2 << 10, ..small() }
}

/// What a reader of these files gets.
enum Outcome {
    Refused,
    Served { events: Vec<Recorded>, noticed: bool },
}

fn read_back(files: &Files) -> Outcome {
    let opened = Stepped::open(Arc::new(Disk::with_contents(files)), Arc::new(Disk::new(2)), options());
    let log = match opened {
        Ok(log) => log,
        Err(JournalError::Damaged { .. } | JournalError::ForeignLog { .. }) => return Outcome::Refused,
        Err(other) => panic!("{other}"),
    };
    let mut events = Vec::new();
    while (events.len() as u64) < log.head().0 {
        match log.read(Position(events.len() as u64 + 1), ReadLimit { events: 1000, bytes: 1 << 20 }) {
            Ok(page) => events.extend(page),
            Err(JournalError::Damaged { .. }) => return Outcome::Refused,
            Err(other) => panic!("{other}"),
        }
    }
    Outcome::Served { events, noticed: log.recovery.torn_bytes > 0 || !log.recovery.clean }
}

#[test]
fn every_changed_byte_is_detected() {
    let (files, told) = small_log();
    assert!(matches!(read_back(&files), Outcome::Served { events, noticed: false } if events == told));
    for (name, bytes) in &files {
        for at in 0..bytes.len() {
            let mut changed = files.clone();
            changed.get_mut(name).unwrap()[at] ^= 1 << (at % 8);
            if let Outcome::Served { events, noticed } = read_back(&changed) {
                assert!(noticed, "byte {at} of {name} was changed and nobody noticed");
                assert!(events == told, "byte {at} of {name} was changed and something else was served");
            }
        }
    }
}

#[test]
fn a_missing_or_foreign_segment_is_refused() {
    let (files, _) = small_log();
    let first = files.keys().next().unwrap();
    let mut without = files.clone();
    without.remove(first);
    assert!(matches!(read_back(&without), Outcome::Refused));
    let other = Disk::new(3);
    let foreign_id = Options { new_log_id: *b"another log's id", ..options() };
    let mut log = Stepped::open(Arc::new(other.clone()), Arc::new(Disk::new(4)), foreign_id).unwrap();
    for number in 0..60 {
        log.commit(&[batch(vec![event("task/a", &number.to_string(), "\"x\"")])]).remove(0).unwrap();
    }
    drop(log);
    let mut mixed = files.clone();
    mixed.extend(other.contents().into_iter().skip(1));
    assert!(matches!(read_back(&mixed), Outcome::Refused));
}

#[test]
fn a_log_cut_anywhere_keeps_every_whole_frame() {
    let disk = Disk::new(1);
    let mut log = Stepped::open(
        Arc::new(disk.clone()),
        Arc::new(Disk::new(2)),
        Options { segment_bytes: 1 << 20, ..options() },
    )
    .unwrap();
    for number in 0..6 {
        log.commit(&[batch(vec![event("task/a", &number.to_string(), "\"some text\"")])]).remove(0).unwrap();
    }
    let told = log.read(Position(1), ReadLimit { events: 1000, bytes: 1 << 20 }).unwrap();
    drop(log);
    let files = disk.contents();
    let (name, bytes) = files.iter().next().unwrap();
    let mut kept_before = 0;
    for length in 4096..=bytes.len() {
        let mut cut = files.clone();
        cut.get_mut(name).unwrap().truncate(length);
        let Outcome::Served { events, .. } = read_back(&cut) else { panic!("cut at {length}: refused") };
        assert!(events[..] == told[..events.len()] && events.len() >= kept_before, "cut at {length}");
        kept_before = events.len();
    }
    assert_eq!(kept_before, told.len());
}

#[test]
fn a_newer_format_is_refused_with_words() {
    let (mut files, _) = small_log();
    let header = files.values_mut().next().unwrap();
    header[8..10].copy_from_slice(&9u16.to_be_bytes());
    let checksum = crc32fast::hash(&header[..4092]).to_be_bytes();
    header[4092..4096].copy_from_slice(&checksum);
    match Stepped::open(Arc::new(Disk::with_contents(&files)), Arc::new(Disk::new(2)), options()) {
        Err(error @ JournalError::NewerFormat { found: 9, known: 1, .. }) => {
            assert_eq!(
                error.to_string(),
                "00000000000000000001.sealed has disk format 9, this program reads up to 1: use a newer tacho"
            );
        }
        other => panic!("{:?}", other.map(|_| ()).map_err(|error| error.to_string())),
    }
}
