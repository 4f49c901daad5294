//! The engine from outside: appends, subscriptions, queries, on a real folder.

mod append;
mod handlers;
mod heal;
mod live;
mod open;
mod query;
mod registry;
mod rewind;
mod transcript;
mod upcast;
mod waits;
mod watch;

use std::path::Path;
use tacho_engine::{Config, Engine, SystemClock};
use tacho_event::{Draft, Event, Sameness};

fn open(folder: &Path, change: impl FnOnce(&mut Config)) -> Engine {
    let mut config = Config::new(folder);
    change(&mut config);
    Engine::open(config, SystemClock).unwrap()
}

fn event(engine: &Engine, kind: &str, stream: &str) -> Event {
    event_with(engine, kind, stream, "{\"n\":1}")
}

fn event_with(engine: &Engine, kind: &str, stream: &str, data: &str) -> Event {
    let mut draft = Draft::new(kind.to_owned(), "/t", engine.new_id());
    draft.subject = Some(stream.to_owned().into());
    draft.set_data(data.as_bytes());
    draft.finish(Sameness::FirstWins).unwrap()
}

fn append(engine: &Engine, kind: &str, stream: &str, count: usize) {
    let events = (0..count).map(|_| event(engine, kind, stream)).collect();
    engine.append_and_wait(events).unwrap();
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}
