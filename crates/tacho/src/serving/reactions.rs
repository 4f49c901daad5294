//! The handlers of the configuration, and what heals their dead letters, started.

use crate::config::Config;
use anyhow::{Context, Result};
use std::sync::Arc;
use tacho_connector::HandlerSurroundings;
use tacho_engine::Engine;
use tacho_engine::handler::Definition;

/// Where each begins is fixed before the server answers.
pub fn start(config: &Config, engine: &Engine) -> Result<()> {
    engine.start_reactions(definitions(config, engine)?).context("the handlers cannot be started")?;
    engine.start_healer(config.rules.heals.clone()).context("the healer cannot be started")
}

fn definitions(config: &Config, engine: &Engine) -> Result<Vec<Definition>> {
    let clock = engine.clone();
    let surroundings = HandlerSurroundings {
        environment: std::env::vars_os().collect(),
        now: Arc::new(move || clock.now()),
    };
    config.handlers()?.iter().map(|handler| handler.open(engine, &surroundings)).collect()
}
