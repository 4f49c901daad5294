//! What hooks leave, and what the server finds.

use std::fs;
use std::io::Error;
use tacho_event::Timestamp;
use tacho_journal::spool::{self, Drained, HookFrame, Spool, Stored};

fn frame(id: &str) -> HookFrame {
    HookFrame {
        id: id.to_owned(),
        time: Timestamp(7),
        agent: "claude-code".into(),
        git_sha: Some("abc".into()),
        branch: None,
        traceparent: None,
        payload: br#"{"hook_event_name":"Stop"}"#.to_vec(),
    }
}

fn drain(spool: &Spool) -> (Vec<String>, Drained) {
    let mut ids = Vec::new();
    let drained = spool
        .drain(|frame| {
            ids.push(frame.id);
            Ok::<(), Error>(())
        })
        .unwrap();
    (ids, drained)
}

#[test]
fn frames_come_back_in_order_and_once() {
    let data = tempfile::tempdir().unwrap();
    let spool = Spool::open(data.path()).unwrap();
    assert!(spool.is_empty());
    for id in ["a", "b", "c"] {
        assert_eq!(spool::append(data.path(), &frame(id).encode(), 1 << 20).unwrap(), Stored::Kept);
    }
    assert!(!spool.is_empty());
    assert_eq!(
        drain(&spool),
        (vec!["a".into(), "b".into(), "c".into()], Drained { frames: 3, ..Drained::default() })
    );
    assert!(spool.is_empty());
    assert_eq!(drain(&spool).0.len(), 0);
}

#[test]
fn encoding_and_decoding_agree_and_every_cut_asks_for_more() {
    let bytes = frame("a").encode();
    assert_eq!(HookFrame::decode(&bytes), Ok(Some((frame("a"), bytes.len()))));
    for length in 0..bytes.len() {
        assert_eq!(HookFrame::decode(&bytes[..length]), Ok(None), "cut at {length}");
    }
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 0x10;
        assert_ne!(HookFrame::decode(&changed), Ok(Some((frame("a"), bytes.len()))), "byte {at}");
    }
}

#[test]
fn a_frame_cut_by_a_killed_hook_hides_no_other() {
    let data = tempfile::tempdir().unwrap();
    let spool = Spool::open(data.path()).unwrap();
    let whole = frame("a").encode();
    for bytes in [&whole[..], &whole[..20], &frame("b").encode(), &whole[..3]] {
        spool::append(data.path(), bytes, 1 << 20).unwrap();
    }
    let (ids, drained) = drain(&spool);
    assert_eq!(ids, ["a", "b"]);
    assert_eq!(drained.damaged_bytes, 23);
}

#[test]
fn what_was_not_accepted_comes_again() {
    let data = tempfile::tempdir().unwrap();
    let spool = Spool::open(data.path()).unwrap();
    for id in ["a", "b", "c"] {
        spool::append(data.path(), &frame(id).encode(), 1 << 20).unwrap();
    }
    let failed = spool.drain(|frame| if frame.id == "b" { Err(Error::other("no")) } else { Ok(()) });
    assert!(failed.is_err());
    spool::append(data.path(), &frame("d").encode(), 1 << 20).unwrap();
    // "a" comes a second time; its id tells.
    assert_eq!(drain(&spool).0, ["a", "b", "c", "d"]);
}

#[test]
fn a_full_spool_counts_what_it_drops() {
    let data = tempfile::tempdir().unwrap();
    let bytes = frame("a").encode();
    let limit = bytes.len() as u64 + 10;
    let stored: Vec<_> = (0..3).map(|_| spool::append(data.path(), &bytes, limit).unwrap()).collect();
    assert_eq!(stored, [Stored::Kept, Stored::Dropped, Stored::Dropped]);
    let spool = Spool::open(data.path()).unwrap();
    assert_eq!(drain(&spool).1, Drained { frames: 1, dropped: 2, damaged_bytes: 0 });
    // Told again until it is known to be on the log.
    assert_eq!(drain(&spool).1.dropped, 2);
    assert!(!spool.is_empty());
    spool.forget_dropped(2).unwrap();
    assert_eq!(drain(&spool).1.dropped, 0);
    assert!(spool.is_empty());
}

#[test]
fn only_the_owner_can_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let data = tempfile::tempdir().unwrap();
    spool::append(data.path(), &frame("a").encode(), 1 << 20).unwrap();
    let mode = |path: std::path::PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(spool::folder(data.path())), 0o700);
    assert_eq!(mode(spool::folder(data.path()).join("hooks.frames")), 0o600);
}
