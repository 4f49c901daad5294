//! A stop drains and ends; a start finds everything again.

use crate::server::{Server, Setup};
use std::net::TcpListener;
use std::time::Instant;

#[test]
fn a_stop_ends_streams_and_a_start_finds_everything() {
    let server = Server::start();
    server.append("demo.a", "task/x", 10);
    let mut events = server.events("/api/events/stream");
    events.until("caught_up");
    let socket = server.socket();
    let begun = Instant::now();
    let folder = server.stop();
    assert!(events.next().is_none(), "the stream ends");
    assert!(begun.elapsed().as_secs() < 4, "{:?}", begun.elapsed());
    assert!(!socket.exists());
    let again = Server::start_with(Setup::default(), folder);
    assert_eq!(again.types("/api/events").len(), 10);
}

#[test]
fn listening_beyond_loopback_needs_a_token() {
    let folder = tempfile::TempDir::new().unwrap();
    let config = tacho_engine::Config::new(folder.path());
    let engine = tacho_engine::Engine::open(config, tacho_engine::SystemClock).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // Bound, never listened on for anyone: the refusal comes before the first accept.
    let listener = TcpListener::bind("0.0.0.0:0").unwrap();
    let run = tacho_server::run(vec![listener], engine.clone(), tacho_server::Config::default(), async {});
    let error = runtime.block_on(run).unwrap_err();
    assert!(error.to_string().contains("set a token"), "{error}");
    engine.close().unwrap();
}
