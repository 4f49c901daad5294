//! Snapshots: which one serves, and which ones go.

use serde_json::{Value, json};
use tacho_event::{Position, Sequence, Timestamp};
use tacho_view::{Bound, Keep, PackedSnapshot, Snapshots};
use tempfile::TempDir;

const STREAM: &str = "issue/PROJ-1";
const CODE: &str = "orchestration@1";

fn packed(sequence: u64, latest: i64, manual: bool) -> PackedSnapshot {
    let place = (Sequence(sequence), Position(10 * sequence), Timestamp(latest - 1));
    PackedSnapshot::new(place, Timestamp(latest), manual, &json!({"n": sequence})).unwrap()
}

fn open(folder: &TempDir) -> Snapshots {
    Snapshots::open(folder.path(), [7; 16]).unwrap()
}

fn best(snapshots: &Snapshots, bound: Bound) -> Option<Value> {
    snapshots.best(STREAM, CODE, &bound).unwrap().map(|snapshot| snapshot.state["n"].clone())
}

#[test]
fn the_last_one_within_every_bound_serves() {
    let folder = TempDir::new().unwrap();
    let snapshots = open(&folder);
    let all: Vec<PackedSnapshot> =
        [(10, 100), (20, 500), (30, 500)].map(|(n, at)| packed(n, at, false)).into();
    snapshots.put(STREAM, CODE, &all, Timestamp(1)).unwrap();
    let by_time = |time| best(&snapshots, Bound { time: Some(Timestamp(time)), ..Bound::default() });
    assert_eq!(
        (by_time(99), by_time(100), by_time(499), by_time(500)),
        (None, Some(10.into()), Some(10.into()), Some(30.into()))
    );
    let by_position = Bound { position: Some(Position(299)), ..Bound::default() };
    assert_eq!(best(&snapshots, by_position), Some(20.into()));
    let by_both = Bound { sequence: Some(Sequence(25)), time: Some(Timestamp(400)), position: None };
    assert_eq!(best(&snapshots, by_both), Some(10.into()));
    assert!(snapshots.best(STREAM, "orchestration@2", &Bound::default()).unwrap().is_none(), "another fold");
    assert!(snapshots.best("issue/PROJ-2", CODE, &Bound::default()).unwrap().is_none(), "another stream");
    drop(snapshots);
    let of_other_log = Snapshots::open(folder.path(), [8; 16]).unwrap();
    assert!(of_other_log.list(STREAM).unwrap().is_empty(), "another log");
}

#[test]
fn a_damaged_one_gives_way_to_the_one_before() {
    let folder = TempDir::new().unwrap();
    let snapshots = open(&folder);
    snapshots.put(STREAM, CODE, &[packed(10, 1, false), packed(20, 2, false)], Timestamp(1)).unwrap();
    let database = rusqlite::Connection::open(folder.path().join("snapshots.sqlite")).unwrap();
    database.execute("UPDATE snapshots SET state = zeroblob(length(state)) WHERE sequence = 20", []).unwrap();
    assert_eq!(best(&snapshots, Bound::default()), Some(10.into()));
    assert_eq!(snapshots.list(STREAM).unwrap().len(), 1, "it is dropped");
}

#[test]
fn old_ones_and_too_many_go_and_those_that_were_asked_for_go_last() {
    let folder = TempDir::new().unwrap();
    let snapshots = open(&folder);
    snapshots.put(STREAM, CODE, &[packed(1, 1, true), packed(2, 2, false)], Timestamp(10)).unwrap();
    snapshots.put(STREAM, CODE, &[packed(3, 3, false), packed(4, 4, false)], Timestamp(20)).unwrap();
    let left = || -> Vec<u64> {
        snapshots.list(STREAM).unwrap().iter().map(|snapshot| snapshot.sequence.0).collect()
    };
    assert_eq!(snapshots.collect(Timestamp(15), u64::MAX).unwrap(), 1);
    assert_eq!(left(), [1, 3, 4], "older than the 15th, and nobody asked for it");
    let one = snapshots.list(STREAM).unwrap()[0].bytes;
    assert_eq!(snapshots.collect(Timestamp(0), 2 * one).unwrap(), 1);
    assert_eq!(left(), [1, 4]);
    assert_eq!(snapshots.prune(STREAM, Keep::Newest(0)).unwrap(), 1);
    assert_eq!(left(), [1]);
    assert_eq!(snapshots.prune(STREAM, Keep::None).unwrap(), 1);
    assert!(left().is_empty());
}
