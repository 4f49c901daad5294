//! Markers of transcripts reach the log, however busy it is.

use crate::{event, runtime};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;
use tacho_engine::{Clock, Config, Engine, HookFrame, Parsers, Query, SystemClock};
use tacho_event::Timestamp;
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(10);

/// Opens the gate when it was asked for the time often enough: once an append.
struct CountingClock {
    asks_left: Arc<AtomicU64>,
    gate: mpsc::SyncSender<()>,
}

impl Clock for CountingClock {
    fn now(&self) -> Timestamp {
        if self.asks_left.load(SeqCst) > 0 && self.asks_left.fetch_sub(1, SeqCst) == 1 {
            let _ = self.gate.try_send(());
        }
        SystemClock.now()
    }
}

#[test]
fn a_marker_waits_for_room_in_the_queue_of_the_log() {
    let folder = TempDir::new().unwrap();
    let transcript = folder.path().join("agent.jsonl");
    std::fs::write(&transcript, "{}\n").unwrap();
    let (open_gate, gate) = mpsc::sync_channel(1);
    let asks_left = Arc::new(AtomicU64::new(0));
    let mut config = Config::new(folder.path());
    config.journal.queue_batches = 1;
    config.hook.transcript_folders = vec![folder.path().to_owned()];
    let engine =
        Engine::open(config, CountingClock { asks_left: asks_left.clone(), gate: open_gate }).unwrap();

    // The commit that finds `blocks` set waits at the gate, and the log's thread with it.
    let blocks = Arc::new(AtomicBool::new(false));
    let (at_gate, is_at_gate) = mpsc::channel();
    let (gate, is_blocking) = (Mutex::new(gate), blocks.clone());
    engine.journal().on_commit(move |_| {
        if is_blocking.swap(false, SeqCst) {
            at_gate.send(()).unwrap();
            // A test that fails ends all the same.
            let _ = gate.lock().unwrap().recv_timeout(PATIENCE);
        }
    });
    let (of_frame, of_transcript, is_at_gate) = (engine.clone(), engine.clone(), Mutex::new(is_at_gate));
    let hooks = engine.serve_hooks(Parsers {
        frame: Box::new(move |_| vec![event(&of_frame, "demo.stop", "task/x")]),
        transcript_path: Box::new(move |_| Some(PathBuf::from(&transcript))),
        usages: Box::new(|_, _| Vec::new()),
        transcript: Box::new(move |_, _| {
            let queue = |kind| {
                let append = of_transcript.append(vec![event(&of_transcript, kind, "task/x")], Vec::new());
                runtime().block_on(async { tokio::time::timeout(Duration::ZERO, append).await })
            };
            blocks.store(true, SeqCst);
            let _ = queue("demo.committing");
            is_at_gate.lock().unwrap().recv().unwrap();
            let _ = queue("demo.waiting");
            let marker = event(&of_transcript, "demo.marker", "task/x");
            asks_left.store(3, SeqCst);
            vec![marker]
        }),
        redact: Box::new(<[u8]>::to_vec),
    });
    let (hooks, runtime) = (hooks.unwrap(), runtime());
    runtime.block_on(hooks.accept(HookFrame::default())).unwrap();
    hooks.stop();
    let page = runtime.block_on(engine.query(Query::default())).unwrap();
    let types: Vec<_> = page.events.iter().map(|event| event.kind()).collect();
    assert_eq!(types, ["demo.stop", "demo.committing", "demo.waiting", "demo.marker"]);
    assert_eq!(engine.statistics().hook_refused, 0);
    engine.close().unwrap();
}
