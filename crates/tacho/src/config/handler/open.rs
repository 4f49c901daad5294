//! A handler, ready to be started.

use super::Handler;
use super::run::Run;
use crate::config::secret::SecretPlace;
use anyhow::{Context, Error, Result, anyhow};
use std::sync::Arc;
use tacho_connector::{HandlerSettings, HandlerSurroundings, Secret, SettingsError, check_handler};
use tacho_engine::Engine;
use tacho_engine::delivery::Workers;
use tacho_engine::handler::Definition;
use tacho_engine::registry::by_capability;

impl Handler {
    /// Opens what it runs; starts nothing yet.
    pub fn open(&self, engine: &Engine, surroundings: &HandlerSurroundings) -> Result<Definition> {
        let (kind, workers): (_, Arc<dyn Workers>) = match &self.run.settings.capability {
            Some(capability) => {
                ("capability", by_capability(engine, capability.clone(), self.run.split.clone()))
            }
            None => {
                let open = || {
                    let secret = self.run.secret.as_ref().map(SecretPlace::read).transpose()?;
                    let settings = HandlerSettings { secret, ..self.run.settings.clone() };
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
        if self.settings.capability.is_none() {
            let secret = self.secret.as_ref().map(|_| Secret::new("read when it is opened"));
            check_handler(&HandlerSettings { secret, ..self.settings.clone() }).map_err(told)?;
        }
        Ok(())
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
