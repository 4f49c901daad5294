//! Files that earlier versions wrote. They never change; a new version must read them, and the current format
//! must be written as they are.

use crate::builder::{at, derived, event};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use tacho_event::{Position, Timestamp};
use tacho_journal::spool::HookFrame;
use tacho_journal::stepped::Stepped;
use tacho_journal::{Options, ReadLimit};
use tacho_testkit::disk::Disk;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/1")
}

fn options() -> Options {
    Options {
        new_log_id: *b"the golden log 1",
        segment_bytes: 7000,
        preallocate_bytes: 64,
        block_bytes: 900,
        index_entries: 8,
        ..Options::default()
    }
}

/// The log that the files hold: a sealed segment, a raw one with an end marker, runs of the index.
fn write_log() -> (Disk, Disk) {
    let (disk, index) = (Disk::new(0), Disk::new(0));
    let mut log = Stepped::open(Arc::new(disk.clone()), Arc::new(index.clone()), options()).unwrap();
    for number in 0..12u64 {
        let id = format!("id-{number}");
        let data = format!("{{\"n\":{number}.50,\"text\":\"Zürich {}\"}}", "ab".repeat(number as usize * 3));
        let events = vec![
            event(&format!("task/{}", number % 2), &id, &data),
            derived("context/c", &format!("{id}-d"), "null"),
        ];
        log.commit(&[at(1_700_000_000_000_000_000 + number as i64, events)]).remove(0).unwrap();
    }
    while log.step_chore() {}
    log.close().unwrap();
    (disk, index)
}

fn golden(prefix: &str) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder().join(prefix)).expect("the golden files are checked in");
    entries
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap()))
        .collect()
}

fn check_files(prefix: &str, written: &BTreeMap<String, Vec<u8>>) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(folder().join(prefix)).unwrap();
        for (name, bytes) in written {
            std::fs::write(folder().join(prefix).join(name), bytes).unwrap();
        }
    }
    let known = golden(prefix);
    assert_eq!(known.keys().collect::<Vec<_>>(), written.keys().collect::<Vec<_>>());
    for (name, bytes) in written {
        // Compressed bytes may differ between versions of the compressor; they are read back below.
        assert!(name.ends_with(".sealed") || known[name] == *bytes, "{prefix}/{name} is written differently");
    }
}

#[test]
fn the_format_is_written_as_it_was() {
    let (disk, index) = write_log();
    let mut files = disk.contents();
    // Zeros for a next segment that was not begun.
    files.retain(|name, _| !name.ends_with(".tmp"));
    check_files("journal", &files);
    check_files("index", &index.contents());
}

#[test]
fn the_golden_log_is_read() {
    let (disk, index) = (Disk::with_contents(&golden("journal")), Disk::with_contents(&golden("index")));
    let log = Stepped::open(Arc::new(disk), Arc::new(index), options()).unwrap();
    assert!(log.recovery.clean);
    let events = log.read(Position(1), ReadLimit { events: 100, bytes: 1 << 20 }).unwrap();
    let root: String = log.tree_root().iter().map(|byte| format!("{byte:02x}")).collect();
    let last = String::from_utf8(events[22].to_cloudevent()).unwrap();
    expect_test::expect![[r#"
        24 events, root a1dcdb4525ddee287e7d57bbb1cdf5b877a15dd541eec560832107b6c6dbad57
        {"specversion":"1.0","id":"id-11","source":"/t","type":"demo.a","subject":"task/1","sequence":"00000000000000000006","position":23,"recordedtime":"2023-11-14T22:13:20.000000011Z","data":{"n":11.50,"text":"Zürich ababababababababababababababababababababababababababababababababab"}}
    "#]].assert_eq(&format!("{} events, root {root}\n{last}\n", events.len()));
}

#[test]
fn the_golden_hook_frame_is_read_and_written() {
    let frame = HookFrame {
        id: "0190b3c4-0000-7000-8000-000000000001".into(),
        time: Timestamp(1_700_000_000_000_000_000),
        agent: "codex".into(),
        git_sha: Some("0123456789abcdef0123456789abcdef01234567".into()),
        branch: Some("main".into()),
        traceparent: None,
        payload: "{\"hook_event_name\":\"Stop\",\"text\":\"Zürich\"}".into(),
    };
    check_files("spool", &BTreeMap::from([("hook.frame".to_owned(), frame.encode())]));
    let bytes = golden("spool").remove("hook.frame").unwrap();
    assert_eq!(HookFrame::decode(&bytes), Ok(Some((frame, bytes.len()))));
}
