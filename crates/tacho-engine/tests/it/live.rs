//! Subscriptions lose and repeat nothing, wherever they begin, however they end.

use crate::{append, event, event_with, open, runtime};
use tacho_engine::{From, Item, SubscribeError, Subscription, Wait};
use tacho_event::{Filter, Pattern, Position};
use tempfile::TempDir;

/// Reads up to a position; every position behind `last` must come once, in order.
async fn read_dense(mut subscription: Subscription, mut last: u64, until: u64) {
    while last < until {
        match subscription.next().await.unwrap() {
            Item::Event(event) => {
                assert_eq!(event.recorded.position.0, last + 1);
                last += 1;
            }
            Item::CaughtUp(position) => assert_eq!(position.0, last),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn there_is_no_seam_between_history_and_live() {
    const WRITERS: usize = 3;
    const BATCHES: usize = 60;
    const BATCH: usize = 50;
    let folder = TempDir::new().unwrap();
    let engine = open(folder.path(), |config| config.live.buffer_events = 100_000);
    let all = (WRITERS * BATCHES * BATCH) as u64;
    let runtime = runtime();
    let mut readers = Vec::new();
    std::thread::scope(|scope| {
        for _ in 0..WRITERS {
            scope.spawn(|| {
                for _ in 0..BATCHES {
                    append(&engine, "demo.a", "task/x", BATCH);
                }
            });
        }
        // Each begins somewhere else while the writers go on.
        for turn in 0..40u64 {
            let head = engine.head();
            let from = match turn % 4 {
                0 => From::Start,
                1 => From::After(Position(head.0 / 2)),
                2 => From::After(Position(head.0.saturating_sub(turn))),
                _ => From::After(head),
            };
            let last = match from {
                From::After(position) => position.0,
                _ => 0,
            };
            let subscription = engine.subscribe(Filter::default(), from).unwrap();
            readers.push(runtime.spawn(read_dense(subscription, last, all)));
            append(&engine, "demo.a", "task/y", 1);
        }
    });
    for reader in readers {
        runtime.block_on(reader).unwrap();
    }
    assert_eq!(engine.statistics().subscribers, 0);
    engine.close().unwrap();
}

#[test]
fn what_was_appended_behind_the_subscription_is_delivered() {
    let folder = TempDir::new().unwrap();
    let engine = open(folder.path(), |_| {});
    append(&engine, "demo.a", "task/x", 7);
    let filter = Filter { types: vec![Pattern::new("demo.b")], ..Filter::default() };
    let mut subscription = engine.subscribe(filter, From::Head).unwrap();
    append(&engine, "demo.a", "task/x", 1);
    append(&engine, "demo.b", "task/x", 1);
    runtime().block_on(async {
        loop {
            match subscription.next().await.unwrap() {
                Item::CaughtUp(_) => {}
                Item::Event(event) => {
                    assert_eq!(event.recorded.position, Position(9));
                    break;
                }
                other => panic!("{other:?}"),
            }
        }
    });
    engine.close().unwrap();
}

#[test]
fn a_gap_names_what_was_left_out_and_no_more() {
    let folder = TempDir::new().unwrap();
    let engine = open(folder.path(), |config| config.live.buffer_events = 5);
    let mut subscription = engine.subscribe(Filter::default(), From::Head).unwrap();
    let runtime = runtime();
    let caught_up = runtime.block_on(subscription.next()).unwrap();
    assert!(matches!(caught_up, Item::CaughtUp(Position::ZERO)), "{caught_up:?}");
    let mut other = engine.subscribe(Filter::default(), From::Head).unwrap();
    append(&engine, "demo.a", "task/x", 20);
    // The other one's items show that the fan-out has passed the first one's buffer.
    runtime.block_on(async { while !matches!(other.next().await.unwrap(), Item::Event(_)) {} });
    let told = runtime.block_on(async {
        let mut told = Vec::new();
        for _ in 0..6 {
            told.push(match subscription.next().await.unwrap() {
                Item::Event(event) => event.recorded.position.0.to_string(),
                Item::Gap { from, to } => format!("{from}-{to}"),
                other => panic!("{other:?}"),
            });
        }
        told
    });
    assert_eq!(told, ["1", "2", "3", "4", "5", "6-20"]);
    append(&engine, "demo.a", "task/x", 1);
    let Item::Event(after) = runtime.block_on(subscription.next()).unwrap() else { panic!("no event") };
    assert_eq!(after.recorded.position, Position(21));
    assert!(engine.statistics().gaps >= 1);
    engine.close().unwrap();
}

#[test]
fn a_phase_that_changed_within_a_gap_counts_behind_it() {
    let folder = TempDir::new().unwrap();
    let engine = open(folder.path(), |config| config.live.buffer_events = 5);
    let runtime = runtime();
    let in_phase =
        |stream, phase| event_with(&engine, "demo.a", stream, &format!("{{\"phase\":\"{phase}\"}}"));
    let filter = Filter { phase: Some("build".to_owned()), ..Filter::default() };
    let mut subscription = engine.subscribe(filter, From::Head).unwrap();
    engine.append_and_wait(vec![in_phase("task/x", "plan"), in_phase("task/y", "build")]).unwrap();
    let first = runtime.block_on(async {
        loop {
            if let Item::Event(event) = subscription.next().await.unwrap() {
                return event.recorded.position;
            }
        }
    });
    assert_eq!(first, Position(2), "the first event was seen, and is in another phase");
    let mut other = engine.subscribe(Filter::default(), From::Head).unwrap();
    let mut events: Vec<_> = (0..19).map(|_| event(&engine, "demo.a", "task/x")).collect();
    events.push(in_phase("task/x", "build"));
    engine.append_and_wait(events).unwrap();
    runtime.block_on(async { while !matches!(other.next().await.unwrap(), Item::Event(_)) {} });
    let gap = runtime.block_on(subscription.next()).unwrap();
    assert!(matches!(gap, Item::Gap { from: Position(8), to: Position(22) }), "{gap:?}");
    runtime.block_on(engine.wait(Wait::Head)).unwrap();
    engine.append_and_wait(vec![event(&engine, "demo.a", "task/x"), in_phase("task/y", "build")]).unwrap();
    let Item::Event(after) = runtime.block_on(subscription.next()).unwrap() else { panic!("no event") };
    assert_eq!(after.recorded.position, Position(23));
    engine.close().unwrap();
}

#[test]
fn closing_ends_subscriptions() {
    let folder = TempDir::new().unwrap();
    let engine = open(folder.path(), |_| {});
    let mut subscription = engine.subscribe(Filter::default(), From::Head).unwrap();
    let runtime = runtime();
    let waiting = runtime.spawn(async move {
        loop {
            if let Err(error) = subscription.next().await {
                return error;
            }
        }
    });
    engine.close().unwrap();
    assert!(matches!(runtime.block_on(waiting).unwrap(), SubscribeError::Stopped));
    assert!(matches!(engine.subscribe(Filter::default(), From::Head), Err(SubscribeError::Stopped)));
    let late = engine.append_and_wait(vec![event(&engine, "demo.a", "task/x")]);
    assert!(late.is_err());
}

#[test]
fn a_subscriber_that_leaves_costs_nothing() {
    let folder = TempDir::new().unwrap();
    let engine = open(folder.path(), |config| config.live.subscribers = 2);
    for _ in 0..100 {
        let first = engine.subscribe(Filter::default(), From::Head).unwrap();
        let second = engine.subscribe(Filter::default(), From::Start).unwrap();
        assert!(matches!(engine.subscribe(Filter::default(), From::Head), Err(SubscribeError::TooMany(2))));
        drop((first, second));
        append(&engine, "demo.a", "task/x", 1);
    }
    assert_eq!(engine.statistics().subscribers, 0);
    engine.close().unwrap();
}
