//! How fast the log itself is: `cargo run --release --example append -- FOLDER [CLIENTS BATCH]`. Prints events a second for clients
//! that wait for each acknowledgement.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};
use tacho_event::{Draft, Event, Timestamp};
use tacho_journal::{Batch, Journal, Options};

static NEXT: AtomicU64 = AtomicU64::new(0);

fn event(payload: &str) -> Event {
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let id = format!("{number:032x}");
    let mut draft = Draft::new("bench.appended", "/bench/append", id);
    draft.subject = Some(format!("task/{}", number % 1000).into());
    draft.put_text("time", "2026-01-01T00:00:00.123Z");
    draft.set_data(payload.as_bytes());
    draft.finish(draft.content()).expect("the event is right")
}

fn run(folder: &Path, clients: usize, batch: usize, seconds: u64) {
    let _ = std::fs::remove_dir_all(folder);
    let (journal, _) = Journal::open(folder, Options::default()).expect("the log opens");
    let payload = format!("\"{}\"", "x".repeat(254));
    let done = AtomicU64::new(0);
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..clients {
            scope.spawn(|| {
                while begun.elapsed() < Duration::from_secs(seconds) {
                    let events = (0..batch).map(|_| event(&payload)).collect();
                    let now = SystemTime::now()
                        .duration_since(SystemTime::UNIX_EPOCH)
                        .map_or(0, |since| since.as_nanos() as i64);
                    journal
                        .append_and_wait(Batch::new(events, Timestamp(now), |salt| salt.fill(9)))
                        .expect("the append is acknowledged");
                    done.fetch_add(batch as u64, Ordering::Relaxed);
                }
            });
        }
    });
    let rate = done.load(Ordering::Relaxed) as f64 / begun.elapsed().as_secs_f64();
    println!("{clients:3} clients x {batch:4}: {rate:10.0} events/s  {:?}", journal.size());
    journal.close().expect("the log closes");
}

fn main() {
    let folder = std::env::args().nth(1).expect("a folder to write to");
    let shape: Vec<usize> = std::env::args().skip(2).filter_map(|number| number.parse().ok()).collect();
    if let [clients, batch] = shape[..] {
        return run(Path::new(&folder), clients, batch, 4);
    }
    for (clients, batch) in [(1, 1), (1, 100), (32, 1), (4, 100), (4, 1000)] {
        run(Path::new(&folder), clients, batch, 4);
    }
}
