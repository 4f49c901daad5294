//! A handler, ready to be started.

use super::Handler;
use super::run::Run;
use anyhow::{Context, Result};
use std::sync::Arc;
use tacho_connector::{Emit, HandlerSettings, HandlerSurroundings, Recycle, check_handler};
use tacho_engine::Engine;
use tacho_engine::delivery::Workers;
use tacho_engine::handler::{Definition, by_capability};

impl Handler {
    /// Opens what it runs; starts nothing yet.
    pub fn open(&self, engine: &Engine, surroundings: &HandlerSurroundings) -> Result<Definition> {
        let (kind, workers): (_, Arc<dyn Workers>) = match &self.run.capability {
            Some(capability) => ("capability", by_capability(engine, capability.clone())),
            None => {
                let settings = self.run.settings().with_context(|| format!("handler `{}`", self.name))?;
                let open = || {
                    let kind = check_handler(&settings)?;
                    Ok::<_, tacho_connector::SettingsError>((
                        kind.name,
                        (kind.open)(&settings, surroundings)?,
                    ))
                };
                open().with_context(|| format!("handler `{}`", self.name))?
            }
        };
        Ok(Definition {
            name: self.name.clone(),
            kind,
            filter: self.filter.clone(),
            policy: self.policy.clone(),
            workers,
            capabilities: self.capabilities.clone(),
            version: self.version.clone(),
            digest: self.digest.clone(),
        })
    }
}

impl Run {
    fn settings(&self) -> Result<HandlerSettings> {
        let emit = self.emit.as_ref().map(|emit| Emit {
            kind: emit.kind.clone(),
            subject: emit.subject.clone(),
            data: emit.data.clone(),
        });
        Ok(HandlerSettings {
            command: self.command.clone(),
            mode: self.mode.clone(),
            directory: self.directory.clone(),
            environment: self.environment.clone(),
            variables: self.variables.clone(),
            output_bytes: self.output_bytes,
            memory_bytes: self.memory_bytes,
            recycle: Recycle {
                events: self.recycle.events,
                age_ms: self.recycle.age_ms,
                memory_bytes: self.recycle.memory_bytes,
            },
            health_ms: self.health_ms,
            prompt: self.prompt.clone(),
            returns: self.returns.clone(),
            session: self.session.clone(),
            url: self.url.clone(),
            secret: self.secret.as_ref().map(crate::config::secret::SecretPlace::read).transpose()?,
            mcp: self.mcp.clone(),
            tool: self.tool.clone(),
            arguments: self.arguments.clone(),
            emit,
            capability: None,
        })
    }
}
