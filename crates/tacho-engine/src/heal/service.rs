//! The thread of the healer, and what the engine offers of it.

use super::healer::Healer;
use super::rule::Rule;
use crate::engine::Engine;
use crate::error::QueryError;
use crate::query::Wait;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use tacho_view::Heal;
use tokio::sync::watch;

/// Most attempts that are told.
const HEALS_MAX: usize = 200;

/// The healer, where one runs.
#[derive(Default)]
pub(crate) struct Healing {
    rules: Mutex<Arc<[Rule]>>,
    running: Mutex<Option<Running>>,
}

struct Running {
    stop: watch::Sender<bool>,
    thread: JoinHandle<()>,
}

impl Engine {
    /// Heals dead letters by these rules, and by no others. Letters that are open already are looked at too, so
    /// handlers and sinks are started before.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start_healer(&self, rules: Vec<Rule>) -> io::Result<()> {
        let healing = &self.shared.healing;
        healing.stop();
        let rules: Arc<[Rule]> = rules.into();
        *lock(&healing.rules) = rules.clone();
        if rules.is_empty() {
            return Ok(());
        }
        let runtime = Arc::new(tokio::runtime::Builder::new_current_thread().enable_time().build()?);
        let (stop, mut stopped) = watch::channel(false);
        let mut healer = Healer::new(self.clone(), rules, runtime.clone());
        let work = move || {
            while !*stopped.borrow() {
                healer.look();
                runtime.block_on(async {
                    tokio::select! {
                        () = healer.rest() => {}
                        // An error says that the sender is gone, which is an end too.
                        _ = stopped.changed() => {}
                    }
                });
            }
        };
        let thread = std::thread::Builder::new().name("tacho-heal".into()).spawn(work)?;
        *lock(&healing.running) = Some(Running { stop, thread });
        Ok(())
    }

    /// The rules by which dead letters are healed.
    pub fn heal_rules(&self) -> Arc<[Rule]> {
        lock(&self.shared.healing.rules).clone()
    }

    /// What was tried about dead letters, the newest first, 200 at most.
    pub async fn heals(&self) -> Result<Vec<Heal>, QueryError> {
        self.wait(Wait::Head).await?;
        self.on_a_thread(|shared| Ok(shared.fold.reader().heals(HEALS_MAX)?)).await
    }
}

impl Healing {
    /// Ends the healer; what it was about to try is tried after the next start.
    pub(crate) fn stop(&self) {
        let running = lock(&self.running).take();
        if let Some(Running { stop, thread }) = running {
            stop.send_replace(true);
            let _ = thread.join();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}
