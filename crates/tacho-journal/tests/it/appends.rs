//! What an append answers, and what is on the log after it.

use crate::builder::{all, at, batch, derived, event, expecting, open, small};
use tacho_event::{Position, Sequence, Timestamp};
use tacho_journal::{AppendError, Journal, JournalError};

#[test]
fn positions_and_sequences_are_dense() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let appended = journal
        .append_and_wait(batch(vec![
            event("task/a", "1", "1"),
            event("task/b", "2", "2"),
            event("task/a", "3", "3"),
        ]))
        .unwrap();
    let places: Vec<_> = appended
        .events
        .iter()
        .map(|receipt| (receipt.position.0, receipt.sequence.0, receipt.duplicate))
        .collect();
    assert_eq!(places, [(1, 1, false), (2, 1, false), (3, 2, false)]);
    let events = all(&journal);
    assert_eq!(
        events.iter().map(|event| (event.position.0, event.id())).collect::<Vec<_>>(),
        [(1, "1"), (2, "2"), (3, "3")]
    );
    assert_eq!(journal.head(), Position(3));
    assert_eq!(journal.stream_head("task/a").unwrap().unwrap().sequence, Sequence(2));
    assert_eq!(journal.stream_head("task/none").unwrap(), None);
    assert_eq!(journal.find("/t", "2").unwrap(), Some(Position(2)));
    assert_eq!(journal.find("/other", "2").unwrap(), None);
}

#[test]
fn a_known_id_is_a_duplicate_or_a_conflict() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    journal.append_and_wait(batch(vec![event("task/a", "1", "1")])).unwrap();
    let again = journal
        .append_and_wait(batch(vec![
            event("task/a", "2", "2"),
            event("task/a", "1", "1"),
            event("task/a", "2", "2"),
        ]))
        .unwrap();
    let places: Vec<_> = again
        .events
        .iter()
        .map(|receipt| (receipt.position.0, receipt.sequence.0, receipt.duplicate))
        .collect();
    assert_eq!(places, [(2, 2, false), (1, 1, true), (2, 2, true)]);
    for other in [vec![event("task/a", "1", "9")], vec![event("task/a", "7", "7"), event("task/a", "7", "8")]]
    {
        assert!(matches!(journal.append_and_wait(batch(other)), Err(AppendError::IdConflict { .. })));
    }
    let first_wins = journal.append_and_wait(batch(vec![derived("task/a", "1", "9")])).unwrap();
    assert!(first_wins.events[0].duplicate);
    assert_eq!(all(&journal).len(), 2);
}

#[test]
fn a_batch_is_all_or_nothing_under_its_preconditions() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    journal
        .append_and_wait(
            batch(vec![event("task/a", "1", "1")]).with_preconditions(vec![expecting("task/a", 0)]),
        )
        .unwrap();
    let refused = journal.append_and_wait(
        batch(vec![event("task/b", "2", "2")])
            .with_preconditions(vec![expecting("task/b", 0), expecting("task/a", 5)]),
    );
    assert!(
        matches!(refused, Err(AppendError::SequenceConflict { stream, expected: Sequence(5), actual: Sequence(1) }) if stream == "task/a")
    );
    assert_eq!(all(&journal).len(), 1);
    // The first try again: known before its precondition is looked at.
    let retried = journal
        .append_and_wait(
            batch(vec![event("task/a", "1", "1")]).with_preconditions(vec![expecting("task/a", 0)]),
        )
        .unwrap();
    assert!(retried.events[0].duplicate);
    // A fence on a stream that the batch does not write.
    journal
        .append_and_wait(
            batch(vec![event("task/b", "3", "3")]).with_preconditions(vec![expecting("task/a", 1)]),
        )
        .unwrap();
}

#[test]
fn recorded_time_never_goes_back() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    for (now, id) in [(5, "1"), (3, "2"), (9, "3")] {
        journal.append_and_wait(at(now, vec![event("task/a", id, "1")])).unwrap();
    }
    journal.close().unwrap();
    let journal = open(folder.path());
    journal.append_and_wait(at(1, vec![event("task/a", "4", "1")])).unwrap();
    assert_eq!(
        all(&journal).iter().map(|event| event.recorded).collect::<Vec<_>>(),
        [5, 5, 9, 9].map(Timestamp)
    );
}

