//! Answers at the durable head, from a read side that can always be made anew.

use crate::{append, event, open, runtime};
use std::os::unix::fs::FileExt;
use std::path::Path;
use tacho_engine::{Engine, Query, QueryError, Wait};
use tacho_event::{Filter, Pattern};
use tempfile::TempDir;

fn by_type(pattern: &str) -> Filter {
    Filter { types: vec![Pattern::new(pattern)], ..Filter::default() }
}

/// Every position that matches, page by page, and the number of pages.
async fn all(engine: &Engine, filter: Filter, limit: usize) -> (Vec<u64>, usize) {
    let mut query = Query { filter, limit, ..Query::default() };
    let (mut seen, mut pages) = (Vec::new(), 0);
    loop {
        let page = engine.query(query.clone()).await.unwrap();
        assert!(page.events.len() <= limit);
        seen.extend(page.events.iter().map(|event| event.position.0));
        pages += 1;
        match page.next {
            Some(next) => query.cursor = Some(next),
            None => return (seen, pages),
        }
    }
}

#[test]
fn an_answer_includes_what_was_acknowledged_before_it() {
    let folder = TempDir::new().unwrap();
    // Nothing but the query itself would make the fold hurry.
    let engine = open(folder.path(), |config| config.fold.gather_ms = 3_600_000);
    runtime().block_on(async {
        for count in 1..=20 {
            engine.append(vec![event(&engine, "demo.a", "task/x")], Vec::new()).await.unwrap();
            let page = engine.query(Query::default()).await.unwrap();
            assert_eq!((page.events.len(), page.position), (count, engine.head()));
        }
    });
    engine.close().unwrap();
}

#[test]
fn a_page_without_time_still_gets_on() {
    let folder = TempDir::new().unwrap();
    let engine = open(folder.path(), |config| config.query.scan_ms = 0);
    append(&engine, "demo.a", "task/x", 300);
    append(&engine, "demo.b", "task/x", 300);
    let filter =
        Filter { where_jq: tacho_event::Jq::compile(".type == \"demo.b\"").ok(), ..Filter::default() };
    let (seen, pages) = runtime().block_on(all(&engine, filter, 1000));
    assert_eq!(seen, (301..=600).collect::<Vec<u64>>());
    assert!(pages > 1);
    engine.close().unwrap();
}

#[test]
fn the_read_side_is_a_fold() {
    let folder = TempDir::new().unwrap();
    let engine = open(folder.path(), |_| {});
    append(&engine, "demo.a", "task/x", 1000);
    append(&engine, "demo.b", "task/y", 500);
    let runtime = runtime();
    let before = runtime.block_on(all(&engine, by_type("demo.b"), 100)).0;
    assert_eq!(before.len(), 500);
    engine.rebuild();
    assert_eq!(runtime.block_on(all(&engine, by_type("demo.b"), 100)).0, before);
    engine.close().unwrap();
    std::fs::remove_dir_all(folder.path().join("view")).unwrap();
    let engine = open(folder.path(), |_| {});
    assert_eq!(runtime.block_on(all(&engine, by_type("demo.b"), 100)).0, before);
    assert!(engine.readiness().ready);
    engine.close().unwrap();
}

#[test]
fn a_position_beyond_the_head_is_waited_for_within_the_limit() {
    let folder = TempDir::new().unwrap();
    let engine = open(folder.path(), |config| config.query.wait_ms = 300);
    append(&engine, "demo.a", "task/x", 1);
    let runtime = runtime();
    let wait = Wait::For(tacho_event::Position(2));
    let behind = runtime.block_on(engine.query(Query { wait, ..Query::default() }));
    assert!(matches!(behind, Err(QueryError::ViewBehind { .. })), "{behind:?}");
    append(&engine, "demo.a", "task/x", 1);
    assert!(runtime.block_on(engine.query(Query { wait: Wait::Head, ..Query::default() })).is_ok());
    engine.close().unwrap();
}

/// Flips a bit behind the last `needle` in the log's files, and back when called again.
fn flip_a_bit_behind(folder: &Path, needle: &[u8]) {
    for entry in std::fs::read_dir(folder.join("journal")).unwrap() {
        let path = entry.unwrap().path();
        let Ok(bytes) = std::fs::read(&path) else { continue };
        let Some(at) = bytes.windows(needle.len()).rposition(|window| window == needle) else { continue };
        let behind = at + needle.len();
        let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
        file.write_all_at(&[bytes[behind] ^ 1], behind as u64).unwrap();
        return;
    }
    panic!("the event is in no file");
}

#[test]
fn a_log_that_cannot_be_read_costs_the_read_side_nothing() {
    let folder = TempDir::new().unwrap();
    let engine = open(folder.path(), |config| {
        // Nothing but a query makes the fold look at the log.
        config.fold.gather_ms = 3_600_000;
        config.query.wait_ms = 10;
    });
    let runtime = runtime();
    let ask = |wait| runtime.block_on(engine.query(Query { wait, ..Query::default() }));
    let until_folded = || while ask(Wait::Head).is_err() {};
    append(&engine, "demo.a", "task/x", 3);
    until_folded();
    std::fs::write(folder.path().join("view/witness"), "").unwrap();
    append(&engine, "demo.unreadable", "task/x", 1);
    flip_a_bit_behind(folder.path(), b"demo.unreadabl");
    while engine.readiness().ready {
        let _ = ask(Wait::Head);
    }
    // Each of them wakes the fold, which does not try again sooner for that.
    for _ in 0..20 {
        assert!(matches!(ask(Wait::Head), Err(QueryError::ViewBehind { .. })));
    }
    assert_eq!(ask(Wait::No).unwrap().events.len(), 3);
    let readiness = engine.readiness();
    assert!(!readiness.ready && readiness.reason.as_ref().unwrap().contains("damaged"), "{readiness:?}");
    assert!(folder.path().join("view/witness").exists(), "the read side was thrown away");
    flip_a_bit_behind(folder.path(), b"demo.unreadabl");
    until_folded();
    assert!(engine.readiness().ready);
    engine.close().unwrap();
}
