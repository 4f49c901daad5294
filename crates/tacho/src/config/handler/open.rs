//! A handler, ready to be started.

use super::Handler;
use super::run::Run;
use crate::config::secret::SecretPlace;
use anyhow::{Context, Error, Result, anyhow};
use std::sync::Arc;
use tacho_connector::{
    Emit, HandlerSettings, HandlerSurroundings, Recycle, Secret, SettingsError, check_handler,
};
use tacho_engine::Engine;
use tacho_engine::delivery::Workers;
use tacho_engine::handler::Definition;
use tacho_engine::registry::by_capability;

impl Handler {
    /// Opens what it runs; starts nothing yet.
    pub fn open(&self, engine: &Engine, surroundings: &HandlerSurroundings) -> Result<Definition> {
        let (kind, workers): (_, Arc<dyn Workers>) = match &self.run.capability {
            Some(capability) => {
                ("capability", by_capability(engine, capability.clone(), self.run.split.clone()))
            }
            None => {
                let open = || {
                    let secret = self.run.secret.as_ref().map(SecretPlace::read).transpose()?;
                    let settings = self.run.settings(secret);
                    let kind = check_handler(&settings).map_err(told)?;
                    Ok::<_, Error>((kind.name, (kind.open)(&settings, surroundings).map_err(told)?))
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
    /// Whether its kind takes it as it stands; the secret is read when it is opened.
    pub(super) fn check_kind(&self) -> Result<()> {
        if self.capability.is_none() {
            let secret = self.secret.as_ref().map(|_| Secret::new("read when it is opened"));
            check_handler(&self.settings(secret)).map_err(told)?;
        }
        Ok(())
    }

    pub(in crate::config) fn settings(&self, secret: Option<Secret>) -> HandlerSettings {
        let emit = self.emit.as_ref().map(|emit| Emit {
            kind: emit.kind.clone(),
            subject: emit.subject.clone(),
            data: emit.data.clone(),
        });
        HandlerSettings {
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
            secret,
            mcp: self.mcp.clone(),
            tool: self.tool.clone(),
            arguments: self.arguments.clone(),
            emit,
            capability: None,
        }
    }
}

/// The kinds name their keys with units; the file does not.
pub(in crate::config) fn told(error: SettingsError) -> Error {
    let name = |key: &str| key.trim_end_matches("_bytes").trim_end_matches("_ms").to_owned();
    match error {
        SettingsError::Missing(key) => anyhow!("`run.{}` is missing", name(key)),
        SettingsError::Unusable { key, reason } => anyhow!("`run.{}`: {reason}", name(key)),
    }
}