#[test]
fn the_tree_holds_what_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    for number in 1..=500 {
        let events = (0..20).map(|part| event("task/a", &format!("{number}-{part}"), "1")).collect();
        journal.append_and_wait(batch(events)).unwrap();
        assert_eq!(journal.tree_head().0, Position(20 * number));
    }
}

#[test]
fn everything_is_there_after_reopening_through_many_segments() {
    let folder = tempfile::tempdir().unwrap();
    let mut told = Vec::new();
    let mut tree_heads = Vec::new();
    for life in 0..4 {
        let journal = open(folder.path());
        assert_eq!(all(&journal), told);
        for number in 0..150 {
            let id = format!("{life}-{number}");
            let stream = format!("task/{}", number % 11);
            journal
                .append_and_wait(batch(vec![event(
                    &stream,
                    &id,
                    &format!("{{\"n\":{number},\"text\":\"{}\"}}", "x".repeat(number)),
                )]))
                .unwrap();
        }
        told = all(&journal);
        tree_heads.push(journal.tree_head());
        assert_eq!(told.len(), 150 * (life + 1));
        for (index, event) in told.iter().enumerate() {
            assert_eq!(event.position, Position(index as u64 + 1));
        }
        let known =
            journal.append_and_wait(batch(vec![event("task/0", "0-0", "{\"n\":0,\"text\":\"\"}")])).unwrap();
        assert_eq!((known.events[0].position, known.events[0].duplicate), (Position(1), true));
        assert_eq!(journal.stream_head("task/3").unwrap().unwrap().sequence.0, 14 * (life as u64 + 1));
        journal.close().unwrap();
    }
    let sealed = std::fs::read_dir(folder.path()).unwrap().filter(|entry| {
        entry.as_ref().unwrap().path().extension().is_some_and(|extension| extension == "sealed")
    });
    assert!(sealed.count() > 5);
    // Without its index, which is derived, the log answers the same.
    std::fs::remove_dir_all(folder.path().join("index")).unwrap();
    let (journal, recovery) = Journal::open(folder.path(), small()).unwrap();
    assert!(recovery.clean);
    assert_eq!(journal.tree_head(), tree_heads[3]);
    assert_eq!(journal.find("/t", "2-149").unwrap(), Some(Position(450)));
    assert!(
        journal
            .append_and_wait(batch(vec![event("task/0", "1-0", "{\"n\":0,\"text\":\"\"}")]))
            .unwrap()
            .events[0]
            .duplicate
    );
}

#[test]
fn memory_that_was_given_back_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    for number in 0..400 {
        let id = number.to_string();
        journal.append_and_wait(batch(vec![event("task/a", &id, &id)])).unwrap();
    }
    let told = all(&journal);
    journal.release_memory();
    assert_eq!(journal.find("/t", "3").unwrap(), Some(Position(4)));
    assert_eq!(journal.stream_head("task/a").unwrap().unwrap().sequence, Sequence(400));
    assert!(journal.append_and_wait(batch(vec![event("task/a", "7", "7")])).unwrap().events[0].duplicate);
    assert_eq!(all(&journal), told);
}

#[test]
fn a_second_opener_is_told_who_holds_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let options = tacho_journal::Options { holder: "tacho up, process 7".into(), ..small() };
    let (_journal, _) = Journal::open(folder.path(), options).unwrap();
    match Journal::open(folder.path(), small()) {
        Err(JournalError::Locked { holder, .. }) => assert_eq!(holder, "tacho up, process 7"),
        other => panic!("{:?}", other.map(|_| ())),
    }
}

#[test]
fn a_reader_beside_the_writer_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    journal.append_and_wait(batch(vec![event("task/a", "1", "1")])).unwrap();
    let (reader, _) =
        Journal::open(folder.path(), tacho_journal::Options { read_only: true, ..small() }).unwrap();
    assert_eq!(all(&reader), all(&journal));
    assert!(matches!(
        reader.append_and_wait(batch(vec![event("task/a", "2", "2")])),
        Err(AppendError::Closed)
    ));
}

#[test]
fn after_close_appends_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    journal.close().unwrap();
    assert!(matches!(
        journal.append_and_wait(batch(vec![event("task/a", "1", "1")])),
        Err(AppendError::Closed)
    ));
}
