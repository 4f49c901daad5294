//! The thread that starts every process.
//!
//! A process dies with the thread that started it, so that is one that lives as long as the program.

use super::parent_death;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::sync::OnceLock;
use std::sync::mpsc::{Sender, SyncSender, channel, sync_channel};
use std::thread;

struct Order {
    command: Command,
    answer: SyncSender<io::Result<Child>>,
}

/// Starts the command in a process group of its own.
pub(super) fn spawn(mut command: Command, memory_bytes: Option<u64>) -> io::Result<Child> {
    static SPAWNER: OnceLock<Option<Sender<Order>>> = OnceLock::new();
    command.process_group(0);
    parent_death::bind(&mut command, memory_bytes);
    let gone = || io::Error::other("the thread that starts processes is gone");
    let spawner = SPAWNER.get_or_init(|| start().ok()).as_ref().ok_or_else(gone)?;
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
