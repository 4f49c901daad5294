//! The way down: the first signal asks, the second insists.

use anyhow::{Context, Result};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;

/// The exit code of a program that SIGINT ended, by the shells' custom.
const INTERRUPTED: i32 = 130;

/// Asks a server to stop; clones ask the same one.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    asked: Arc<Notify>,
    from_outside: Arc<AtomicBool>,
}

impl Stop {
    pub fn now(&self) {
        self.asked.notify_one();
    }

    /// Whether a signal came.
    pub fn was_asked_from_outside(&self) -> bool {
        self.from_outside.load(Ordering::SeqCst)
    }

    /// Ends when it is asked, or when SIGINT or SIGTERM comes. A second signal ends the process at once: what
    /// was acknowledged is on the disk.
    pub(super) fn wait(self) -> Result<impl Future<Output = ()> + Send> {
        let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for SIGINT")?;
        let mut terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
        Ok(async move {
            tokio::select! {
                () = self.asked.notified() => return,
                () = either(&mut interrupt, &mut terminate) => {}
            }
            self.from_outside.store(true, Ordering::SeqCst);
            eprintln!("stopping; once more to stop at once");
            tokio::spawn(async move {
                either(&mut interrupt, &mut terminate).await;
                std::process::exit(INTERRUPTED);
            });
        })
    }
}

async fn either(interrupt: &mut Signal, terminate: &mut Signal) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
