//! The threads that start every process.
//!
//! A process dies with the thread that started it, so those are threads that live as long as the program. They are
//! several because each waits until what it started has become its program.

use super::parent_death;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, SyncSender, channel, sync_channel};
use std::thread;

/// How many processes can be about to start at a time.
const SPAWNERS: usize = 4;

struct Order {
    command: Command,
    answer: SyncSender<io::Result<Child>>,
}

/// Starts the command in a process group of its own.
pub(super) fn spawn(mut command: Command, memory_bytes: Option<u64>) -> io::Result<Child> {
    static STARTED: [OnceLock<Option<Sender<Order>>>; SPAWNERS] = [const { OnceLock::new() }; SPAWNERS];
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    command.process_group(0);
    parent_death::bind(&mut command, memory_bytes);
    let gone = || io::Error::other("the thread that starts processes is gone");
    let spawner = &STARTED[NEXT.fetch_add(1, Ordering::Relaxed) % SPAWNERS];
    let spawner = spawner.get_or_init(|| start().ok()).as_ref().ok_or_else(gone)?;
    let (answer, answered) = sync_channel(1);
    spawner.send(Order { command, answer }).map_err(|_| gone())?;
    answered.recv().map_err(|_| gone())?
}

fn start() -> io::Result<Sender<Order>> {
    let (orders, ordered) = channel::<Order>();
    thread::Builder::new().name("tacho-spawn".into()).spawn(move || {
        for mut order in ordered {
            let _ = order.answer.send(order.command.spawn());
        }
    })?;
    Ok(orders)
}
