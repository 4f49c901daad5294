//! Where a secret is: in a variable of the environment, or in a file. The configuration never holds one.

use anyhow::{Context, Result, ensure};
use tacho_connector::Secret;

/// Longest secret, in bytes.
const SECRET_BYTES_MAX: usize = 4096;

/// Where a secret is read when it is needed.
#[derive(Debug, Clone)]
pub enum SecretPlace {
    Variable(String),
    File(String),
}

impl SecretPlace {
    pub fn read(&self) -> Result<Secret> {
        let text = match self {
            Self::Variable(name) => {
                std::env::var(name).with_context(|| format!("the secret's variable {name} is not set"))?
            }
            Self::File(path) => std::fs::read_to_string(path)
                .with_context(|| format!("the secret file {path} cannot be read"))?,
        };
        let secret = text.lines().next().unwrap_or_default().trim();
        ensure!(
            (1..=SECRET_BYTES_MAX).contains(&secret.len()),
            "a secret must have 1 to {SECRET_BYTES_MAX} bytes, in the first line of its file or in its variable"
        );
        Ok(Secret::new(secret))
    }
}
