//! What the engine knows of what it appended.

use crate::{event_with, open, runtime};
use std::time::Duration;
use tacho_engine::Engine;
use tacho_event::Event;
use tacho_event::schema::{REGISTERED, Registration};
use tempfile::TempDir;

fn registration(kind: &str) -> Registration {
    let data = format!("{{\"type\":\"{kind}\",\"version\":\"1.0.0\",\"schema\":{{\"type\":\"object\"}}}}");
    Registration::from_data(data.as_bytes()).unwrap()
}

fn registered(engine: &Engine, kind: &str) -> Event {
    let data = String::from_utf8(registration(kind).to_data()).unwrap();
    event_with(engine, REGISTERED, "tacho/schemas", &data)
}

#[test]
fn a_registration_counts_although_its_sender_went_away() {
    let folder = TempDir::new().unwrap();
    let engine = open(folder.path(), |_| {});
    runtime().block_on(async {
        for n in 1..=20 {
            let kind = format!("demo.kind_{n}");
            assert!(engine.schemas().await.unwrap().find(&kind, None).is_none());
            let append = engine.append(vec![registered(&engine, &kind)], Vec::new());
            let _ = tokio::time::timeout(Duration::ZERO, append).await;
            let counted = async {
                while engine.statistics().appended < n {
                    tokio::task::yield_now().await;
                }
            };
            tokio::time::timeout(Duration::from_secs(10), counted).await.unwrap();
            assert!(engine.schemas().await.unwrap().find(&kind, None).is_some(), "{kind}");
        }
    });
    engine.close().unwrap();
}

#[test]
fn a_registration_hides_none_before_it() {
    let folder = TempDir::new().unwrap();
    let engine = open(folder.path(), |_| {});
    runtime().block_on(async {
        for n in 0..20 {
            let (mine, other) = (format!("demo.mine_{n}"), format!("demo.other_{n}"));
            // Polled in turns: the other one is appended while this one is on its way.
            let (first, second) = tokio::join!(
                engine.register_schema(registration(&mine)),
                engine.append(vec![registered(&engine, &other)], Vec::new())
            );
            first.unwrap();
            second.unwrap();
            let schemas = engine.schemas().await.unwrap();
            assert!(schemas.find(&mine, None).is_some() && schemas.find(&other, None).is_some(), "{n}");
        }
    });
    engine.close().unwrap();
}
