//! SIGHUP: the configuration is read again.

use super::registry::tell;
use crate::terminal::escape;
use anyhow::{Context, Result};
use std::io::Write;
use tacho_engine::Engine;
use tacho_engine::handler::Asker;
use tokio::signal::unix::{SignalKind, signal};

/// Listens for it as long as the runtime lives.
pub fn listen(engine: Engine) -> Result<()> {
    let mut hangup = signal(SignalKind::hangup()).context("cannot wait for SIGHUP")?;
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            let engine = engine.clone();
            let _ = tokio::task::spawn_blocking(move || reload(&engine)).await;
        }
    });
    Ok(())
}

fn reload(engine: &Engine) {
    let asker = Asker { by: "system:signal".to_owned(), reason: "SIGHUP".to_owned() };
    match engine.reload_configuration(asker) {
        Err(error) => tell(&error.to_string()),
        Ok(changed) if changed.is_empty() => say("the configuration was read again; nothing changed"),
        Ok(changed) => say(&format!("the configuration was read again; changed: {}", changed.join(", "))),
    }
}

fn say(what: &str) {
    // A closed standard error keeps nobody from serving.
    let _ = writeln!(std::io::stderr().lock(), "{}", escape(what));
}
